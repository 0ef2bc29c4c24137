#include "cases/machine/readable_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace tieout {

std::string find_read_error(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) return "there is no such file";
  if (error) return "it cannot be read: " + error.message();
  if (std::filesystem::is_directory(status)) return "it is not a regular file, but a folder";
  if (!std::filesystem::is_regular_file(status)) {
    return "it is not a regular file, but a pipe, a socket or a device";
  }
  errno = 0;
  if (std::ifstream(file)) return {};
  return std::string("it cannot be read") + (errno == 0 ? "" : std::string(": ") + std::strerror(errno));
}

}  // namespace tieout
