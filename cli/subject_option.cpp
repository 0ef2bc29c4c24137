#include "cli/subject_option.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/duration.h"
#include "props/hypothesis_subject.h"
#include "props/isolated.h"
#include "reports/finding_text.h"

namespace tieout {

void add_subject_options(CLI::App& command, SubjectArguments& arguments) {
  command.add_option(
      "--subject", arguments.text,
      "Kernel to verify against LibTorch: a shared library that exports what tieout_kernel.h declares; 'command:LINE', "
      "a "
      "program that speaks docs/process_protocol.md; or hypothesis:NAME, an arithmetic of `tieout explain --help`");
  command
      .add_option("--patience", arguments.seconds, "Seconds that the subject may take for an answer: more is a hang")
      ->check(seconds_check())
      ->capture_default_str();
  command.add_flag("--strict", arguments.strict,
                   "Only LibTorch's own values count as right, also where its code departs from its contract");
}

void add_subject_file(CallFiles& files, const std::string& text) {
  std::error_code error;
  if (std::filesystem::is_regular_file(text, error)) files.add_input("--subject", text);
}

tl::expected<std::unique_ptr<Subject>, int> open_named(const std::string& text, std::string_view command) {
  constexpr double kPatience = 60;  // seconds, until it is loaded
  const auto refuse = [&](std::string_view why) {
    fmt::print(stderr, "tieout {}: --subject: {}\n", command, why);
    return tl::unexpected(int{kBadUsage});
  };
  auto subject = text.starts_with(kHypothesisPrefix) ? hypothesis_subject(text) : open_subject(text);
  if (!subject) return refuse(subject.error().message);
  const auto loaded = run_alone(
      [&] {
        const auto result = (*subject)->load();
        return result ? std::string() : result.error().message;
      },
      kPatience);
  if (!loaded) return refuse(text + " ends the process that loads it: " + loaded.error().text());
  if (!loaded->empty()) return refuse(*loaded);
  return std::move(*subject);
}

tl::expected<std::unique_ptr<Subject>, int> open_optional(const SubjectArguments& arguments, std::string_view command) {
  if (arguments.text.empty()) return nullptr;
  return open_named(arguments.text, command);
}

LayerAnswer answer_alone(Subject& subject, const ConvProblem& problem, double seconds) {
  const auto bytes = run_alone(
      [&] {
        const auto y = subject.run(problem, {.seconds = seconds});
        if (y) return "+" + std::string(y->values.begin(), y->values.end());
        const bool declined = y.error().kind == SubjectError::Kind::declined;
        return "-" + std::string(declined ? kDeclined : "failed: ") + y.error().message;
      },
      seconds);
  if (!bytes) return tl::unexpected("died: " + bytes.error().text());
  if (bytes->front() == '-') return tl::unexpected(bytes->substr(1));
  return Tensor<std::uint8_t>{output_shape(problem.spec), {bytes->begin() + 1, bytes->end()}};
}

std::string words_of(const SubjectArguments& arguments) {
  if (arguments.text.empty()) return {};
  std::string words = " --subject " + shell_word(arguments.text) + (arguments.strict ? " --strict" : "");
  if (arguments.seconds != Rules{}.seconds) words += fmt::format(" --patience {}", arguments.seconds);
  return words;
}

}  // namespace tieout
