#include "kernels/host/open_subject.h"

#include <filesystem>
#include <string>

#include "cases/machine/readable_file.h"
#include "kernels/host/hosted_library.h"
#include "kernels/host/process_subject.h"

namespace tieout {

tl::expected<std::unique_ptr<Subject>, SubjectError> open_subject(std::string_view text) {
  if (text.starts_with(kCommandPrefix)) return process_subject(std::string(text.substr(kCommandPrefix.size())));
  const std::filesystem::path file(text);
  if (const std::string why = find_read_error(file); !why.empty()) {
    return tl::unexpected(
        SubjectError{SubjectError::Kind::absent, "'" + std::string(text) + "': " + why +
                                                     "; name a shared library that exports tieout_conv_relu or "
                                                     "tieout_run_operator (see tieout_kernel.h and tieout_operator.h), "
                                                     "command:LINE, hypothesis:NAME or engine:NAME"});
  }
  return hosted_library(file);
}

}  // namespace tieout
