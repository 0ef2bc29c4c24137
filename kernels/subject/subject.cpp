#include "kernels/subject/subject.h"

namespace tieout {

std::vector<SubjectAnswer> Subject::run_all(std::span<const SubjectCall> calls) {
  std::vector<SubjectAnswer> answers;
  for (const SubjectCall& call : calls) {
    answers.push_back(run(call.problem, call.conditions));
    if (has_ended(answers.back())) break;
  }
  return answers;
}

}  // namespace tieout
