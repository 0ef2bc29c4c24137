#include "cli/check/check_file.h"

#include <fmt/core.h>

#include <cstdio>
#include <string_view>
#include <utility>
#include <variant>

#include "cases/operators/any_case.h"
#include "cli/common/commands.h"
#include "cli/common/line_reader.h"
#include "cli/common/run_text.h"
#include "cli/common/terminal.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Returns the text of the case in a line; empty if there is none.
std::string_view case_of(std::string_view line) {
  std::string_view text = trimmed(line.substr(0, line.find('#')));
  if (constexpr std::string_view kKind = "equal "; text.starts_with(kKind)) text.remove_prefix(kKind.size());
  return trimmed(text);
}

// Verifies the case of a line and prints its finding. Error: the exit status and the reason why reading cannot
// continue.
tl::expected<void, std::pair<int, std::string>> check_line(std::string_view text, const Domain& domain,
                                                           GivenCases& cases, FileEnd& end) {
  const auto c = parse_any_case(text);
  if (!c) return tl::unexpected(std::pair{int{kBadUsage}, c.error().text()});
  const auto* const conv = std::get_if<ConvCase>(&*c);
  if (conv == nullptr ? !domain.is_everything() : !domain.contains(*conv)) {
    ++end.outside;
    return {};
  }
  if (const auto cost = check_cost(*c); !cost) return tl::unexpected(std::pair{int{kBadUsage}, cost.error().text()});
  const auto verdict = cases.verify(*c);
  if (!verdict) return tl::unexpected(std::pair{int{kNotVerified}, verdict.error()});
  if (verdict->status == Status::differed || verdict->status == Status::crashed) {
    print_finding(verdict->finding);
    print_text("\n");
  }
  return {};
}

}  // namespace

FileEnd check_file(const std::string& file, const Domain& domain, GivenCases& cases) {
  FileEnd end;
  const auto stop = [&](int status, std::int64_t line, const std::string& why) {
    end.status = status;
    fmt::print(stderr, "tieout check: --file: {}{}: {}; {} verified before it\n", file,
               line == 0 ? std::string() : fmt::format(":{}", line), why,
               counted(cases.run().cases.verified(), "case"));
    return end;
  };
  auto reader = LineReader::open(file, [&] {
    fmt::print(stderr, "tieout check: --file: {} is a pipe to which nothing has been written yet: waiting for it\n",
               file);
  });
  if (!reader) return stop(kBadUsage, 0, reader.error().message + "; name a file of cases, one a line");
  while (true) {
    const auto read = reader->next();
    if (!read) {
      const bool bad_input = read.error().kind == LineError::Kind::too_long || end.lines == 0;
      const std::string advice = end.lines == 0 && bad_input ? "; name a file of cases, one a line" : "";
      return stop(bad_input ? kBadUsage : kNotVerified, end.lines == 0 ? 0 : end.lines + 1,
                  read.error().message + advice);
    }
    const std::optional<std::string>& line = *read;
    if (!line) return end;
    ++end.lines;
    const std::string_view text = case_of(*line);
    if (text.empty()) {
      ++end.without_case;
      continue;
    }
    if (const auto checked = check_line(text, domain, cases, end); !checked) {
      return stop(checked.error().first, end.lines, checked.error().second);
    }
  }
}

void print_counts(const FileEnd& end, const RunSummary& run) {
  const CaseCounts& cases = run.cases;
  const std::int64_t differ = cases.differed + cases.crashed;
  print_colored(differ > 0         ? Color::red
                : cases.passed > 0 ? Color::green
                                   : Color::yellow,
                fmt::format("{} equal, {} differ", counted(cases.passed, "case"), grouped(differ)));
  const std::int64_t unverified = cases.all() - cases.verified() - cases.crashed;
  if (unverified > 0) print_text(fmt::format(", {} not verified", grouped(unverified)));
  print_text(fmt::format("; {} compared\n", counted(run.elements(), "element")));
  print_text(fmt::format("  {}, {} without a case\n", counted(end.lines, "line"), grouped(end.without_case)));
  if (end.outside > 0) print_text(fmt::format("  {} outside of the domain\n", counted(end.outside, "case")));
  print_departures_and_reasons(run);
}

}  // namespace tieout
