#include "kernels/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace tieout {
namespace {

using Kind = SubjectError::Kind;

tl::unexpected<SubjectError> error(Kind kind, std::string message) {
  return tl::unexpected(SubjectError{kind, std::move(message)});
}

// A write to a program that has ended is an answer, and no reason to end.
class IgnoreBrokenPipe {
 public:
  IgnoreBrokenPipe() {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &before_);
  }
  IgnoreBrokenPipe(const IgnoreBrokenPipe&) = delete;
  IgnoreBrokenPipe& operator=(const IgnoreBrokenPipe&) = delete;
  ~IgnoreBrokenPipe() { sigaction(SIGPIPE, &before_, nullptr); }

 private:
  struct sigaction before_{};
};

[[noreturn]] void become(const std::string& command, int in, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);  // so that what it starts ends with it
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  _exit(127);
}

}  // namespace

tl::expected<ChildProcess, SubjectError> ChildProcess::start(const std::string& command) {
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (pipe2(to.data(), O_CLOEXEC) != 0) return error(Kind::absent, std::strerror(errno));
  if (pipe2(from.data(), O_CLOEXEC) != 0) {
    const int why = errno;
    for (const int end : to) close(end);
    return error(Kind::absent, std::strerror(why));
  }
  const pid_t pid = fork();
  if (pid == 0) become(command, to[0], from[1]);
  const int why = errno;
  close(to[0]);
  close(from[1]);
  if (pid < 0) {
    close(to[1]);
    close(from[0]);
    return error(Kind::absent, std::strerror(why));
  }
  fcntl(to[1], F_SETFL, O_NONBLOCK);
  return ChildProcess(pid, to[1], from[0]);
}

ChildProcess::ChildProcess(pid_t pid, int in, int out) : pid_(pid), owner_(getpid()), in_(in), out_(out) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      owner_(other.owner_),
      in_(std::exchange(other.in_, -1)),
      out_(std::exchange(other.out_, -1)),
      unread_(std::move(other.unread_)) {}

ChildProcess::~ChildProcess() {
  if (in_ >= 0) close(in_);
  if (out_ >= 0) close(out_);
  if (pid_ < 0 || !is_ours()) return;
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);  // where its group is not set up yet
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool ChildProcess::is_ours() const { return getpid() == owner_; }

SubjectError ChildProcess::how_it_ended() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  kill(-pid_, SIGKILL);  // what it has started
  pid_ = -1;
  if (!WIFSIGNALED(status)) return {Kind::died, "exit with status " + std::to_string(WEXITSTATUS(status))};
  const char* const abbreviation = sigabbrev_np(WTERMSIG(status));
  return {Kind::died, abbreviation == nullptr ? "signal" : std::string("SIG") + abbreviation};
}

// Until something was read, or can be written if that is wanted.
tl::expected<void, SubjectError> ChildProcess::wait_and_read(bool writing, Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  std::array<pollfd, 2> ends{{{out_, POLLIN, 0}, {in_, POLLOUT, 0}}};
  const int ready = poll(ends.data(), writing ? 2 : 1, static_cast<int>(std::clamp<long>(left, 0, 1'000'000)));
  if (ready == 0) return error(Kind::hung, "hang");
  if (ready < 0 || (ends[0].revents & (POLLIN | POLLHUP)) == 0) return {};
  std::array<char, 1 << 16> chunk;
  const ssize_t got = read(out_, chunk.data(), chunk.size());
  if (got < 0 && errno == EINTR) return {};
  if (got <= 0) return tl::unexpected(how_it_ended());
  unread_.append(chunk.data(), static_cast<std::size_t>(got));
  return {};
}

tl::expected<void, SubjectError> ChildProcess::send(std::string_view bytes, Clock::time_point deadline) {
  const IgnoreBrokenPipe ignore;
  while (!bytes.empty()) {
    const ssize_t sent = write(in_, bytes.data(), bytes.size());
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (sent < 0 && errno == EPIPE) {
      return tl::unexpected(how_it_ended());
    } else if (auto waited = wait_and_read(true, deadline); !waited) {
      return waited;
    }
  }
  return {};
}

tl::expected<std::string, SubjectError> ChildProcess::read_line(Clock::time_point deadline) {
  constexpr std::size_t kLongest = 10'000;
  std::size_t end = 0;
  while ((end = unread_.find('\n')) == std::string::npos) {
    if (unread_.size() > kLongest) return error(Kind::misbehaved, "answers with no line within 10,000 bytes");
    if (auto waited = wait_and_read(false, deadline); !waited) return tl::unexpected(waited.error());
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

tl::expected<std::string, SubjectError> ChildProcess::read_bytes(std::size_t count, Clock::time_point deadline) {
  while (unread_.size() < count) {
    if (auto waited = wait_and_read(false, deadline); !waited) return tl::unexpected(waited.error());
  }
  std::string bytes = unread_.substr(0, count);
  unread_.erase(0, count);
  return bytes;
}

}  // namespace tieout
