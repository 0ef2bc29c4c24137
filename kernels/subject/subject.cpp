#include "kernels/subject/subject.h"

namespace tieout {

SubjectAnswer Subject::run_operator(const OperatorCase& /*c*/, const Conditions& /*conditions*/) {
  return tl::unexpected(SubjectError{SubjectError::Kind::declined, kNoOperators});
}

std::vector<SubjectAnswer> Subject::run_all(std::span<const SubjectCall> calls) {
  std::vector<SubjectAnswer> answers;
  for (const SubjectCall& call : calls) {
    answers.push_back(
        std::visit([&](const auto* problem) { return run_on(*this, *problem, call.conditions); }, call.problem));
    if (has_ended(answers.back())) break;
  }
  return answers;
}

}  // namespace tieout
