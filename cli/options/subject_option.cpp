#include "cli/options/subject_option.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cases/strings/printable.h"
#include "cli/common/command_line.h"
#include "cli/common/commands.h"
#include "cli/common/duration.h"
#include "kernels/host/open_subject.h"
#include "props/process/forked_task.h"
#include "props/verify/engine_subject.h"
#include "props/verify/hypothesis_subject.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

tl::expected<std::unique_ptr<Subject>, SubjectError> open_by_text(const std::string& text) {
  if (text.starts_with(kHypothesisPrefix)) return hypothesis_subject(text);
  if (text.starts_with(kEnginePrefix)) return engine_subject(text);
  return open_subject(text);
}

}  // namespace

void add_subject_options(CLI::App& command, SubjectArguments& arguments) {
  command.add_option(
      "--subject", arguments.text,
      "Kernel to verify against LibTorch: a shared library that exports what tieout_kernel.h declares; 'command:LINE', "
      "a program that speaks docs/process_protocol.md; hypothesis:NAME, an arithmetic of `tieout explain --help`; or "
      "engine:NAME, an engine of LibTorch");
  add_patience(command, arguments.patience, Rules{}.seconds);
  command.add_flag("--strict", arguments.strict,
                   "Accept only LibTorch's own values, even where its code departs from its contract");
}

void add_subject_file(CallFiles& files, const std::string& text) {
  std::error_code error;
  if (std::filesystem::is_regular_file(text, error)) files.add_input("--subject", text);
}

void add_patience(CLI::App& command, std::optional<double>& patience, double standard, const std::string& option) {
  command
      .add_option(option, patience,
                  fmt::format("Timeout of the subject's answer, and of its start, seconds (default {} and {})",
                              standard, Subject::kSecondsToLoad))
      ->type_name("SECONDS")
      ->check(seconds_check());
}

tl::expected<std::unique_ptr<Subject>, int> open_named(const std::string& text, std::string_view command,
                                                       std::optional<double> patience) {
  const auto refuse = [&](std::string_view why, int status = kBadUsage) {
    fmt::print(stderr, "tieout {}: --subject: {}\n", command, printable_lines(why));
    return tl::unexpected(status);
  };
  auto subject = open_by_text(text);
  if (!subject) return refuse(subject.error().message);
  const auto loaded = (*subject)->load(patience.value_or(Subject::kSecondsToLoad));
  (*subject)->stop();
  if (!loaded && loaded.error().kind == SubjectError::Kind::starved)
    return refuse(loaded.error().message, kNotVerified);
  if (!loaded) return refuse(loaded.error().message);
  return std::move(*subject);
}

tl::expected<std::unique_ptr<Subject>, int> open_optional(const SubjectArguments& arguments, std::string_view command) {
  if (arguments.text.empty()) return nullptr;
  return open_named(arguments.text, command, arguments.patience);
}

LayerAnswer answer_alone(Subject& subject, const ConvProblem& problem, double seconds) {
  if (subject.isolation() != Isolation::none) {
    auto y = subject.run(problem, {.seconds = seconds});
    if (y) return std::move(*y);
    const SubjectError::Kind kind = y.error().kind;
    if (kind == SubjectError::Kind::absent || kind == SubjectError::Kind::starved)
      return tl::unexpected(std::string(kNotAsked) + y.error().message);
    if (has_ended(y)) return tl::unexpected("died: " + y.error().message);
    const bool declined = kind == SubjectError::Kind::declined;
    return tl::unexpected(std::string(declined ? kDeclined : "failed: ") + y.error().message);
  }
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
  if (arguments.patience) words += fmt::format(" --patience {}", *arguments.patience);
  return words;
}

}  // namespace tieout
