#pragma once
// --subject, --strict and --patience, as every subcommand that verifies takes them.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cli/call_files.h"
#include "kernels/subject.h"
#include "props/layer_verify.h"
#include "props/verify.h"

namespace tieout {

struct SubjectArguments {
  std::string text;  // empty: none
  bool strict = false;

  double seconds = Rules{}.seconds;

  [[nodiscard]] Rules rules() const { return {strict ? Strictness::libtorch : Strictness::contract, seconds}; }
};

void add_subject_options(CLI::App& command, SubjectArguments& arguments);

// The options again, as a command line has them: "" or " --subject './libmine.so' --strict".
[[nodiscard]] std::string words_of(const SubjectArguments& arguments);

// Adds the file that a --subject names, if it names one, to what the call reads.
void add_subject_file(CallFiles& files, const std::string& text);

// What open_subject() and its load() say, the latter in a process of its own: nothing of the subject runs in this one. Error:
// the exit status, after saying why.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, int> open_named(const std::string& text, std::string_view command);

// Likewise; nullptr where none was named.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, int> open_optional(const SubjectArguments& arguments,
                                                                        std::string_view command);

// The subject's answer, computed in a process of its own; or why there is none.
[[nodiscard]] LayerAnswer answer_alone(Subject& subject, const ConvProblem& problem, double seconds);

}  // namespace tieout
