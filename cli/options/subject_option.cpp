#include "cli/options/subject_option.h"

#include <fmt/core.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cases/strings/printable.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/duration.h"
#include "cli/common/errors.h"
#include "cli/options/libtorch_subject.h"
#include "kernels/host/open_subject.h"
#include "kernels/subject/subject_digest.h"
#include "props/process/forked_task.h"
#include "props/verify/engine_subject.h"
#include "props/verify/hypothesis_subject.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

tl::expected<std::unique_ptr<Subject>, SubjectError> open_by_text(const std::string& text) {
  if (text.starts_with(kHypothesisPrefix)) return hypothesis_subject(text);
  if (text.starts_with(kEnginePrefix)) return engine_subject(text);
  if (text.starts_with(kLibTorchPrefix)) return libtorch_subject(text);
  return open_subject(text);
}

// Returns true if both texts name the same implementation: they are equal, or the files that they name have the same
// contents.
bool are_same(const std::string& a, const std::string& b) {
  if (a == b) return true;
  return !subject_files(a).empty() && !subject_files(b).empty() && subject_digest(a) == subject_digest(b);
}

}  // namespace

void add_subject_options(Command& command, SubjectArguments& arguments) {
  command.option(
      "--subject", &arguments.text,
      "Kernel to verify: a shared library that exports what tieout_kernel.h declares; 'command:LINE', a program that "
      "speaks docs/process_protocol.md; hypothesis:NAME, an arithmetic of `tieout explain --help`; engine:NAME, an "
      "engine "
      "of LibTorch; or libtorch:DIR, the LibTorch in a folder, of any version",
      {.is_path = true});
  command.option("--reference", &arguments.reference,
                 "Implementation that gives the expected values, named as a subject is (default: LibTorch, and the "
                 "engine that the case names). libtorch:DIR without a subject: it is compared with LibTorch",
                 {.is_path = true});
  add_patience(command, arguments.patience, Rules{}.seconds);
  command.option(
      "--strict", &arguments.strict,
      "Accept only LibTorch's own values, even where its code departs from its contract; not with --reference");
}

void add_subject_file(CallFiles& files, const std::string& text, const std::string& option) {
  std::error_code error;
  if (std::filesystem::is_regular_file(text, error)) files.add_input(option, text);
}

void add_subject_files(CallFiles& files, const SubjectArguments& arguments) {
  add_subject_file(files, arguments.text);
  add_subject_file(files, arguments.reference, "--reference");
}

void add_patience(Command& command, std::optional<double>& patience, double standard, const std::string& option) {
  command.option(option, &patience,
                 fmt::format("Timeout of the subject's answer, and of its start, seconds (default {} and {})", standard,
                             Subject::kSecondsToLoad),
                 {.check = seconds_check(), .type = "SECONDS"});
}

tl::expected<std::unique_ptr<Subject>, int> open_named(const std::string& text, std::string_view command,
                                                       std::optional<double> patience, std::string_view option) {
  const auto refuse = [&](std::string_view why, int status = kBadUsage) {
    fmt::print(stderr, "tieout {}: {}: {}\n", command, option, printable_lines(why));
    return tl::unexpected(status);
  };
  auto subject = open_by_text(text);
  if (!subject) return refuse(subject.error().message);
  const auto loaded = (*subject)->load(patience.value_or(Subject::kSecondsToLoad));
  (*subject)->stop();
  if (!loaded && loaded.error().kind == SubjectError::Kind::no_resources)
    return refuse(loaded.error().message, kNotVerified);
  if (!loaded) return refuse(loaded.error().message);
  return std::move(*subject);
}

tl::expected<Compared, int> open_compared(SubjectArguments& arguments, std::string_view command, Waiting waiting) {
  const auto refuse = [&](int status, const std::string& why) {
    return tl::unexpected(fail_command(command, status, why));
  };
  const std::string& named = arguments.reference;
  if (named.starts_with(kLibTorchPrefix) && arguments.text.empty()) arguments.text = kLibTorchPrefix;
  if (!named.empty() && arguments.text.empty()) {
    return refuse(kBadUsage, "--reference: needs a subject to compare with it: name one by --subject");
  }
  if (!named.empty() && arguments.strict) {
    return refuse(
        kBadUsage,
        "--strict: concerns departures of LibTorch's code only, and with --reference every difference counts: "
        "leave one of the two options out");
  }
  std::unique_ptr<Subject> subject;
  if (!arguments.text.empty()) {
    auto opened = open_named(arguments.text, command, arguments.patience);
    if (!opened) return tl::unexpected(opened.error());
    subject = std::move(*opened);
    if (arguments.text == kLibTorchPrefix) arguments.text = subject->text();
  }
  if (named.empty()) {
    const auto loaded = load_libtorch(command, waiting);
    if (!loaded) return tl::unexpected(loaded.error());
    return Compared{.subject = std::move(subject), .other = nullptr, .reference = **loaded};
  }
  auto other = open_named(named, command, arguments.patience, "--reference");
  if (!other) return tl::unexpected(other.error());
  if (are_same(named, arguments.text)) {
    fmt::print(stderr,
               "--reference and --subject are the same: only answers that depend on memory, time or other problems can "
               "differ\n");
  }
  const Reference reference(**other);
  return Compared{.subject = std::move(subject), .other = std::move(*other), .reference = reference};
}

LayerAnswer run_subject_alone(Subject& subject, const ConvProblem& problem, double seconds) {
  if (subject.isolation() != Isolation::none) {
    auto y = subject.run(problem, {.seconds = seconds});
    if (y) return std::move(*y);
    const SubjectError::Kind kind = y.error().kind;
    if (kind == SubjectError::Kind::absent || kind == SubjectError::Kind::no_resources)
      return tl::unexpected(std::string(kNotAsked) + y.error().message);
    if (has_ended(y)) return tl::unexpected("died: " + y.error().message);
    const bool declined = kind == SubjectError::Kind::declined;
    return tl::unexpected(std::string(declined ? kDeclined : "failed: ") + y.error().message);
  }
  const auto bytes = run_alone(
      [&] {
        const auto y = subject.run(problem, {.seconds = seconds});
        if (y) return "+" + std::string(reinterpret_cast<const char*>(y->values.data()), 4 * y->values.size());
        const bool declined = y.error().kind == SubjectError::Kind::declined;
        return "-" + std::string(declined ? kDeclined : "failed: ") + y.error().message;
      },
      seconds);
  if (!bytes) return tl::unexpected("died: " + bytes.error().text());
  if (bytes->front() == '-') return tl::unexpected(bytes->substr(1));
  Answers answers{output_shape(problem.spec), std::vector<std::int32_t>((bytes->size() - 1) / 4)};
  std::memcpy(answers.values.data(), bytes->data() + 1, 4 * answers.values.size());
  return answers;
}

std::string words_of(const SubjectArguments& arguments) {
  if (arguments.text.empty()) return {};
  std::string words = " --subject " + shell_word(arguments.text);
  if (!arguments.reference.empty()) words += " --reference " + shell_word(arguments.reference);
  if (arguments.strict) words += " --strict";
  if (arguments.patience) words += fmt::format(" --patience {}", *arguments.patience);
  return words;
}

}  // namespace tieout
