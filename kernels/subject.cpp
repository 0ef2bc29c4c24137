#include "kernels/subject.h"

#include <filesystem>

#include "cases/readable_file.h"
#include "kernels/hosted_library.h"
#include "kernels/process_subject.h"

namespace tieout {

std::vector<SubjectAnswer> Subject::run_all(std::span<const SubjectCall> calls) {
  std::vector<SubjectAnswer> answers;
  for (const SubjectCall& call : calls) {
    answers.push_back(run(call.problem, call.conditions));
    if (has_ended(answers.back())) break;
  }
  return answers;
}

tl::expected<std::unique_ptr<Subject>, SubjectError> open_subject(std::string_view text) {
  constexpr std::string_view kCommand = "command:";
  if (text.starts_with(kCommand)) return process_subject(std::string(text.substr(kCommand.size())));
  const std::filesystem::path file(text);
  if (const std::string why = why_unreadable(file); !why.empty()) {
    return tl::unexpected(
        SubjectError{SubjectError::Kind::absent, "'" + std::string(text) + "': " + why +
                                                     "; name a shared library that exports tieout_conv_relu (see "
                                                     "tieout_kernel.h), or command: and a command line"});
  }
  return hosted_library(file);
}

}  // namespace tieout
