#include "props/isolated.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void refuse(const char* what) {
  throw NoProcess(std::string("no process can be started: ") + what + ": " + std::strerror(errno) +
                  "; end other programs, raise the limit (ulimit -a), or use fewer --workers");
}

// True if the call may succeed once other processes have ended.
bool may_pass(int error) { return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE; }

// The result of a call that returns a negative number where the machine refuses; tried for a second.
int insist(const char* what, const std::function<int()>& call) {
  for (int tries = 0;; ++tries) {
    const int result = call();
    if (result >= 0) return result;
    if (!may_pass(errno) || tries == 20) refuse(what);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// The two ends of a pipe; the reading end does not wait.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    insist("pipe", [&] { return pipe2(ends.data(), O_CLOEXEC); });
    out = ends[0];
    in = ends[1];
    fcntl(out, F_SETFL, O_NONBLOCK);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : {out, in}) {
      if (end >= 0) close(end);
    }
  }

  int out = -1, in = -1;
};

bool write_all(int fd, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

// What a process is at and what it answered, where the parent sees it, also after the process' death. Answers that find no
// more room here come by the pipe: waking the parent for each costs more than a small case.
struct Shared {
  std::atomic<std::int64_t> index;
  std::atomic<bool> starved;  // it ends because memory or a process was refused
  std::atomic<std::size_t> written;
  std::array<char, std::size_t{1} << 17> answers;
};

struct Header {
  std::int64_t index;
  std::uint64_t size;
};
constexpr std::uint64_t kLargestAnswer = std::uint64_t{1} << 32U;

// Small cases allocate and free the same few megabytes again and again: giving them back each time means a page fault for
// each page the next time.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

// What this process has started ends once its pipes are closed. Reaped here, it is no zombie in a container without an init
// process; a few seconds at most.
void end_children() {
  close_range(STDERR_FILENO + 1, ~0U, 0);
  signal(SIGALRM, SIG_DFL);
  alarm(5);
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

}  // namespace

void limit_memory(std::int64_t bytes) {
#ifndef __SANITIZE_ADDRESS__  // whose shadow is larger than any limit
  if (bytes <= 0) return;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  const bool known = file != nullptr && std::fscanf(file, "%lu", &pages) == 1;
  if (file != nullptr) std::fclose(file);
  if (!known) return;
  const rlim_t most = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + static_cast<rlim_t>(bytes);
  const rlimit limit{most, most};
  setrlimit(RLIMIT_AS, &limit);
#else
  (void)bytes;
#endif
}

// One task, the process that works on it, and the pipe of its answers.
class Processes::Process {
 public:
  explicit Process(Task task) : task_(std::move(task)), next_(task_.begin) {
    void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) refuse("shared memory");
    shared_ = static_cast<Shared*>(memory);  // zeros, of which only what is written to takes memory
    try {
      launch();
    } catch (...) {
      munmap(shared_, sizeof(Shared));
      throw;
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) (void)end_it(true);
    munmap(shared_, sizeof(Shared));
  }

  [[nodiscard]] int answers() const { return answers_; }
  [[nodiscard]] int words() const { return words_; }  // what it writes to standard error; -1: it has closed that
  [[nodiscard]] bool done() const { return pid_ < 0; }
  [[nodiscard]] pid_t leaving() const { return leaving_; }  // who has answered everything and ends; 0: nobody
  void finish() const { task_.ended(); }

  // Reads what the pipe has and hands on the whole answers.
  void listen() {
    std::array<char, 1 << 16> chunk;
    const ssize_t got = read(answers_, chunk.data(), chunk.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (!collect()) return replace(end_it(true, "wrote over its own answers"));
    if (got <= 0 && next_ >= task_.end) return leave();
    if (got <= 0) return replace(end_it(false));
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    if (!deliver()) replace(end_it(true, "wrote over its own answers"));
  }

  // Takes what it has written to standard error, and keeps the end of it. False: there is nothing now.
  bool read_words() {
    constexpr std::size_t kKept = std::size_t{1} << 12U;
    std::array<char, 1 << 16> chunk;
    const ssize_t got = read(words_, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) return true;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) {
      close(std::exchange(words_, -1));
      return false;
    }
    written_.append(chunk.data(), static_cast<std::size_t>(got));
    if (written_.size() > kKept) written_.erase(0, written_.size() - kKept);
    return true;
  }

  // Hands on what lies in shared memory; what came by the pipe came later.
  [[nodiscard]] bool collect() {
    const std::size_t written = std::min(shared_->written.load(std::memory_order_acquire), shared_->answers.size());
    if (written <= collected_) return written == collected_;
    buffer_.append(shared_->answers.data() + collected_, written - collected_);
    collected_ = written;
    return deliver();
  }

  void look_for_a_hang() {
    if (!collect()) return replace(end_it(true, "wrote over its own answers"));
    const auto now = Clock::now();
    // So much a look at most: while all of this is suspended, or a disk keeps its owner waiting, nothing hangs.
    waited_ += std::min<Clock::duration>(now - looked_, std::chrono::milliseconds(500));
    looked_ = now;
    const std::int64_t index = shared_->index.load();
    if (index != at_) {
      at_ = index;
      waited_ = {};
    } else if (waited_ > std::chrono::duration<double>(task_.seconds)) {
      replace(end_it(true));
    }
  }

 private:
  void launch() {
    shared_->index.store(next_);
    shared_->written.store(0);
    collected_ = 0;
    at_ = next_;
    waited_ = {};
    looked_ = Clock::now();
    shared_->starved.store(false);
    written_.clear();
    Pipe answers;
    Pipe words;
    std::fflush(nullptr);  // or the process would write it again
    pid_ = insist("fork", fork);
    if (pid_ == 0) live(answers.in, words.in);
    answers_ = std::exchange(answers.out, -1);
    words_ = std::exchange(words.out, -1);
  }

  [[noreturn]] void live(int out, int words) const {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Job systems send these to every process they find, in any order: what they mean, the parent decides.
    for (const int ending : {SIGINT, SIGTERM, SIGHUP}) signal(ending, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    limit_memory(task_.memory);
    dup2(words, STDERR_FILENO);
    // What a kernel prints is not for who reads our output.
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
    // Else what a subject does to a descriptor would be done to the owner's files: the record, the lock, other workers' pipes.
    close_range(STDERR_FILENO + 1, static_cast<unsigned>(out) - 1, 0);
    close_range(static_cast<unsigned>(out) + 1, ~0U, 0);
    keep_memory();
    (void)std::atexit([] { _exit(1); });  // a kernel's exit() need not wait for the libraries' farewells
    bool by_pipe = false;
    try {
      for (std::int64_t index = next_; index < task_.end; ++index) {
        shared_->index.store(index);
        const std::string answer = task_.work(index);
        if (!hand_over({index, answer.size()}, answer, out, by_pipe)) _exit(0);
      }
    } catch (const std::bad_alloc&) {
      shared_->starved.store(true);
      std::fputs("out of memory\n", stderr);
      _exit(1);
    } catch (const std::system_error& error) {  // of std::thread
      shared_->starved.store(may_pass(error.code().value()));
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    } catch (const NoProcess& error) {
      shared_->starved.store(true);
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    }
    close(out);  // all is said: giving back its memory takes a process some milliseconds, which nobody waits for
    end_children();
    _exit(0);
  }

  // Once an answer has gone by the pipe, all do, so that they stay in order.
  [[nodiscard]] bool hand_over(const Header& header, const std::string& answer, int out, bool& by_pipe) const {
    const std::size_t written = shared_->written.load(std::memory_order_relaxed);
    const std::size_t after = written + sizeof header + answer.size();
    by_pipe = by_pipe || after > shared_->answers.size();
    if (by_pipe) return write_all(out, &header, sizeof header) && write_all(out, answer.data(), answer.size());
    std::memcpy(shared_->answers.data() + written, &header, sizeof header);
    std::memcpy(shared_->answers.data() + written + sizeof header, answer.data(), answer.size());
    shared_->written.store(after, std::memory_order_release);
    return true;
  }

  // Takes whole answers out of what has been read; the rest stays. False: these are none.
  [[nodiscard]] bool deliver() {
    std::size_t used = 0;
    while (buffer_.size() - used >= sizeof(Header)) {
      Header header;
      std::memcpy(&header, buffer_.data() + used, sizeof header);
      // The process may have written anything here: only what it still owes is an answer, and of a size that it can have.
      if (header.index != next_ || next_ >= task_.end || header.size > kLargestAnswer) return false;
      if (buffer_.size() - used - sizeof header < header.size) break;
      next_ = header.index + 1;
      task_.answered(header.index, buffer_.substr(used + sizeof header, header.size));
      used += sizeof header + header.size;
    }
    buffer_.erase(0, used);
    return true;
  }

  // why: it was killed, if not for taking too long.
  Death end_it(bool kill_it, const char* why = nullptr) {
    constexpr int kPipe = 64;  // reads that empty a pipe; what others write to it meanwhile is not waited for
    if (!kill_it && !ends_by_itself()) {
      kill_it = true;
      why = "closed its answers";
    }
    if (kill_it) kill(pid_, SIGKILL);
    close(answers_);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    for (int reads = 0; words_ >= 0 && reads < kPipe && read_words(); ++reads) {
    }
    close_words();
    const bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    Death death{.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                .timed_out = kill_it && why == nullptr,
                .last_words = why != nullptr ? why
                              : clean        ? std::string()
                                             : last_words()};
    death.by_machine = !kill_it && (death.signal == SIGKILL || (death.signal == 0 && shared_->starved.load()));
    return death;
  }

  // False: it has closed its answers, and is still there a while later.
  [[nodiscard]] bool ends_by_itself() const {
    for (int looks = 0; looks < 200; ++looks) {
      siginfo_t info{};
      if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0)
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(looks < 20 ? 1 : 10));
    }
    return false;
  }

  void close_words() {
    if (words_ >= 0) close(std::exchange(words_, -1));
  }

  // All is answered: what is left of the process ends by itself.
  void leave() {
    close(answers_);
    close_words();
    leaving_ = std::exchange(pid_, -1);
  }

  // After the process' end: what it was at has no answer, and another one goes on behind it.
  void replace(const Death& death) {
    buffer_.clear();
    if (next_ >= task_.end) return;
    const std::int64_t fatal = next_++;
    task_.died(fatal, death);
    if (next_ < task_.end) launch();
  }

  [[nodiscard]] std::string last_words() const {
    constexpr std::size_t kMost = 300;
    std::string words = written_.substr(written_.size() - std::min(written_.size(), kMost));
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return words.substr(words.rfind('\n') + 1);
  }

  Task task_;
  Shared* shared_;
  std::size_t collected_ = 0;  // of the answers in shared memory
  std::int64_t next_;          // the first piece that has no answer yet
  std::int64_t at_ = 0;
  Clock::duration waited_{};  // for an answer to at_
  Clock::time_point looked_;
  std::string buffer_;
  pid_t pid_ = -1;
  pid_t leaving_ = 0;
  int answers_ = -1;
  int words_ = -1;
  std::string written_;  // the end of what came from words_
};

Processes::Processes() = default;
Processes::~Processes() {
  for (const pid_t pid : leaving_) waitpid(pid, nullptr, 0);
}

void Processes::start(Task task) {
  if (task.begin < task.end) processes_.push_back(std::make_unique<Process>(std::move(task)));
}

void Processes::stop() { processes_.clear(); }

std::size_t Processes::running() const { return processes_.size(); }

void Processes::wait(std::chrono::milliseconds longest) {
  std::vector<pollfd> ready;
  for (const auto& process : processes_) {
    ready.push_back({process->answers(), POLLIN, 0});
    ready.push_back({process->words(), POLLIN, 0});
  }
  if (poll(ready.data(), ready.size(), static_cast<int>(longest.count())) < 0 && errno != EINTR) refuse("poll");
  std::vector<std::unique_ptr<Process>> done;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    if (ready[2 * i + 1].revents != 0) (void)processes_[i]->read_words();
    if (ready[2 * i].revents != 0) processes_[i]->listen();
    if (!processes_[i]->done()) processes_[i]->look_for_a_hang();
  }
  for (auto& process : processes_) {
    if (process->done()) done.push_back(std::move(process));
  }
  std::erase(processes_, nullptr);
  std::erase_if(leaving_, [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; });
  for (const auto& process : done) {
    if (process->leaving() != 0) leaving_.push_back(process->leaving());
  }
  for (const auto& process : done) process->finish();
}

std::string Death::text() const {
  const char* const abbreviation = sigabbrev_np(signal);  // nothing for real-time signals
  const std::string of_signal =
      abbreviation == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + abbreviation;
  std::string text = timed_out ? "hang" : signal == 0 ? "exit" : of_signal;
  if (!last_words.empty() && !timed_out) text += ": " + last_words;
  return text;
}

void run_task(Task task, const std::function<bool()>& go_on) {
  Processes processes;
  processes.start(std::move(task));
  while (processes.running() > 0 && go_on()) processes.wait(std::chrono::milliseconds(100));
}

tl::expected<std::string, Death> run_alone(const std::function<std::string()>& work, double seconds) {
  tl::expected<std::string, Death> result = tl::unexpected(Death{});
  run_task({.seconds = seconds,
            .work = [&](std::int64_t) { return work(); },
            .answered = [&](std::int64_t, const std::string& answer) { result = answer; },
            .died = [&](std::int64_t, const Death& death) { result = tl::unexpected(death); }});
  return result;
}

}  // namespace tieout
