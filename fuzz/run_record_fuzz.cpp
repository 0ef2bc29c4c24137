// Fuzzes the reader of run records, which are SQLite files: it refuses the input with a message, or returns a summary
// and blocks of which a report can be made. The input is such a file, or SQL that is first run on a valid record.

#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/fuzz_target.h"
#include "fuzz/memory_file.h"
#include "reports/data/report.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/json.h"
#include "reports/records/run_record.h"

namespace {

using tieout::require;

tieout::Finding finding() {
  tieout::Finding found{.case_line = "conv2d os=2 x=[1] w=[1]", .original_line = "conv2d os=2 x=[1] w=[1]"};
  found.expected = {{1, 1, 1, 1}, {0}};
  found.actual = {{1, 1, 1, 1}, {1}};
  found.elements = {{.offset = 0, .expected = 0, .actual = 1, .accumulator = 1, .scaled = 0.5F}};
  found.mismatch_class = "tie";
  found.explained = 1;
  return found;
}

// Returns the bytes of a valid record of ten cases and one finding.
std::string right_record() {
  using namespace tieout;
  const auto file = std::filesystem::temp_directory_path() / ("fuzz-" + std::to_string(getpid()) + ".tieout");
  std::filesystem::remove(file);
  RunSummary run;
  run.command = "tieout fuzz --cases 10";
  run.seed = 1;
  run.cases = {.passed = 9, .differed = 1};
  run.cells[{"fbgemm", "avx2", "im2col", "per_tensor", "bias"}] = {
      .cases = 10, .elements = 40, .differed = 1, .classes = {}};
  run.differences["tie"] = 1;
  run.findings = {finding()};
  RunSummary start;
  start.command = run.command;
  start.seed = run.seed;
  auto record = RunRecord::create(file, start).value();
  require(record.append({.number = 0, .verdicts = "D.........", .digest = 7, .counts = run}, run).has_value());
  std::ifstream stream(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  std::filesystem::remove(file);
  return bytes;
}

// Returns the record after the SQL has run on it, up to its first error or limit.
std::string edited(std::string record, const std::string& sql) {
  sqlite3* database = nullptr;
  require(sqlite3_open(":memory:", &database) == SQLITE_OK);
  const auto size = static_cast<sqlite3_int64>(record.size());
  auto* const bytes = static_cast<unsigned char*>(sqlite3_malloc64(record.size()));
  record.copy(reinterpret_cast<char*>(bytes), record.size());
  require(sqlite3_deserialize(database, "main", bytes, size, size,
                              SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) == SQLITE_OK);
  // Limits the SQL, which could compute endlessly or create gigabytes; that would be no fault of the reader.
  constexpr int kMostSteps = 20'000, kMostBytes = 1 << 20;
  int steps = 0;
  sqlite3_progress_handler(
      database, 1000, [](void* count) { return ++*static_cast<int*>(count) > kMostSteps / 1000 ? 1 : 0; }, &steps);
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, kMostBytes);
  sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
  sqlite3_int64 length = 0;
  if (unsigned char* const result = sqlite3_serialize(database, "main", &length, 0); result != nullptr) {
    record.assign(reinterpret_cast<const char*>(result), static_cast<std::size_t>(length));
    sqlite3_free(result);
  }
  sqlite3_close(database);
  return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tieout;
  static const std::string right = right_record();
  const std::string_view input = text_of(data, size);
  const MemoryFile file(input.starts_with("SQLite format 3") ? std::string(input) : edited(right, std::string(input)));
  const auto record = RunRecord::open(file.path(), RunRecord::For::reading);
  if (!record) {
    require(!record.error().empty());
    return 0;
  }
  const auto summary = record->summary();
  const auto blocks = record->blocks();
  if (!summary || !blocks) return 0;
  const Report report = make_report({*summary});
  (void)findings_text(report);
  require(!json(report).empty());
  return 0;
}
