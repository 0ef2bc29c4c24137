#include "cli/common/standard_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "reports/records/output_file.h"

namespace tieout {
namespace {

int reserved = -1;  // descriptor of the reserved standard output; -1: none

}  // namespace

tl::expected<void, std::string> reserve_standard_output() {
  if (reserved >= 0) return {};
  std::fflush(stdout);
  constexpr int kFirst = 3;  // first number after the standard streams
  reserved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, kFirst);
  if (reserved < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    return tl::unexpected(std::string("standard output: ") + std::strerror(errno));
  }
  // Both streams now go to one file; line buffering keeps their lines in order.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  return {};
}

tl::expected<void, std::string> write_standard_output(std::string_view text) {
  std::fflush(stdout);
  const auto written = write_descriptor(reserved >= 0 ? reserved : STDOUT_FILENO, text);
  if (!written) return tl::unexpected("standard output: " + written.error());
  return {};
}

tl::expected<void, std::string> write_output(const std::string& file, std::string_view text) {
  return file == "-" ? write_standard_output(text) : write_file(file, text);
}

}  // namespace tieout
