#include "kernels/host/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "cases/machine/signal_name.h"
#include "cases/strings/printable.h"
#include "kernels/host/supervisor.h"

namespace tieout {
namespace {

using Kind = SubjectError::Kind;

// While an object lives, a write to a program that has ended fails with EPIPE and does not end this process.
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

// Two connected file descriptors, which the destructor closes unless they have been taken.
class Ends {
 public:
  Ends() = default;
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    for (const int end : ends_) {
      if (end >= 0) close(end);
    }
  }

  // Opens a pipe that holds most problems as a whole, so that the two processes need not take turns. The system may
  // grant a smaller pipe. Returns false if the system refuses.
  [[nodiscard]] bool open_pipe() {
    constexpr int kRoom = 1 << 20;
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) return false;
    (void)fcntl(ends_[0], F_SETPIPE_SZ, kRoom);
    return true;
  }
  [[nodiscard]] bool open_socket() { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_.data()) == 0; }
  [[nodiscard]] int operator[](std::size_t end) const { return ends_.at(end); }
  [[nodiscard]] int take(std::size_t end) { return std::exchange(ends_.at(end), -1); }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// Starts the host with `descriptors` as its standard input, standard output and control socket, and without any other
// descriptor but standard error. It is spawned and not forked, so that it costs the same however large this process is.
// Returns 0 or an errno.
int spawn(const std::string& host, ChildProcess::Kind kind, const std::string& text, std::array<int, 3> descriptors,
          pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, descriptors[0], kRequests);
  posix_spawn_file_actions_adddup2(&files, descriptors[1], kAnswers);
  posix_spawn_file_actions_adddup2(&files, descriptors[2], kControl);
  posix_spawn_file_actions_addclosefrom_np(&files, kControl + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t standard;
  sigset_t blocked;
  sigfillset(&standard);
  sigemptyset(&blocked);
  posix_spawnattr_setsigdefault(&attributes, &standard);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  // The host gets a session of its own, so that the terminal's signals do not reach it.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::string name = "tieout-subject-host";
  std::string word = kind == ChildProcess::Kind::library ? "library" : "command";
  std::string last = text;
  std::array<char*, 4> arguments{name.data(), word.data(), last.data(), nullptr};
  const int why = posix_spawn(&pid, host.c_str(), &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return why;
}

std::string path_of_host() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return (program.parent_path() / TIEOUT_SUBJECT_HOST).lexically_normal().string();
}

std::string text_of(int status) {
  if (WIFSTOPPED(status)) return signal_name(WSTOPSIG(status));
  if (WIFSIGNALED(status)) return signal_name(WTERMSIG(status));
  return "exit with status " + std::to_string(WEXITSTATUS(status));
}

std::string last_line_of(SubjectEnd end) {
  end.last_line.back() = 0;
  return printable(end.last_line.data(), end.last_line.size());
}

// Returns the supervisor's message if it arrives in time.
std::optional<SubjectEnd> receive(int control, int milliseconds) {
  pollfd ready{control, POLLIN, 0};
  if (poll(&ready, 1, milliseconds) <= 0) return {};
  SubjectEnd end;
  if (recv(control, &end, sizeof end, MSG_DONTWAIT) != static_cast<ssize_t>(sizeof end)) return {};
  return end;
}

}  // namespace

tl::expected<ChildProcess, SubjectError> ChildProcess::start(Kind kind, const std::string& text) {
#ifndef __SANITIZE_ADDRESS__  // the leak check of AddressSanitizer traces the process
  // The reference's answers are in this process's memory, and a subject must not read them.
  prctl(PR_SET_DUMPABLE, 0);
#endif
  Ends requests;
  Ends answers;
  Ends control;
  if (!requests.open_pipe() || !answers.open_pipe() || !control.open_socket()) {
    return subject_error(SubjectError::Kind::no_resources,
                         std::string("no file descriptors for the subject: ") + std::strerror(errno));
  }
  const std::string host = path_of_host();
  pid_t pid = -1;
  if (const int why = spawn(host, kind, text, {requests[0], answers[1], control[1]}, pid); why != 0) {
    const bool missing = why == ENOENT || why == EACCES || why == ENOEXEC;
    return subject_error(missing ? SubjectError::Kind::absent : SubjectError::Kind::no_resources,
                         host + ", which runs subjects, cannot be started: " + std::strerror(why) +
                             (missing ? "; install tieout anew, or build the target tieout_subject_host" : ""));
  }
  fcntl(requests[1], F_SETFL, O_NONBLOCK);
  return ChildProcess(pid, requests.take(1), answers.take(0), control.take(0));
}

ChildProcess::ChildProcess(pid_t supervisor, int in, int out, int control)
    : supervisor_(supervisor), owner_(getpid()), in_(in), out_(out), control_(control) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : supervisor_(std::exchange(other.supervisor_, -1)),
      owner_(other.owner_),
      in_(other.in_),
      out_(other.out_),
      control_(other.control_),
      unread_(std::move(other.unread_)) {}

ChildProcess::~ChildProcess() { (void)end(); }

bool ChildProcess::is_ours() const { return getpid() == owner_; }

ChildProcess::Clock::time_point ChildProcess::after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::size_t ChildProcess::room() const {
  const int size = fcntl(in_, F_GETPIPE_SZ);
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

std::string ChildProcess::end() {
  if (supervisor_ < 0 || !is_ours()) return {};
  close(in_);
  close(out_);
  shutdown(control_, SHUT_WR);
  const auto last = receive(control_, 2000);
  wait_for_supervisor();
  return last ? last_line_of(*last) : std::string();
}

// Waits for the supervisor, which ends within moments unless a subject has stopped it; then it is killed after 3 s.
void ChildProcess::wait_for_supervisor() {
  char byte = 0;
  pollfd closed{control_, POLLIN, 0};
  const bool ends = poll(&closed, 1, 3000) > 0 && recv(control_, &byte, 1, MSG_DONTWAIT) == 0;
  if (!ends) kill(supervisor_, SIGKILL);
  close(control_);
  while (waitpid(supervisor_, nullptr, 0) < 0 && errno == EINTR) {
  }
  supervisor_ = -1;
}

SubjectError ChildProcess::how_it_ended() {
  const auto last = receive(control_, 1000);
  SubjectError ended{SubjectError::Kind::died, {}};
  if (last) {
    const std::string line = last_line_of(*last);
    ended.message = text_of(last->status) + (line.empty() ? "" : ": " + line);
    close(in_);
    close(out_);
    shutdown(control_, SHUT_WR);
    wait_for_supervisor();
    return ended;
  }
  pollfd control{control_, POLLIN, 0};
  const bool silent = poll(&control, 1, 0) == 0;
  ended.message = silent ? "closed its standard input or output" : "ended its supervisor, the process that started it";
  (void)end();
  return ended;
}

// Waits until something has been read, or until `in_` can be written if `writing`.
tl::expected<void, SubjectError> ChildProcess::wait_and_read(bool writing, Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  std::array<pollfd, 3> ends{{{out_, POLLIN, 0}, {control_, POLLIN, 0}, {in_, POLLOUT, 0}}};
  const int ready = poll(ends.data(), writing ? 3 : 2, static_cast<int>(std::clamp<long>(left, 0, 1'000'000)));
  if (ready == 0) return subject_error(SubjectError::Kind::hung, "hang");
  if (ready < 0) return {};
  if ((ends[0].revents & (POLLIN | POLLHUP)) != 0) {
    std::array<char, 1 << 16> chunk;
    const ssize_t got = read(out_, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) return {};
    if (got <= 0) return tl::unexpected(how_it_ended());
    unread_.append(chunk.data(), static_cast<std::size_t>(got));
    constexpr std::size_t kMostUnasked = std::size_t{1} << 20U;
    if (writing && unread_.size() > kMostUnasked)
      return subject_error(SubjectError::Kind::misbehaved, "answers before it has been asked");
  } else if (ends[1].revents != 0) {
    return tl::unexpected(how_it_ended());
  }
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
    if (unread_.size() > kLongest) {
      return subject_error(SubjectError::Kind::misbehaved, "answers with no line within 10,000 bytes");
    }
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
