#include "cli/check_file.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string_view>

#include "cases/case_text.h"
#include "cli/commands.h"
#include "reports/finding_text.h"

namespace tieout {
namespace {

struct Counts {
  int equal = 0, different = 0;
  std::map<std::string, int> excused, unverified;  // by reason
  std::map<std::string, Departures> departures;    // by cause
};

void count(Counts& counts, const Verdict& verdict) {
  switch (verdict.status) {
    case Status::differed:
    case Status::crashed:
      ++counts.different;
      fmt::print("{}\n", finding_text(verdict.finding));
      return;
    case Status::passed:
      ++counts.equal;
      if (!verdict.reason.empty()) ++counts.excused[verdict.reason];
      if (const Departure& found = verdict.departure; found.elements > 0) {
        counts.departures[found.cause] += {.cases = 1, .elements = found.elements};
      }
      return;
    case Status::mistrusted:
    case Status::skipped:
    case Status::errored:
    case Status::starved: ++counts.unverified[verdict.reason];
  }
}

}  // namespace

int check_file(const std::string& file, LibTorch& reference, Subject* subject, const Rules& rules) {
  constexpr double kHang = 60;  // seconds, of the reference
  std::ifstream in(file);
  if (!in) {
    fmt::print(stderr, "tieout check: --file: {} cannot be read\n", file);
    return kBadUsage;
  }
  Counts counts;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    std::string_view text = line;
    if (constexpr std::string_view kKind = "equal "; text.starts_with(kKind)) text.remove_prefix(kKind.size());
    auto c = parse(text);
    if (!c) {
      fmt::print(stderr, "tieout check: --file: {}:{}: {}\n", file, number, c.error().text());
      return kBadUsage;
    }
    if (subject != nullptr) {
      if (c->execution.engine != Engine::fbgemm) continue;
      c->execution = {};
    }
    count(counts, verify_alone(*c, reference, kHang, subject, rules));
  }
  fmt::print("{} cases equal, {} differ\n", counts.equal, counts.different);
  for (const auto& [why, times] : counts.excused) fmt::print("  counted as equal: {} {}\n", times, why);
  for (const auto& [cause, found] : counts.departures) {
    fmt::print("  equal, not exact: {} cases, {} elements: {}\n", found.cases, found.elements, cause);
  }
  for (const auto& [why, times] : counts.unverified) fmt::print("  not verified: {} {}\n", times, why);
  if (counts.different > 0) return kDifferent;
  return counts.equal > 0 ? kEqual : kNotVerified;
}

}  // namespace tieout
