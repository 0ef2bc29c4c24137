#pragma once
// A subject: somebody's int8 convolution, compared with the reference. A shared library that exports what
// tieout_kernel.h declares, or a process that is spoken to over its standard input and output (docs/process_protocol.md).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cases/conv_case.h"
#include "kernels/tieout_kernel.h"

namespace tieout {

// Why a subject gave no answer, or none that counts.
struct SubjectError {
  enum class Kind {
    declined,    // it does not know such problems, as it may
    absent,      // there is no such library or program, or it is not a kernel
    misbehaved,  // it touched what is not its own, threw, or answered with something else than an output
    died,        // its process ended; a library takes the caller's process with it instead
    hung,        // its process did not answer in time; likewise
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
  double seconds = 20;  // of a process: what a hang is

  bool operator==(const Conditions&) const = default;
};

// What a subject does to its caller's process: a library's crash is the process' own.
enum class Isolation { none, own_process };

class Subject {
 public:
  virtual ~Subject() = default;

  // Returns the name that reports show. Once it is loaded: the name that the kernel gives itself, if it does.
  [[nodiscard]] virtual std::string name() const = 0;

  // The text that opens it: what --subject takes, and what a replay needs.
  [[nodiscard]] virtual std::string text() const = 0;

  [[nodiscard]] virtual Isolation isolation() const = 0;

  // Returns the problems that the subject says it takes, in the words of --where. Empty: it is not loaded, or says nothing.
  [[nodiscard]] virtual std::string domain() const { return {}; }

  // Loads or starts it now; run() does so by itself. seconds: limit for that, then and whenever run() has to start it anew.
  // Call it only in a process that may die: code of the subject runs.
  [[nodiscard]] virtual tl::expected<void, SubjectError> load(double seconds) = 0;
  [[nodiscard]] tl::expected<void, SubjectError> load() { return load(kSecondsToLoad); }
  static constexpr double kSecondsToLoad = 20;

  // problem: valid, with contents. The output in NCHW order, whatever layout the kernel works in.
  [[nodiscard]] virtual tl::expected<Tensor<std::uint8_t>, SubjectError> run(const ConvProblem& problem,
                                                                             const Conditions& conditions) = 0;

  [[nodiscard]] tl::expected<Tensor<std::uint8_t>, SubjectError> run(const ConvProblem& problem) {
    return run(problem, Conditions{});
  }
};

// The subject that the text names: the path of a shared library, or "command:" and a command line for the shell. Nothing of
// it runs before load() or run(), and then it belongs to the process that called. Error: absent.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, SubjectError> open_subject(std::string_view text);

// A kernel that is linked here. info may be nullptr.
using KernelFunction = const char* (*)(const tieout_conv*);
[[nodiscard]] std::unique_ptr<Subject> linked_subject(std::string name, KernelFunction kernel,
                                                      const tieout_kernel_info* info);

}  // namespace tieout
