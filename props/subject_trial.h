#pragma once
// A subject tried on one problem: asked more than once, under conditions that must not matter.

#include <cstdint>
#include <string>
#include <vector>

#include "cases/conv_case.h"
#include "kernels/subject.h"

namespace tieout {

// What came of it.
struct Trial {
  enum class Kind : std::uint8_t {
    answered,    // the same, whatever the conditions
    unstable,    // differently, after something changed that must not matter: `words` says what
    declined,    // `words`: why
    misbehaved,  // `words`: how
    died,        // its process did; `words`: SIGSEGV
    hung,
    absent,
    starved,  // the machine refused what it needs to start; `words`: what
  } kind = Kind::answered;
  std::string words;
  std::vector<std::uint8_t> first, second;  // the outputs, NCHW; second where unstable

  bool operator==(const Trial&) const = default;
};

// Which other problems the subject is asked for before the problem, so that what a kernel keeps from call to call shows
// itself in the case alone.
enum class Prelude {
  none,
  sampled,         // other_problems, or a tiny problem and two twins (props/twins.h): the case decides which
  other_problems,  // a tiny one, and two of the same shape with other contents and parameters
  thorough,        // all of these, and every twin, each of them also immediately before the problem
};

// Asks twice: buffers that end at unmapped pages, then buffers that begin behind one; other bytes in the output, on the
// stack and in fresh memory; another thread. Where the answers differ, it asks again, changing one of these at a time, and
// `words` names the one that matters. The crash of a kernel that is linked here is this process' own.
[[nodiscard]] Trial try_here(Subject& subject, const ConvProblem& problem, Prelude prelude, double seconds);

// Asks once, under the usual conditions. The crash of a kernel that is linked here is this process' own.
[[nodiscard]] Trial try_once(Subject& subject, const ConvProblem& problem, double seconds);

// The same as try_here(); a kernel that is linked here runs in a process of its own. Where it dies or hangs, it is tried
// without the prelude, so that `words` tell a crash on the
// problem itself from one that takes another problem before.
[[nodiscard]] Trial try_alone(Subject& subject, const ConvProblem& problem, Prelude prelude, double seconds);

}  // namespace tieout
