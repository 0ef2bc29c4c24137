#include "cli/sinks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "cli/output_file.h"
#include "reports/baseline.h"
#include "reports/finding_text.h"
#include "reports/github_annotations.h"
#include "reports/html.h"
#include "reports/json.h"
#include "reports/junit.h"
#include "reports/markdown.h"

namespace tieout {
namespace {

struct Format {
  const char* option;
  const char* what;
  std::string Sinks::* file;
  std::string (*text)(const Report&);
};

constexpr std::array kFormats{
    Format{"--html", "Report to look at, one file", &Sinks::html, [](const Report& report) { return html(report); }},
    Format{"--markdown", "Report for a job summary or an issue", &Sinks::markdown,
           [](const Report& report) { return markdown(report); }},
    Format{"--text", "Every finding as the experiment prints a difference", &Sinks::text,
           [](const Report& report) { return findings_text(report); }},
    Format{"--json", "Report for programs (reports/report.schema.json)", &Sinks::json,
           [](const Report& report) { return json(report); }},
    Format{"--junit", "Report that CI systems show as tests", &Sinks::junit,
           [](const Report& report) { return junit(report); }},
};

// Tried, and not asked: to root everything seems to be allowed.
bool can_be_written(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) return false;
  return write_file(file.string() + ".probe", "").has_value() &&
         std::filesystem::remove(file.string() + ".probe", error);
}

// Does the work for one option and adds what went wrong to `errors`. An exception, such as memory that is used up, ends
// this output only: the others are written all the same.
void note_failure(std::string& errors, const char* option,
                  const std::function<tl::expected<void, std::string>()>& work) {
  tl::expected<void, std::string> done;
  try {
    done = work();
  } catch (const std::exception& error) {
    done = tl::unexpected(std::string("cannot be written: ") + error.what());
  }
  if (!done) errors += (errors.empty() ? "" : "\n") + std::string(option) + ": " + done.error();
}

}  // namespace

void add_sinks(CLI::App& command, Sinks& sinks) {
  for (const Format& format : kFormats) {
    command.add_option(format.option, sinks.*format.file, std::string(format.what) + "; -: standard output")
        ->type_name("FILE")
        ->group("Reports");
  }
  command.add_option("--baseline", sinks.baseline, "Known findings, which do not count as new (docs/reports.md)")
      ->type_name("FILE")
      ->group("Reports");
  command.add_flag("--github", sinks.github, "Annotations for GitHub Actions on standard output")->group("Reports");
}

tl::expected<std::vector<KnownFinding>, std::string> prepare(const Sinks& sinks) {
  for (const Format& format : kFormats) {
    const std::string& file = sinks.*format.file;
    const auto same = std::ranges::count_if(kFormats, [&](const Format& f) { return sinks.*f.file == file; });
    if (!file.empty() && same > 1) {
      return tl::unexpected(
          fmt::format("{}: {} is the place of another report, too; name another", format.option, file));
    }
    if (!file.empty() && file != "-" && !can_be_written(file)) {
      return tl::unexpected(fmt::format("{}: {} cannot be written; name another place", format.option, file));
    }
  }
  if (sinks.baseline.empty()) return {};
  std::ifstream file(sinks.baseline, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return tl::unexpected("--baseline: " + sinks.baseline + " cannot be read; name a file that is there");
  auto baseline = parse_baseline(text);
  if (!baseline) return tl::unexpected("--baseline: " + sinks.baseline + ": " + baseline.error());
  return baseline;
}

bool is_set(const Sinks& sinks) {
  return sinks.github || !sinks.baseline.empty() ||
         std::ranges::any_of(kFormats, [&](const Format& format) { return !(sinks.*format.file).empty(); });
}

bool on_standard_output(const Sinks& sinks) {
  return std::ranges::any_of(kFormats, [&](const Format& format) { return sinks.*format.file == "-"; });
}

tl::expected<void, std::string> write(const Sinks& sinks, const Report& report) {
  std::string errors;
  for (const Format& format : kFormats) {
    const std::string& file = sinks.*format.file;
    if (file.empty()) continue;
    note_failure(errors, format.option, [&]() -> tl::expected<void, std::string> {
      const std::string text = format.text(report);
      if (file != "-") return write_file(file, text);
      fmt::print("{}", text);
      return {};
    });
  }
  if (sinks.github) {
    note_failure(errors, "--github", [&]() -> tl::expected<void, std::string> {
      // GitHub reads both streams; a report on standard output stands there alone.
      fmt::print(on_standard_output(sinks) ? stderr : stdout, "{}", github_annotations(report));
      return {};
    });
  }
  if (!errors.empty()) return tl::unexpected(errors);
  return {};
}

}  // namespace tieout
