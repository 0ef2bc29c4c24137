#pragma once
// --subject, --strict and --patience, as every subcommand that verifies takes them.

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
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
  std::optional<double> patience;  // seconds

  [[nodiscard]] Rules rules() const {
    return {strict ? Strictness::libtorch : Strictness::contract, patience.value_or(Rules{}.seconds)};
  }
};

// Adds --patience: the limit of an answer, and of loading. standard: the limit of an answer where it is not given,
// seconds.
void add_patience(CLI::App& command, std::optional<double>& patience, double standard,
                  const std::string& option = "--patience");

void add_subject_options(CLI::App& command, SubjectArguments& arguments);

// The options again, as a command line has them: "" or " --subject './libmine.so' --strict".
[[nodiscard]] std::string words_of(const SubjectArguments& arguments);

// Adds the file that a --subject names, if it names one, to what the call reads.
void add_subject_file(CallFiles& files, const std::string& text);

// Opens the subject and loads it, in a process of its own, which has ended when this returns: its name and domain are
// known then. patience: limit for loading, seconds; none: Subject's. Error: the exit status, after saying why.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, int> open_named(const std::string& text, std::string_view command,
                                                                     std::optional<double> patience);

// Likewise; nullptr where none was named.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, int> open_optional(const SubjectArguments& arguments,
                                                                        std::string_view command);

// The subject's answer, computed in a process of its own; or why there is none.
[[nodiscard]] LayerAnswer answer_alone(Subject& subject, const ConvProblem& problem, double seconds);

}  // namespace tieout
