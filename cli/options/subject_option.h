#pragma once
// Provides the options --subject, --reference, --strict and --patience of the subcommands that verify, and opens the
// subject and the reference.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cli/common/call_files.h"
#include "kernels/subject/subject.h"
#include "props/model/layer_verify.h"
#include "props/verify/reference.h"
#include "props/verify/verify.h"

namespace tieout {

struct Command;

struct SubjectArguments {
  std::string text;       // argument of --subject; empty: LibTorch itself is verified
  std::string reference;  // argument of --reference; empty: LibTorch
  bool strict = false;
  std::optional<double> patience;  // time limit of an answer and of loading, seconds; empty: the defaults

  [[nodiscard]] Rules rules() const {
    return {strict ? Strictness::libtorch : Strictness::contract, patience.value_or(Rules{}.seconds)};
  }
};

// Adds --patience, the time limit of an answer and of loading. standard: default of the former, seconds, which the help
// shows. option: name of the option.
void add_patience(Command& command, std::optional<double>& patience, double standard,
                  const std::string& option = "--patience");

void add_subject_options(Command& command, SubjectArguments& arguments);

// Returns the options as a command line contains them: "" or " --subject ./libmine.so --reference ./libother.so".
[[nodiscard]] std::string words_of(const SubjectArguments& arguments);

// Adds the file that --subject names, if it names one, to the files that the call reads.
void add_subject_file(CallFiles& files, const std::string& text, const std::string& option = "--subject");

// Adds the files that --subject and --reference name, if they name files, to those that the call reads.
void add_subject_files(CallFiles& files, const SubjectArguments& arguments);

// Opens the subject and loads it once, so that its name and domain are available; the process in which it was loaded
// has ended when this returns. command and option: for messages. patience: time limit of loading, seconds; empty:
// Subject::kSecondsToLoad. Error: the exit status, after the reason has been printed.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, int> open_named(const std::string& text, std::string_view command,
                                                                     std::optional<double> patience,
                                                                     std::string_view option = "--subject");

// Holds what a call compares.
struct Compared {
  std::unique_ptr<Subject> subject;  // nullptr: LibTorch itself is verified
  std::unique_ptr<Subject> other;    // what `reference` refers to if it is not LibTorch
  Reference reference;
};

// Opens the subject, if the arguments name one, and the reference: LibTorch unless the arguments name another one, in
// which case LibTorch is not needed. If the reference is a LibTorch in a folder and no subject is named, the arguments
// get the LibTorch that this program opens as the subject. Prints a note if both are the same. waiting: as for
// libtorch(). Error: the exit status, after the reason has been printed.
[[nodiscard]] tl::expected<Compared, int> open_compared(SubjectArguments& arguments, std::string_view command,
                                                        Waiting waiting);

// Returns the subject's answer, computed in a process of its own, or the reason why there is none. seconds: time limit
// of the answer.
[[nodiscard]] LayerAnswer run_subject_alone(Subject& subject, const ConvProblem& problem, double seconds);

}  // namespace tieout
