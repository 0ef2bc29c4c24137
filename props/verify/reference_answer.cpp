#include "props/verify/reference_answer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "props/verify/answer_alone.h"

namespace tieout {
namespace {

// True if an engine refuses a case for lack of memory. LibTorch has one type of error for everything, so that the text
// decides.
bool lacks_memory(std::string_view text) {
  constexpr std::array<std::string_view, 5> kWords{"no memory for a guarded tensor",
                                                   "cannot open a guarded tensor's pages", "bad_alloc",
                                                   "can't allocate memory", "out of memory"};
  return std::ranges::any_of(kWords,
                             [&](std::string_view words) { return text.find(words) != std::string_view::npos; });
}

}  // namespace

ReferenceFailure failure_of(const EngineError& error) {
  switch (error.kind) {
    case EngineError::Kind::absent: return {ReferenceFailure::Kind::absent, error.message};
    case EngineError::Kind::unsupported: return {ReferenceFailure::Kind::unsupported, error.message};
    case EngineError::Kind::refused: break;
  }
  return {lacks_memory(error.message) ? ReferenceFailure::Kind::no_resources : ReferenceFailure::Kind::refused,
          error.message};
}

ReferenceFailure failure_of(const ExitReason& reason) {
  return {reason.by_machine ? ReferenceFailure::Kind::no_resources : ReferenceFailure::Kind::died, reason.text()};
}

ReferenceAnswer run_reference(const ConvProblem& problem, LibTorch& reference) {
  reference.guard_tensors(true);
  auto answer = reference.conv(problem);
  if (answer) return std::move(*answer);
  return tl::unexpected(failure_of(answer.error()));
}

ReferenceAnswer run_reference_alone(const ConvProblem& problem, LibTorch& reference, double seconds) {
  return answer_alone<EngineAnswer>([&] { return run_reference(problem, reference); },
                                    [](auto& answer, auto field) { field(answer.picked), field(answer.y); }, seconds);
}

}  // namespace tieout
