#include "kernels/host/supervisor.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

namespace tieout {
namespace {

constexpr int kFailed = 125;  // exit status of a supervisor that fails

// Sends SIGKILL to every process whose parent is this one.
void kill_children() {
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (!proc) return;
  while (const dirent* const entry = readdir(proc.get())) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen(("/proc/" + std::string(entry->d_name) + "/stat").c_str(), "r"), std::fclose);
    std::array<char, 400> line{};
    if (!file || std::fgets(line.data(), line.size(), file.get()) == nullptr) continue;
    // The line is "PID (NAME) STATE PARENT ...", where the name may contain any characters.
    const char* const behind_name = std::strrchr(line.data(), ')');
    int parent = 0;
    if (behind_name == nullptr || std::sscanf(behind_name + 1, " %*c %d", &parent) != 1) continue;
    if (parent == getpid()) kill(pid, SIGKILL);
  }
}

// Ends every process that the subject has started. The children of a process that ends become children of this process,
// and are ended next.
void end_descendants() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < deadline) {
    const pid_t reaped = waitpid(-1, nullptr, WNOHANG);
    if (reaped > 0) continue;
    if (reaped < 0) return;
    kill_children();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

class Supervisor {
 public:
  Supervisor(pid_t subject, int stderr_pipe) : subject_(subject), stderr_(stderr_pipe) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    signals_ = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  // Returns once the subject has ended, or has been ended because tieout has ended.
  void watch() {
    while (!ended_) {
      std::array<pollfd, 3> ready{{{kControl, POLLIN, 0}, {signals_, POLLIN, 0}, {stderr_, POLLIN, 0}}};
      if (poll(ready.data(), ready.size(), -1) < 0) continue;
      if (ready[2].revents != 0) read_stderr();
      if (ready[1].revents != 0) check_for_end();
      if (ready[0].revents != 0 && !ended_) end_subject();
    }
  }

  // Returns how the subject ended, with its last line. Everything that the subject wrote has been read; the function
  // does not wait for what its descendants still write.
  [[nodiscard]] SubjectEnd end() {
    for (int reads = 0; stderr_ >= 0 && reads < 64 && read_stderr(); ++reads) {
    }
    SubjectEnd end{.status = status_};
    while (!tail_.empty() && tail_.back() == '\n') tail_.pop_back();
    const std::string line = tail_.substr(tail_.rfind('\n') + 1);
    const std::size_t size = std::min(line.size(), end.last_line.size() - 1);
    std::copy_n(line.end() - static_cast<std::ptrdiff_t>(size), size, end.last_line.begin());
    return end;
  }

 private:
  void check_for_end() {
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof info) > 0) {
    }
    int status = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
      if (pid != subject_) continue;
      ended_ = true;
      status_ = status;
    }
    if (ended_) end_subject();  // a stopped subject and its process group still exist
  }

  void end_subject() {
    kill(-subject_, SIGKILL);
    kill(subject_, SIGKILL);
    if (!ended_) (void)waitpid(subject_, &status_, 0);
    ended_ = true;
  }

  // Reads what the subject wrote to standard error. Returns false if nothing more can be read now.
  bool read_stderr() {
    constexpr std::size_t kKept = 4096;
    std::array<char, 1 << 16> chunk;
    const ssize_t got = read(stderr_, chunk.data(), chunk.size());
    if (got < 0) return errno == EINTR;
    if (got == 0) {
      close(stderr_);
      stderr_ = -1;
      return false;
    }
    tail_.append(chunk.data(), static_cast<std::size_t>(got));
    if (tail_.size() > kKept) tail_.erase(0, tail_.size() - kKept);
    return true;
  }

  pid_t subject_;
  int stderr_;        // the subject's standard error; -1 once it is closed
  int signals_ = -1;  // SIGCHLD
  bool ended_ = false;
  int status_ = 0;
  std::string tail_;  // end of the subject's standard error
};

// Becomes the subject in the forked child process. stderr_pipe: the pipe for its standard error.
[[noreturn]] void run_subject(const std::function<int()>& subject, pid_t supervisor, int stderr_pipe) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // The supervisor and tieout's worker processes ignore these signals. A subject that sends them to itself has to end,
  // as it would without a supervisor.
  for (const int ending : {SIGINT, SIGTERM, SIGHUP}) std::signal(ending, SIG_DFL);
  setsid();  // a signal to its process group reaches only what it started
  dup2(stderr_pipe, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(kFailed);  // the supervisor has ended in the meantime
  _exit(subject());
}

}  // namespace

int supervise(const std::function<int()>& subject) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  fcntl(kControl, F_SETFD, FD_CLOEXEC);
  // Job systems send these signals to all processes of a job; tieout decides how to react and ends the supervisor if
  // needed.
  for (const int ending : {SIGINT, SIGTERM, SIGHUP}) std::signal(ending, SIG_IGN);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  std::array<int, 2> stderr_pipe{};
  if (pipe2(stderr_pipe.data(), O_CLOEXEC) != 0) return kFailed;
  const pid_t self = getpid();
  const pid_t pid = fork();
  if (pid < 0) return kFailed;
  if (pid == 0) run_subject(subject, self, stderr_pipe[1]);
  close(stderr_pipe[1]);
  close(kRequests);
  close(kAnswers);
  fcntl(stderr_pipe[0], F_SETFL, O_NONBLOCK);
  Supervisor supervisor(pid, stderr_pipe[0]);
  supervisor.watch();
  const SubjectEnd end = supervisor.end();
  (void)send(kControl, &end, sizeof end, MSG_NOSIGNAL);  // tieout may have ended
  end_descendants();
  return 0;
}

}  // namespace tieout
