#include "props/findings/finding_folders.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <utility>

#include "cases/operators/any_case.h"
#include "cases/strings/digest.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/operator_script.h"
#include "reports/records/finding_json.h"
#include "reports/records/output_file.h"

namespace tieout {
namespace {

namespace fs = std::filesystem;

std::string hex(std::uint64_t value, int digits) {
  std::string text;
  for (int i = digits - 1; i >= 0; --i) text += "0123456789abcdef"[value >> (4 * i) & 0xfU];
  return text;
}

}  // namespace

std::string folder_name(const Finding& finding) {
  std::string name;
  for (const char letter : kind_of(finding)) {
    const bool plain = std::isalnum(static_cast<unsigned char>(letter)) != 0;
    if (plain) name += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (!plain && !name.empty() && name.back() != '-') name += '-';
    if (name.size() == 40) break;
  }
  Digest digest;
  digest.add_bytes(finding.case_line);
  return name + (name.ends_with('-') ? "" : "-") + hex(digest.value() >> 16U, 12);
}

tl::expected<void, std::string> add_finding(const fs::path& corpus, const Finding& finding) {
  const fs::path folder = corpus / folder_name(finding);
  std::error_code error;
  if (fs::exists(folder, error)) return {};
  fs::create_directories(corpus, error);
  const fs::path draft = unused_path_beside(folder);
  if (!error) fs::create_directory(draft, error);
  const auto write = [&](const char* name, const std::string& text) {
    return write_file(draft / name, text).has_value();
  };
  bool written = !error && write("case.txt", finding.case_line + '\n') && write("finding.txt", finding_text(finding)) &&
                 write("finding.json", to_json(finding) + '\n');
  if (!finding.explanation.empty()) written = written && write("explanation.txt", finding.explanation);
  if (const auto c = parse_any_case(finding.case_line); c && finding.reference.empty()) {
    written = written && write("reproduce.py", script_of(*c));
  }
  if (written) fs::rename(draft, folder, error);
  // Another process may have added the finding first.
  if (written && (!error || fs::exists(folder))) return {};
  std::error_code ignored;
  fs::remove_all(draft, ignored);
  return tl::unexpected("cannot write " + folder.string() + (error ? ": " + error.message() : std::string()) +
                        "; make room there, or name another folder");
}

tl::expected<std::vector<AnyCase>, std::string> read_corpus(const fs::path& corpus) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(corpus, error)) {
    const fs::path file = entry.path() / "case.txt";
    if (!entry.path().filename().string().starts_with('.') && fs::is_regular_file(file, error)) files.push_back(file);
  }
  std::ranges::sort(files);
  std::vector<AnyCase> cases;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::string line;
    std::getline(in, line);
    auto c = parse_any_case(line);
    if (!c) {
      return tl::unexpected(file.string() + ": " + c.error().text() + "; put the line right, or remove the folder");
    }
    cases.push_back(std::move(*c));
  }
  return cases;
}

}  // namespace tieout
