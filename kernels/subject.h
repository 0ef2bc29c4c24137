#pragma once
// A subject: somebody's int8 convolution, compared with the reference. A shared library that exports what
// tieout_kernel.h declares, or a process that is spoken to over its standard input and output (docs/process_protocol.md).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "cases/conv_case.h"
#include "kernels/tieout_kernel.h"

namespace tieout {

// Why a subject gave no answer, or none that counts.
struct SubjectError {
  enum class Kind {
    declined,    // it does not know such problems, as it may
    absent,      // there is no such library or program, or it is not a kernel
    misbehaved,  // it touched what is not its own, threw, or answered with something else than an output
    died,        // its process ended; a kernel that is linked here takes the caller's process with it instead
    hung,        // its process did not answer in time; likewise
    starved,     // the machine refused memory, a file descriptor or a process to start it with
  } kind;
  std::string message;

  bool operator==(const SubjectError&) const = default;
};

// What may change from one call to the next without changing the answer.
struct Conditions {
  // Every buffer ends at an unmapped page, or begins behind one and is aligned to it.
  enum class Placement { at_end, at_begin } placement = Placement::at_end;
  std::uint8_t output_fill = 0xA5;  // what the output holds before
  std::uint8_t memory_fill = 0xC3;  // what fresh memory holds, on the stack and from malloc
  enum class Caller { this_thread, new_thread } caller = Caller::this_thread;
  double seconds = 20;  // limit of the answer; for a kernel that is linked here there is none

  bool operator==(const Conditions&) const = default;
};

// Where a subject's code runs.
enum class Isolation {
  none,     // in the caller's process, so that its crash is the caller's: a kernel that is linked here
  library,  // a shared library, in a process of its own, which is started within milliseconds
  program,  // a program that speaks the process protocol, which may take long to start
};

// What a subject answers: its output, or why there is none.
using SubjectAnswer = tl::expected<Tensor<std::uint8_t>, SubjectError>;

// True if the subject has no process that could answer further problems.
[[nodiscard]] inline bool has_ended(const SubjectAnswer& answer) {
  return !answer && answer.error().kind != SubjectError::Kind::declined &&
         answer.error().kind != SubjectError::Kind::misbehaved;
}

struct SubjectCall {
  const ConvProblem& problem;
  Conditions conditions;
};

class Subject {
 public:
  virtual ~Subject() = default;

  // Returns the name that reports show. Once it is loaded: the name that the kernel gives itself, if it does.
  [[nodiscard]] virtual std::string name() const = 0;

  // The text that opens it: what --subject takes, and what a replay needs.
  [[nodiscard]] virtual std::string text() const = 0;

  [[nodiscard]] virtual Isolation isolation() const = 0;

  // Ends the subject's own process, if it has one, and all that it started. The next run() starts another one, in which nothing
  // is left of earlier problems.
  virtual void stop() {}

  // Returns the problems that the subject says it takes, in the words of --where. Empty: it is not loaded, or says nothing.
  [[nodiscard]] virtual std::string domain() const { return {}; }

  // Loads or starts it now; run() does so by itself. seconds: limit for that; where run() starts it anew, 20 s or more.
  // Error: absent or starved.
  [[nodiscard]] virtual tl::expected<void, SubjectError> load(double seconds) = 0;
  [[nodiscard]] tl::expected<void, SubjectError> load() { return load(kSecondsToLoad); }
  static constexpr double kSecondsToLoad = 20;

  // Calls it several times, in order. Returns the answers; the last one is the first after which it has ended, if one is. A subject in
  // another process is sent all problems at once, which saves waiting for it after each.
  [[nodiscard]] virtual std::vector<SubjectAnswer> run_all(std::span<const SubjectCall> calls);

  // problem: valid, with contents. The output in NCHW order, whatever layout the kernel works in.
  [[nodiscard]] virtual SubjectAnswer run(const ConvProblem& problem, const Conditions& conditions) = 0;

  [[nodiscard]] SubjectAnswer run(const ConvProblem& problem) { return run(problem, Conditions{}); }
};

// Returns the subject that the text names: the path of a shared library, or "command:" and a command line for the shell.
// Nothing of it runs before load() or run(), and then in a process of its own, which belongs to the process that called:
// after a fork, the child starts another one. Error: absent.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, SubjectError> open_subject(std::string_view text);

// A kernel that is linked here. info may be nullptr.
using KernelFunction = const char* (*)(const tieout_conv*);
[[nodiscard]] std::unique_ptr<Subject> linked_subject(std::string name, KernelFunction kernel,
                                                      const tieout_kernel_info* info);

}  // namespace tieout
