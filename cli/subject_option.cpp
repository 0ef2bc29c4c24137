#include "cli/subject_option.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.h"
#include "props/isolated.h"
#include "reports/finding_text.h"

namespace tieout {

void add_subject_options(CLI::App& command, SubjectArguments& arguments) {
  command.add_option(
      "--subject", arguments.text,
      "Your kernel, verified against LibTorch: a shared library that exports what tieout_kernel.h says, or "
      "'command:LINE', a program that speaks docs/process_protocol.md");
  command
      .add_option("--patience", arguments.seconds, "Seconds that the subject may take for an answer: more is a hang")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_flag("--strict", arguments.strict,
                   "Only LibTorch's own values count as right, also where its code departs from its contract");
}

tl::expected<std::unique_ptr<Subject>, int> open_named(const std::string& text, std::string_view command) {
  constexpr double kPatience = 60;  // seconds, until it is loaded
  const auto refuse = [&](std::string_view why) {
    fmt::print(stderr, "tieout {}: --subject: {}\n", command, why);
    return tl::unexpected(int{kBadUsage});
  };
  auto subject = open_subject(text);
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

std::string words_of(const SubjectArguments& arguments) {
  if (arguments.text.empty()) return {};
  std::string words = " --subject " + shell_word(arguments.text) + (arguments.strict ? " --strict" : "");
  if (arguments.seconds != Rules{}.seconds) words += fmt::format(" --patience {}", arguments.seconds);
  return words;
}

}  // namespace tieout
