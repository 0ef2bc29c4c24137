#pragma once
// Runs a subject on one problem several times, under conditions that must not change its answer. A problem is a
// convolution or a call of another operator, with contents.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cases/conv_case.h"
#include "cases/operators/operator_case.h"
#include "kernels/subject/subject.h"

namespace tieout {

// Holds the result of a trial.
struct Trial {
  enum class Kind : std::uint8_t {
    // The answer was the same under all conditions.
    answered,
    // The answer changed with a condition that must not matter; `message` states which.
    unstable,
    // `message` holds the reason.
    declined,
    // `message` describes what it did wrong.
    misbehaved,
    // Its process died; `message` holds for example SIGSEGV.
    died,
    hung,
    absent,
    // The machine refused a resource that the subject needs to start; `message` states which.
    no_resources,
  } kind = Kind::answered;
  std::string message;
  // The outputs in row-major order; `second` is filled if unstable.
  std::vector<std::int32_t> first, second;

  bool operator==(const Trial&) const = default;
};

// Selects the other problems that the subject computes before the problem, so that state which a kernel keeps from call
// to call becomes visible in a single case.
enum class WarmUp {
  none,
  // Either other_problems, or a tiny problem and two twins (props/generate/twins.h), chosen by the case's seed.
  sampled,
  // A tiny problem, and two problems of the same shape with other contents and parameters.
  other_problems,
  // All of these and every twin; each twin also runs immediately before the problem.
  thorough,
};

// One of the conditions that must not change an answer, and the text for an answer that it changes.
struct ConditionChange {
  std::string_view text;
  Conditions conditions;  // the usual ones but for this
};

// Returns the changes in the order output before the call, fresh memory, place of the buffers, thread. seconds: time
// limit of an answer.
[[nodiscard]] std::array<ConditionChange, 4> condition_changes(double seconds);

// The text for an answer that no condition changes but a repetition does.
inline constexpr std::string_view kUnrepeatable = "not repeatable: the same call answered differently";
// Begins the text for an answer that the problem before changes.
inline constexpr std::string_view kKeptState = "kept state: the answer depends on the problem before";

// Run the subject twice: with buffers that end at unmapped pages, then with buffers that begin behind one; with other
// bytes in the output, on the stack and in fresh memory; and on another thread. If the answers differ, they run the
// subject again with one of these changed at a time, and `message` names the one that matters. A crash of a kernel that
// is linked into this program ends this process.
[[nodiscard]] Trial run_trial(Subject& subject, const ConvProblem& problem, WarmUp warm_up, double seconds);
[[nodiscard]] Trial run_trial(Subject& subject, const OperatorCase& c, WarmUp warm_up, double seconds);

// Run the subject once, under the usual conditions. A crash of a kernel that is linked into this program ends this
// process.
[[nodiscard]] Trial run_call(Subject& subject, const ConvProblem& problem, double seconds);
[[nodiscard]] Trial run_call(Subject& subject, const OperatorCase& c, double seconds);

// Do the same as run_trial(), but a kernel that is linked into this program runs in a process of its own. If it dies
// or hangs, it is run again without the warm-up, so that `message` distinguishes a crash on the problem itself from one
// that needs another problem before.
[[nodiscard]] Trial run_trial_alone(Subject& subject, const ConvProblem& problem, WarmUp warm_up, double seconds);
[[nodiscard]] Trial run_trial_alone(Subject& subject, const OperatorCase& c, WarmUp warm_up, double seconds);

}  // namespace tieout
