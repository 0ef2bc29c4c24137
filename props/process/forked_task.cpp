#include "props/process/forked_task.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
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

#include "cases/machine/descriptor.h"
#include "cases/machine/shared_memory.h"
#include "cases/machine/signal_name.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void throw_no_process(const char* what) {
  throw NoProcess(std::string("no process can be started: ") + what + ": " + std::strerror(errno) +
                  "; end other programs, raise the limit (ulimit -a), or use fewer --workers");
}

// True if the call may succeed once other processes have ended.
bool is_temporary(int error) { return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE; }

// Returns the result of a call. If the call returns a negative number because the machine refuses a resource, it is
// tried again for about a second.
int retry(const char* what, const std::function<int()>& call) {
  for (int tries = 0;; ++tries) {
    const int result = call();
    if (result >= 0) return result;
    if (!is_temporary(errno) || tries == 20) throw_no_process(what);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// Holds the two ends of a pipe. Reading does not block.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    retry("pipe", [&] { return pipe2(ends.data(), O_CLOEXEC); });
    out = Descriptor(ends[0]);
    in = Descriptor(ends[1]);
    fcntl(out.number(), F_SETFL, O_NONBLOCK);
  }

  Descriptor out, in;
};

struct Header {
  std::int64_t index;
  std::uint64_t size;
};
constexpr std::uint64_t kLargestAnswer = std::uint64_t{1} << 32U;

// Keeps freed memory in the process. Small cases allocate and free the same few megabytes again and again; returning
// them to the system each time causes a page fault for each page at the next allocation.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

// Waits at most five seconds for the processes that this process started. They end once its pipes are closed. Reaping
// them here leaves no zombies in a container without an init process.
void end_children() {
  close_range(STDERR_FILENO + 1, ~0U, 0);
  signal(SIGALRM, SIG_DFL);
  alarm(5);
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

}  // namespace

void limit_memory(std::int64_t bytes) {
#ifndef __SANITIZE_ADDRESS__  // The shadow memory of AddressSanitizer is larger than any limit.
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

// Holds one task, the process that works on it, and the pipe of its answers.
class Processes::Process {
 public:
  explicit Process(Task task) : task_(std::move(task)), next_(task_.begin) {
    if (!shared_) throw_no_process("shared memory");
    launch();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) (void)end_process(true);
  }

  [[nodiscard]] int answers() const { return answers_; }
  // The pipe of the process' standard error; -1: the process has closed it.
  [[nodiscard]] int stderr_pipe() const { return stderr_; }
  [[nodiscard]] bool done() const { return pid_ < 0; }
  // The process that has answered everything and is ending; 0: none.
  [[nodiscard]] pid_t leaving() const { return leaving_; }
  void finish() const { task_.ended(); }

  // Reads the available bytes of the pipe and passes complete answers on.
  void read_answers() {
    std::array<char, 1 << 16> chunk;
    const ssize_t got = read(answers_, chunk.data(), chunk.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (!take_shared_answers()) return replace(end_process(true, "wrote over its own answers"));
    if (got <= 0 && next_ >= task_.end) return leave();
    if (got <= 0) return replace(end_process(false));
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    if (!pass_answers_on()) replace(end_process(true, "wrote over its own answers"));
  }

  // Reads the available bytes of standard error and keeps their end. Returns false if there are none now.
  bool read_stderr() {
    constexpr std::size_t kKept = std::size_t{1} << 12U;
    std::array<char, 1 << 16> chunk;
    const ssize_t got = read(stderr_, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) return true;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) {
      close(std::exchange(stderr_, -1));
      return false;
    }
    stderr_text_.append(chunk.data(), static_cast<std::size_t>(got));
    if (stderr_text_.size() > kKept) stderr_text_.erase(0, stderr_text_.size() - kKept);
    return true;
  }

  // Passes on the answers in shared memory. Answers in the pipe are later ones. Returns false if the bytes are not
  // answers.
  [[nodiscard]] bool take_shared_answers() {
    const std::size_t written = std::min(shared_->written.load(std::memory_order_acquire), shared_->answers.size());
    if (written <= collected_) return written == collected_;
    buffer_.append(shared_->answers.data() + collected_, written - collected_);
    collected_ = written;
    return pass_answers_on();
  }

  void check_for_hang() {
    if (!take_shared_answers()) return replace(end_process(true, "wrote over its own answers"));
    const auto now = Clock::now();
    // Each check counts half a second at most, so that time in which the owner is suspended or waits for a disk does
    // not count as a hang.
    waited_ += std::min<Clock::duration>(now - last_check_, std::chrono::milliseconds(500));
    last_check_ = now;
    const std::int64_t index = shared_->index.load();
    if (index != current_) {
      current_ = index;
      waited_ = {};
    } else if (waited_ > std::chrono::duration<double>(task_.seconds)) {
      replace(end_process(true));
    }
  }

 private:
  // Holds the current piece and the answers of a process in memory that the parent can read even after the process has
  // died. Answers that do not fit go through the pipe. The pipe is not used for all of them because waking the parent
  // for each answer costs more than a small case.
  struct Shared {
    std::atomic<std::int64_t> index;
    // True if the process ends because memory or a process was refused to it.
    std::atomic<bool> no_resources;
    std::atomic<std::size_t> written;
    std::array<char, std::size_t{1} << 17> answers;
  };

  void launch() {
    shared_->index.store(next_);
    shared_->written.store(0);
    collected_ = 0;
    current_ = next_;
    waited_ = {};
    last_check_ = Clock::now();
    shared_->no_resources.store(false);
    stderr_text_.clear();
    Pipe answers;
    Pipe stderr_pipe;
    // Without this, the process would write buffered output a second time.
    std::fflush(nullptr);
    pid_ = retry("fork", fork);
    if (pid_ == 0) run_pieces(answers.in.number(), stderr_pipe.in.number());
    answers_ = answers.out.release();
    stderr_ = stderr_pipe.out.release();
  }

  [[noreturn]] void run_pieces(int out, int words) const {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Job systems send these signals to every process that they find, in any order. The parent decides how to react.
    for (const int ending : {SIGINT, SIGTERM, SIGHUP}) signal(ending, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    limit_memory(task_.memory);
    dup2(words, STDERR_FILENO);
    // A kernel's output must not be mixed into ours.
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
    // If descriptors stayed open, a subject could damage the owner's files: the record, the lock, other workers' pipes.
    close_range(STDERR_FILENO + 1, static_cast<unsigned>(out) - 1, 0);
    close_range(static_cast<unsigned>(out) + 1, ~0U, 0);
    keep_memory();
    // A kernel's exit() must not run the libraries' exit handlers, which take time.
    (void)std::atexit([] { _exit(1); });
    bool by_pipe = false;
    try {
      for (std::int64_t index = next_; index < task_.end; ++index) {
        shared_->index.store(index);
        const std::string answer = task_.work(index);
        if (!store_answer({index, answer.size()}, answer, out, by_pipe)) _exit(0);
      }
    } catch (const std::bad_alloc&) {
      shared_->no_resources.store(true);
      std::fputs("out of memory\n", stderr);
      _exit(1);
    } catch (const std::system_error& error) {
      // std::thread throws this.
      shared_->no_resources.store(is_temporary(error.code().value()));
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    } catch (const NoProcess& error) {
      shared_->no_resources.store(true);
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    }
    // Closing the pipe tells the parent that all answers are given, so that it need not wait while this process frees
    // its memory, which takes some milliseconds.
    close(out);
    end_children();
    _exit(0);
  }

  // Stores an answer in shared memory or writes it to the pipe. Once an answer has used the pipe, all later ones do, so
  // that they stay in order.
  [[nodiscard]] bool store_answer(const Header& header, const std::string& answer, int out, bool& by_pipe) const {
    const std::size_t written = shared_->written.load(std::memory_order_relaxed);
    const std::size_t after = written + sizeof header + answer.size();
    by_pipe = by_pipe || after > shared_->answers.size();
    if (by_pipe)
      return write_all(out, {reinterpret_cast<const char*>(&header), sizeof header}) && write_all(out, answer);
    std::memcpy(shared_->answers.data() + written, &header, sizeof header);
    std::memcpy(shared_->answers.data() + written + sizeof header, answer.data(), answer.size());
    shared_->written.store(after, std::memory_order_release);
    return true;
  }

  // Passes on complete answers from the bytes read so far and keeps the rest. Returns false if the bytes are not
  // answers.
  [[nodiscard]] bool pass_answers_on() {
    std::size_t used = 0;
    while (buffer_.size() - used >= sizeof(Header)) {
      Header header;
      std::memcpy(&header, buffer_.data() + used, sizeof header);
      // The process may have written anything here. Only a piece without an answer is accepted, with a size that is
      // possible.
      if (header.index != next_ || next_ >= task_.end || header.size > kLargestAnswer) return false;
      if (buffer_.size() - used - sizeof header < header.size) break;
      next_ = header.index + 1;
      task_.answered(header.index, buffer_.substr(used + sizeof header, header.size));
      used += sizeof header + header.size;
    }
    buffer_.erase(0, used);
    return true;
  }

  // Ends or reaps the process and returns how it ended. why: the reason if it is killed for another reason than a
  // timeout.
  ExitReason end_process(bool kill_it, const char* why = nullptr) {
    // Number of reads that empty a pipe. Bytes that other processes keep writing to it are not waited for.
    constexpr int kPipe = 64;
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
    for (int reads = 0; stderr_ >= 0 && reads < kPipe && read_stderr(); ++reads) {
    }
    close_stderr();
    const bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    ExitReason reason{.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                      .timed_out = kill_it && why == nullptr,
                      .stderr_tail = why != nullptr ? why
                                     : clean        ? std::string()
                                                    : last_stderr_line()};
    reason.by_machine = !kill_it && (reason.signal == SIGKILL || (reason.signal == 0 && shared_->no_resources.load()));
    return reason;
  }

  // True if the process ends within about two seconds. False if it has closed its answers but still runs.
  [[nodiscard]] bool ends_by_itself() const {
    for (int looks = 0; looks < 200; ++looks) {
      siginfo_t info{};
      if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0)
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(looks < 20 ? 1 : 10));
    }
    return false;
  }

  void close_stderr() {
    if (stderr_ >= 0) close(std::exchange(stderr_, -1));
  }

  // Closes the pipes after the last answer; the process ends by itself.
  void leave() {
    close(answers_);
    close_stderr();
    leaving_ = std::exchange(pid_, -1);
  }

  // Reports the current piece as died on, after the process' end, and starts another process for the pieces after it.
  void replace(const ExitReason& reason) {
    buffer_.clear();
    if (next_ >= task_.end) return;
    const std::int64_t fatal = next_++;
    task_.died(fatal, reason);
    if (next_ < task_.end) launch();
  }

  [[nodiscard]] std::string last_stderr_line() const {
    constexpr std::size_t kMost = 300;
    std::string words = stderr_text_.substr(stderr_text_.size() - std::min(stderr_text_.size(), kMost));
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return words.substr(words.rfind('\n') + 1);
  }

  Task task_;
  SharedMemory<Shared> shared_;
  // Number of bytes of the answers in shared memory that were passed on.
  std::size_t collected_ = 0;
  // The first piece that has no answer yet.
  std::int64_t next_;
  std::int64_t current_ = 0;
  // Time waited for an answer to piece current_.
  Clock::duration waited_{};
  Clock::time_point last_check_;
  std::string buffer_;
  pid_t pid_ = -1;
  pid_t leaving_ = 0;
  int answers_ = -1;
  int stderr_ = -1;
  // The end of the bytes read from stderr_.
  std::string stderr_text_;
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
    ready.push_back({process->stderr_pipe(), POLLIN, 0});
  }
  if (poll(ready.data(), ready.size(), static_cast<int>(longest.count())) < 0 && errno != EINTR)
    throw_no_process("poll");
  std::vector<std::unique_ptr<Process>> done;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    if (ready[2 * i + 1].revents != 0) (void)processes_[i]->read_stderr();
    if (ready[2 * i].revents != 0) processes_[i]->read_answers();
    if (!processes_[i]->done()) processes_[i]->check_for_hang();
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

std::string ExitReason::text() const {
  std::string text = timed_out ? "hang" : signal == 0 ? "exit" : signal_name(signal);
  if (!stderr_tail.empty() && !timed_out) text += ": " + stderr_tail;
  return text;
}

void run_task(Task task, const std::function<bool()>& go_on) {
  Processes processes;
  processes.start(std::move(task));
  while (processes.running() > 0 && go_on()) processes.wait(std::chrono::milliseconds(100));
}

tl::expected<std::string, ExitReason> run_alone(const std::function<std::string()>& work, double seconds) {
  tl::expected<std::string, ExitReason> result = tl::unexpected(ExitReason{});
  run_task({.seconds = seconds,
            .work = [&](std::int64_t) { return work(); },
            .answered = [&](std::int64_t, const std::string& answer) { result = answer; },
            .died = [&](std::int64_t, const ExitReason& reason) { result = tl::unexpected(reason); }});
  return result;
}

}  // namespace tieout
