#include "kernels/subject.h"

#include <filesystem>

#include "kernels/plug_in.h"
#include "kernels/process_subject.h"

namespace tieout {

tl::expected<std::unique_ptr<Subject>, SubjectError> open_subject(std::string_view text) {
  constexpr std::string_view kCommand = "command:";
  if (text.starts_with(kCommand)) return process_subject(std::string(text.substr(kCommand.size())));
  const std::filesystem::path file(text);
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return tl::unexpected(SubjectError{SubjectError::Kind::absent,
                                       "'" + std::string(text) +
                                           "' is not a file: name a shared library that exports tieout_conv_relu "
                                           "(see tieout_kernel.h), or command: and a command line"});
  }
  return plug_in(file);
}

}  // namespace tieout
