#include "kernels/host/library_server.h"

#include <fcntl.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <variant>

#include "cases/machine/descriptor.h"
#include "kernels/host/confinement.h"
#include "kernels/host/host_protocol.h"
#include "kernels/subject/plug_in.h"

namespace tieout {
namespace {

// Returns a copy of the descriptor with a high number, which a library is unlikely to use by mistake.
int duplicate_with_high_number(int fd) {
  constexpr int kHigh = 200;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, kHigh);
  return moved >= 0 ? moved : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

// Returns the next problem, packed, or nothing if the connection has ended.
std::optional<std::string> next_request(int fd) {
  std::string head(kFrameHead, '\0');
  if (!read_all(fd, head.data(), head.size())) return {};
  std::string message(frame_size(head), '\0');
  if (!read_all(fd, message.data(), message.size())) return {};
  return message;
}

}  // namespace

int serve_library(const std::string& file) {
  const int requests = duplicate_with_high_number(STDIN_FILENO);
  const int answers = duplicate_with_high_number(STDOUT_FILENO);
  const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nowhere, STDIN_FILENO);
  dup2(nowhere, STDOUT_FILENO);
  if (nowhere > STDERR_FILENO) close(nowhere);
  confine();
  const std::unique_ptr<Subject> library = plug_in(file);
  const auto loaded = library->load();
  const HostHello hello{loaded ? "" : loaded.error().message, library->name(), library->domain(), library->types(),
                        library->scope()};
  if (!write_all(answers, frame(pack(hello)))) return kConnectionLost;
  while (const auto bytes = next_request(requests)) {
    const auto asked = unpack_problem(*bytes);
    if (!asked) return kConnectionLost;
    const SubjectAnswer answer =
        std::visit([&](const auto& problem) { return run_on(*library, problem, asked->conditions); }, asked->problem);
    if (!write_all(answers, frame(pack(asked->number, answer)))) return kConnectionLost;
  }
  return fcntl(requests, F_GETFD) < 0 ? kConnectionLost : 0;
}

}  // namespace tieout
