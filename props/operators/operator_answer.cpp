#include "props/operators/operator_answer.h"

#include <utility>

#include "props/verify/answer_alone.h"

namespace tieout {

OperatorAnswer run_operator_here(const OperatorCase& c, LibTorch& reference) {
  reference.guard_tensors(true);
  auto answer = reference.run_operator(c);
  if (answer) return std::move(*answer);
  return tl::unexpected(failure_of(answer.error()));
}

OperatorAnswer run_operator_alone(const OperatorCase& c, LibTorch& reference, double seconds) {
  return answer_alone<OperatorOutput>([&] { return run_operator_here(c, reference); },
                                      [](auto& answer, auto field) { field(answer.is_float), field(answer.values); },
                                      seconds);
}

}  // namespace tieout
