#pragma once
// Defines a subject: int8 convolutions or other quantized operators under test, which are compared with the reference.
// It is a shared library that exports the functions of tieout_kernel.h and tieout_operator.h, or a program that uses
// the process protocol over its standard input and output (docs/process_protocol.md).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "cases/conv_case.h"
#include "cases/operators/operator_case.h"
#include "kernels/subject/kernel_types.h"
#include "kernels/tieout_kernel.h"
#include "kernels/tieout_operator.h"

namespace tieout {

// The reason why a subject gave no answer, or none that can be compared.
struct SubjectError {
  enum class Kind {
    declined,      // it does not support the problem, which is allowed
    absent,        // the library or program does not exist, or is no kernel
    misbehaved,    // it wrote where it must not, threw, changed floating-point modes, or answered no output
    died,          // its process ended; the crash of a linked kernel ends the caller's process instead
    hung,          // its process did not answer in time; a linked kernel that hangs blocks the caller instead
    no_resources,  // the system refused memory, a file descriptor or a process to start it
  } kind;
  std::string message;

  bool operator==(const SubjectError&) const = default;
};

[[nodiscard]] inline tl::unexpected<SubjectError> subject_error(SubjectError::Kind kind, std::string message) {
  return tl::unexpected(SubjectError{kind, std::move(message)});
}

// Begins the text of a subject that is a program, before its command line.
inline constexpr std::string_view kCommandPrefix = "command:";

// Stands for the reason of a subject that declines without one.
inline constexpr const char* kNoReason = "it gives no reason";

// Conditions of a call that must not change the answer.
struct Conditions {
  // Every buffer ends at an unmapped page, or begins behind one and is aligned to the page.
  enum class Placement { at_end, at_begin } placement = Placement::at_end;
  std::uint8_t output_fill = 0xA5;  // value of every output byte before the call
  std::uint8_t memory_fill = 0xC3;  // value of every byte of fresh memory, on the stack and from malloc
  enum class Caller { this_thread, new_thread } caller = Caller::this_thread;
  double seconds = 20;  // timeout of the answer; a linked kernel has none

  bool operator==(const Conditions&) const = default;
};

// Where the code of a subject runs.
enum class Isolation {
  none,     // in the caller's process, which its crash ends: a kernel that is linked here
  library,  // in a process of its own that is started within milliseconds: a shared library
  program,  // in a process of its own that may take long to start: a program that uses the process protocol
};

// The answer of a subject: its output, or the reason why there is none. Floats are held as their bits.
using SubjectAnswer = tl::expected<Answers, SubjectError>;

// Returns true if the subject has no process left that could answer further problems.
[[nodiscard]] inline bool has_ended(const SubjectAnswer& answer) {
  return !answer && answer.error().kind != SubjectError::Kind::declined &&
         answer.error().kind != SubjectError::Kind::misbehaved;
}

// One call of a subject. The problem must outlive it.
struct SubjectCall {
  SubjectCall(const ConvProblem& conv, const Conditions& with) : problem(&conv), conditions(with) {}
  SubjectCall(const OperatorCase& of_operator, const Conditions& with) : problem(&of_operator), conditions(with) {}

  std::variant<const ConvProblem*, const OperatorCase*> problem;
  Conditions conditions;
};

// What a subject computes.
struct SubjectScope {
  bool convolutions = true;
  bool operators = false;  // operators other than convolutions: cases/operators/
  // The names of the operators that it declares to take; empty: it declares none.
  std::vector<std::string> declared = {};

  bool operator==(const SubjectScope&) const = default;
};

// The reasons for which a subject declines what is not in its scope, unless it has a reason of its own.
inline constexpr const char* kNoOperators = "operators other than convolutions";
inline constexpr const char* kNoConvolutions = "convolutions";

class Subject {
 public:
  virtual ~Subject() = default;

  // Returns the name that reports show: once it is loaded, the name that the kernel declares, if any.
  [[nodiscard]] virtual std::string name() const = 0;

  // Returns the text that opens the subject: the argument of --subject, and what a replay needs.
  [[nodiscard]] virtual std::string text() const = 0;

  [[nodiscard]] virtual Isolation isolation() const = 0;

  // Ends the subject's own process, if it has one, and all processes that it started. The next run() starts a new one
  // without any state of earlier problems.
  virtual void stop() {}

  // Returns the problems that the subject declares to support, in the words of --where. Empty: it is not loaded, or
  // declares none.
  [[nodiscard]] virtual std::string domain() const { return {}; }

  // Returns the types that the subject declares to take and return; the default ones before it is loaded.
  [[nodiscard]] virtual KernelTypes types() const { return {}; }

  // Returns what the subject computes; convolutions before it is loaded.
  [[nodiscard]] virtual SubjectScope scope() const { return {}; }

  // Returns what the answers depend on apart from the subject's files, such as "LibTorch 2.15.0, avx512_vnni"; empty:
  // nothing that is known.
  [[nodiscard]] virtual std::string version() const { return {}; }

  // Returns true if the subject computes by the engine, the instruction set, the threads and the memory format that a
  // case names, as LibTorch does. Kernels do not read these.
  [[nodiscard]] virtual bool reads_execution() const { return false; }

  // Returns which file of the subject has changed since the subject was opened, and what to do; empty if none has. Both
  // versions may have produced answers since then.
  [[nodiscard]] virtual std::string change() const { return {}; }

  // Loads or starts the subject; run() also does so where needed. seconds: timeout for that; where run() starts the
  // subject again, it is at least 20 s. Error: absent or no_resources.
  [[nodiscard]] virtual tl::expected<void, SubjectError> load(double seconds) = 0;
  [[nodiscard]] tl::expected<void, SubjectError> load() { return load(kSecondsToLoad); }
  static constexpr double kSecondsToLoad = 20;

  // Calls the subject for several problems in order. Returns the answers, up to and including the first after which the
  // subject has ended. A hosted library is sent as many problems at once as its pipe holds, which saves waiting for it
  // after each.
  [[nodiscard]] virtual std::vector<SubjectAnswer> run_all(std::span<const SubjectCall> calls);

  // Returns the output in NCHW order, whatever layout the kernel uses, or the error. problem: valid, with contents.
  [[nodiscard]] virtual SubjectAnswer run(const ConvProblem& problem, const Conditions& conditions) = 0;

  [[nodiscard]] SubjectAnswer run(const ConvProblem& problem) { return run(problem, Conditions{}); }

  // Returns the output of another operator in row-major order, or the error. c: valid, with contents. Subjects whose
  // scope has no operators decline.
  [[nodiscard]] virtual SubjectAnswer run_operator(const OperatorCase& c, const Conditions& conditions);

  [[nodiscard]] SubjectAnswer run_operator(const OperatorCase& c) { return run_operator(c, Conditions{}); }
};

// Calls the function that the kind of problem needs.
[[nodiscard]] inline SubjectAnswer run_on(Subject& subject, const ConvProblem& problem, const Conditions& conditions) {
  return subject.run(problem, conditions);
}
[[nodiscard]] inline SubjectAnswer run_on(Subject& subject, const OperatorCase& c, const Conditions& conditions) {
  return subject.run_operator(c, conditions);
}

// Return a subject for a kernel that is linked into this program: of convolutions, or of other operators. info: as
// tieout_describe() returns it, or nullptr.
using KernelFunction = const char* (*)(const tieout_conv*);
using OperatorFunction = const char* (*)(const tieout_operator*);
[[nodiscard]] std::unique_ptr<Subject> linked_subject(std::string name, KernelFunction kernel,
                                                      const tieout_kernel_info* info);
[[nodiscard]] std::unique_ptr<Subject> linked_operator_subject(std::string name, OperatorFunction kernel,
                                                               const tieout_kernel_info* info);

}  // namespace tieout
