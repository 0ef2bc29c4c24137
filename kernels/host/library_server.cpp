#include "kernels/host/library_server.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "kernels/host/confinement.h"
#include "kernels/host/host_protocol.h"
#include "kernels/subject/plug_in.h"

namespace tieout {
namespace {

// Returns a copy of the descriptor with a high number, which a library is unlikely to use by mistake.
int moved_up(int fd) {
  constexpr int kHigh = 200;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, kHigh);
  return moved >= 0 ? moved : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

bool read_all(int fd, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = read(fd, to, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = write(fd, bytes.data(), bytes.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<std::string> read_frame(int fd) {
  std::uint64_t size = 0;
  if (!read_all(fd, reinterpret_cast<char*>(&size), sizeof size)) return {};
  std::string bytes(size, '\0');
  if (!read_all(fd, bytes.data(), size)) return {};
  return bytes;
}

bool write_frame(int fd, const std::string& bytes) {
  const std::uint64_t size = bytes.size();
  return write_all(fd, std::string(reinterpret_cast<const char*>(&size), sizeof size) + bytes);
}

}  // namespace

int serve_library(const std::string& file) {
  const int requests = moved_up(STDIN_FILENO);
  const int answers = moved_up(STDOUT_FILENO);
  const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nowhere, STDIN_FILENO);
  dup2(nowhere, STDOUT_FILENO);
  if (nowhere > STDERR_FILENO) close(nowhere);
  confine();
  const std::unique_ptr<Subject> library = plug_in(file);
  const auto loaded = library->load();
  const HostHello hello{loaded ? "" : loaded.error().message, library->name(), library->domain()};
  if (!write_frame(answers, pack(hello))) return kConnectionLost;
  while (const auto bytes = read_frame(requests)) {
    const auto asked = unpack_problem(*bytes);
    if (!asked) return kConnectionLost;
    if (!write_frame(answers, pack(asked->number, library->run(asked->problem, asked->conditions))))
      return kConnectionLost;
  }
  return fcntl(requests, F_GETFD) < 0 ? kConnectionLost : 0;
}

}  // namespace tieout
