#include "reports/records/run_record.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <utility>

#include "reports/records/database.h"
#include "reports/records/finding_json.h"
#include "reports/records/output_file.h"
#include "reports/records/record_check.h"
#include "reports/records/record_tables.h"

namespace tieout {

// The digests over each part of a record. Those of blocks and findings are continued from block to block.
struct RecordDigests {
  std::uint64_t counts = 0;
  Digest blocks, findings;

  [[nodiscard]] std::map<std::string, std::uint64_t> by_part() const {
    return {{"blocks", blocks.value()}, {"counts", counts}, {"findings", findings.value()}};
  }
};

struct RecordContents {
  RunSummary run;
  std::vector<RecordBlock> blocks;
  RecordDigests digests;
};

namespace {

namespace fs = std::filesystem;

// The row of a finding, without its id.
struct FindingRow {
  std::int64_t case_index;
  std::string kind, engine, isa, path, case_line, json;
};

void add_to_digest(Digest& digest, const RecordBlock& block) {
  digest.add(block.number);
  digest.add(std::string_view(block.verdicts));
  digest.add(block.digest);
}

void add_to_digest(Digest& digest, const FindingRow& row) {
  digest.add(row.case_index);
  for (const std::string* text : {&row.kind, &row.engine, &row.isa, &row.path, &row.case_line, &row.json}) {
    digest.add(std::string_view(*text));
  }
}

// Returns the JSON of a finding, without tensors if these are too large to be read again within the limits of records.
std::string kept_json(const Finding& finding) {
  constexpr std::size_t kMostBytes = 64 << 20;
  std::string json = to_json(finding);
  if (json.size() <= kMostBytes) return json;
  Finding small = finding;
  small.undescribed = fmt::format("{} elements are too many for a record", small.expected.values.size());
  small.expected = small.actual = {};
  small.elements.clear();
  small.explained = 0;
  return to_json(small);
}

FindingRow row_of(const Finding& finding) {
  const Cell& cell = finding.cell;
  return {finding.index, kind_of(finding), cell.engine, cell.isa, cell.path, finding.case_line, kept_json(finding)};
}

// ---- reading

std::map<std::string, std::uint64_t> read_digests(Database& database) {
  std::map<std::string, std::uint64_t> digests;
  database.each("SELECT part, value FROM digest",
                [&](const Row& row) { digests[row.text(0)] = database.number(row.text(1), 16); });
  return digests;
}

std::vector<RecordBlock> read_blocks(Database& database, Digest& digest) {
  std::vector<RecordBlock> blocks;
  database.each("SELECT number, verdicts, digest FROM block ORDER BY number", [&](const Row& row) {
    blocks.push_back(
        {.number = row.integer(0), .verdicts = row.text(1), .digest = database.number(row.text(2), 16), .counts = {}});
    add_to_digest(digest, blocks.back());
  });
  return blocks;
}

std::vector<Finding> read_findings(Database& database, Digest& digest) {
  std::vector<Finding> findings;
  database.each("SELECT case_index, kind, engine, isa, path, case_line, json FROM finding ORDER BY id",
                [&](const Row& row) {
                  const FindingRow values{row.integer(0), row.text(1), row.text(2), row.text(3),
                                          row.text(4),    row.text(5), row.text(6)};
                  add_to_digest(digest, values);
                  if (auto finding = finding_from_json(values.json)) {
                    findings.push_back(std::move(*finding));
                  } else {
                    database.refuse("it is damaged: a finding in it cannot be read: " + finding.error());
                  }
                });
  std::ranges::stable_sort(findings, {}, &Finding::index);
  return findings;
}

// Reads the whole record in one transaction. Sets an error if it is no complete record.
RecordContents read_all(Database& database) {
  RecordContents contents;
  database.run("BEGIN");
  verify_tables(database);
  contents.run = read_run(database);
  contents.digests.counts = digest_of(contents.run);
  contents.blocks = read_blocks(database, contents.digests.blocks);
  contents.run.findings = read_findings(database, contents.digests.findings);
  if (read_digests(database) != contents.digests.by_part()) {
    database.refuse(
        "it is damaged, or was changed by another program: its contents and their digests do not belong "
        "together");
  }
  database.run("COMMIT");
  if (!database.error().empty()) return contents;
  if (const std::string wrong = find_record_error(contents.run, contents.blocks); !wrong.empty()) {
    database.refuse("it is damaged: " + wrong);
  }
  find_missing_classes(contents.run);
  return contents;
}

// ---- writing

void write_digests(Database& database, const RecordDigests& digests) {
  for (const auto& [part, value] : digests.by_part()) {
    database.run("INSERT OR REPLACE INTO digest VALUES (?1, ?2)", part, fmt::format("{:016x}", value));
  }
}

void insert_block(Database& database, const RecordBlock& block, RecordDigests& digests) {
  add_to_digest(digests.blocks, block);
  database.run("INSERT INTO block VALUES (?1, ?2, ?3)", block.number, block.verdicts,
               fmt::format("{:016x}", block.digest));
}

void insert_finding(Database& database, const Finding& finding, RecordDigests& digests) {
  const FindingRow row = row_of(finding);
  add_to_digest(digests.findings, row);
  database.run("INSERT INTO finding VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7)", row.case_index, row.kind, row.engine,
               row.isa, row.path, row.case_line, row.json);
}

void set_times(RunSummary& total, const RunSummary& run) {
  total.finished = run.finished;
  total.seconds = run.seconds;
  total.seconds_in_engine = run.seconds_in_engine;
  total.workers = run.workers;
}

// Removes the journal that a killed process left: the record may have been removed without it, and SQLite would use it
// for a new record with the same name. Only actual journals are removed.
tl::expected<void, std::string> remove_stale_journal(const fs::path& file) {
  for (const char* suffix : {"-journal", "-wal", "-shm"}) {
    const fs::path neighbour = file.string() + suffix;
    std::error_code error;
    if (!fs::exists(fs::symlink_status(neighbour, error))) continue;
    std::string head(4, '\0');
    const bool regular = fs::is_regular_file(neighbour, error);
    if (regular) std::ifstream(neighbour, std::ios::binary).read(head.data(), 4);
    const bool journal = head == "\xd9\xd5\x05\xf9" || head == std::string(4, '\0') || head == "\x37\x7f\x06\x82" ||
                         head == "\x37\x7f\x06\x83" || head == std::string("\x18\xe2\x2d\0", 4);
    if (!regular || !journal || !fs::remove(neighbour, error)) {
      return tl::unexpected(neighbour.string() + " would be taken for a part of the new record: move it away");
    }
  }
  return {};
}

// Writes a record of these blocks; it becomes a file when it is complete. run: its findings become the record's.
tl::expected<void, std::string> write_whole(const fs::path& file, const RunSummary& run,
                                            const std::vector<RecordBlock>& blocks) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(file, error))) {
    return tl::unexpected(file.string() + ": exists already; name another file, or remove it");
  }
  Database database;
  database.run("BEGIN");
  create_tables(database);
  insert_run(database, run);
  write_counts(database, run, run);
  replace_causes(database, run);
  RecordDigests digests{.counts = digest_of(run), .blocks = Digest(), .findings = Digest()};
  for (const RecordBlock& block : blocks) insert_block(database, block, digests);
  for (const Finding& finding : run.findings) insert_finding(database, finding, digests);
  write_digests(database, digests);
  database.run("COMMIT");
  const std::string bytes = database.bytes();
  if (!database.error().empty()) return tl::unexpected(file.string() + ": " + database.error());
  if (const auto removed = remove_stale_journal(file); !removed) return removed;
  return write_new_file(file, bytes);
}

}  // namespace

struct RunRecord::State {
  State(Database opened, bool only_read) : database(std::move(opened)), reading(only_read) {}

  Database database;
  bool reading;
  // The contents of the record. If it is open for writing, findings and blocks are not kept here.
  RecordContents contents;
  std::int64_t last_block = std::numeric_limits<std::int64_t>::min();

  // Ends a transaction. If that fails, the record has nothing of it.
  tl::expected<void, Error> end() {
    database.run("COMMIT");
    if (database.error().empty()) return {};
    const std::string error = database.error();
    database.forget_error();
    database.run("ROLLBACK");
    database.forget_error();
    return tl::unexpected(error);
  }

  // Begins a transaction; sets an error if another process has changed the record since.
  void begin() {
    database.run("BEGIN IMMEDIATE");
    if (read_digests(database) != contents.digests.by_part()) {
      database.refuse("another process has written to it in between: only one may work on a record");
    }
  }
};

RunRecord::RunRecord(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunRecord::RunRecord(RunRecord&&) noexcept = default;
RunRecord& RunRecord::operator=(RunRecord&&) noexcept = default;
RunRecord::~RunRecord() = default;

tl::expected<void, RunRecord::Error> RunRecord::write(const fs::path& file, const RunSummary& run,
                                                      const std::vector<RecordBlock>& blocks) {
  return write_whole(file, run, blocks);
}

tl::expected<RunRecord, RunRecord::Error> RunRecord::create(const fs::path& file, const RunSummary& run) {
  RunSummary start = run;
  start.findings.clear();
  start.finished = false;
  start.seconds = start.seconds_in_engine = 0;
  if (const auto written = write_whole(file, start, {}); !written) return tl::unexpected(written.error());
  return open(file);
}

tl::expected<RunRecord, RunRecord::Error> RunRecord::open(const fs::path& file, For what) {
  const bool reading = what == For::reading;
  auto state =
      std::make_unique<State>(Database(file, reading ? Database::Mode::read : Database::Mode::change), reading);
  if (state->database.error().empty()) state->contents = read_all(state->database);
  if (!state->database.error().empty()) return tl::unexpected(state->database.error());
  RecordContents& contents = state->contents;
  if (!reading) {
    if (!contents.blocks.empty()) state->last_block = contents.blocks.back().number;
    contents.run.findings.clear();
    contents.blocks.clear();
  }
  return RunRecord(std::move(state));
}

tl::expected<void, RunRecord::Error> RunRecord::append(const RecordBlock& block, const RunSummary& run) {
  State& state = *state_;
  Database& database = state.database;
  RunSummary total = state.contents.run;
  const bool had_causes = !total.cases_by_cause.empty();
  total.causes.clear();
  total.cases_by_cause.clear();
  merge(total, block.counts);
  set_times(total, run);
  RecordDigests digests = state.contents.digests;
  digests.counts = digest_of(total);
  state.begin();
  if (block.number <= state.last_block) {
    database.refuse("block " + std::to_string(block.number) + " is in it, and another process may have written it");
  }
  insert_block(database, block, digests);
  if (had_causes) replace_causes(database, total);
  write_counts(database, block.counts, total);
  for (const Finding& finding : block.counts.findings) insert_finding(database, finding, digests);
  update_times(database, total);
  write_digests(database, digests);
  const auto done = state.end();
  if (!done) return done;
  state.contents.run = std::move(total);
  state.contents.digests = digests;
  state.last_block = block.number;
  return {};
}

tl::expected<void, RunRecord::Error> RunRecord::update(const RunSummary& run) {
  State& state = *state_;
  RunSummary total = state.contents.run;
  set_times(total, run);
  RecordDigests digests = state.contents.digests;
  digests.counts = digest_of(total);
  state.begin();
  update_times(state.database, total);
  write_digests(state.database, digests);
  const auto done = state.end();
  if (!done) return done;
  state.contents.run = std::move(total);
  state.contents.digests = digests;
  return {};
}

tl::expected<void, RunRecord::Error> RunRecord::note_causes(const RunSummary& run) {
  State& state = *state_;
  Database& database = state.database;
  RunSummary total = state.contents.run;
  total.causes = run.causes;
  total.cases_by_cause = run.cases_by_cause;
  RecordDigests digests = state.contents.digests;
  digests.counts = digest_of(total);
  state.begin();
  replace_causes(database, total);
  Digest before;
  std::vector<Finding> findings = read_findings(database, before);
  database.run("DELETE FROM finding");
  digests.findings = Digest();
  for (Finding& finding : findings) {
    const auto same = std::ranges::find_if(run.findings, [&](const Finding& other) {
      return other.index == finding.index && other.case_line == finding.case_line;
    });
    if (same != run.findings.end()) {
      finding.cause = same->cause;
      finding.condition = same->condition;
    }
    insert_finding(database, finding, digests);
  }
  write_digests(database, digests);
  const auto done = state.end();
  if (!done) return done;
  state.contents.run = std::move(total);
  state.contents.digests = digests;
  return {};
}

tl::expected<RunSummary, RunRecord::Error> RunRecord::summary() const {
  if (state_->reading) return state_->contents.run;
  RecordContents contents = read_all(state_->database);
  if (!state_->database.error().empty()) return tl::unexpected(state_->database.error());
  return std::move(contents.run);
}

tl::expected<std::vector<RecordBlock>, RunRecord::Error> RunRecord::blocks() const {
  if (state_->reading) return state_->contents.blocks;
  RecordContents contents = read_all(state_->database);
  if (!state_->database.error().empty()) return tl::unexpected(state_->database.error());
  return std::move(contents.blocks);
}

}  // namespace tieout
