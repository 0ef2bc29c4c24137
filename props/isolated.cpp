#include "props/isolated.h"

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
#include <utility>

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "props/isolated.cpp: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

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

// What the worker is at, where the parent can see it after the worker's death.
struct Shared {
  std::atomic<std::int64_t> index;
};

struct Header {
  std::int64_t index;
  std::uint64_t size;
};

// One worker process and the pipe of its answers.
class Worker {
 public:
  Worker(std::int64_t begin, std::int64_t end, Shared& shared, const std::function<std::string(std::int64_t)>& work)
      : words_(memfd_create("last-words", MFD_CLOEXEC)) {
    std::array<int, 2> ends{};
    if (words_ < 0 || pipe(ends.data()) != 0) fail("no file descriptors for a worker");
    std::fflush(nullptr);  // or the worker would write it again
    pid_ = fork();
    if (pid_ < 0) fail("no worker process");
    if (pid_ == 0) {
      close(ends[0]);
      live(begin, end, shared, work, ends[1]);
    }
    close(ends[1]);
    answers_ = ends[0];
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    if (pid_ > 0) (void)end_it();
    close(answers_);
    close(words_);
  }

  [[nodiscard]] int answers() const { return answers_; }

  // Kills the worker if it still lives and says how it ended. An empty death: it came to its end by itself.
  Death end_it(bool timed_out = false) {
    if (timed_out) kill(pid_, SIGKILL);
    close(answers_);
    answers_ = -1;
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    const bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return {.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
            .timed_out = timed_out,
            .last_words = clean ? std::string() : last_words()};
  }

 private:
  [[noreturn]] void live(std::int64_t begin, std::int64_t end, Shared& shared,
                         const std::function<std::string(std::int64_t)>& work, int out) const {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);  // the parent decides what an interrupt means
    signal(SIGPIPE, SIG_DFL);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(words_, STDERR_FILENO);
    try {
      for (std::int64_t index = begin; index < end; ++index) {
        shared.index.store(index);
        const std::string answer = work(index);
        const Header header{index, answer.size()};
        if (!write_all(out, &header, sizeof header) || !write_all(out, answer.data(), answer.size())) _exit(0);
      }
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    }
    _exit(0);
  }

  [[nodiscard]] std::string last_words() const {
    constexpr off_t kMost = 300;
    const off_t size = lseek(words_, 0, SEEK_END);
    std::string words(static_cast<std::size_t>(std::min(size, kMost)), '\0');
    const ssize_t n = pread(words_, words.data(), words.size(), std::max<off_t>(0, size - kMost));
    words.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return words.substr(words.rfind('\n') + 1);
  }

  pid_t pid_ = -1;
  int answers_ = -1;
  int words_;
};

// Takes whole answers out of what has been read; the rest stays.
bool deliver(std::string& buffer, std::int64_t& next, const IsolatedCalls& calls) {
  std::size_t used = 0;
  bool go_on = true;
  while (go_on && buffer.size() - used >= sizeof(Header)) {
    Header header;
    std::memcpy(&header, buffer.data() + used, sizeof header);
    if (buffer.size() - used - sizeof header < header.size) break;
    next = header.index + 1;
    go_on = calls.answered(header.index, buffer.substr(used + sizeof header, header.size));
    used += sizeof header + header.size;
  }
  buffer.erase(0, used);
  return go_on;
}

enum class Ended { closed, hung, stopped };

// Reads answers until the worker closes its pipe, hangs, or the caller has had enough.
Ended listen(Worker& worker, Shared& shared, double seconds, std::int64_t& next, const IsolatedCalls& calls) {
  std::string buffer;
  std::array<char, 1 << 16> chunk;
  std::int64_t at = shared.index.load();
  auto since = Clock::now();
  while (true) {
    pollfd ready{worker.answers(), POLLIN, 0};
    const int n = poll(&ready, 1, 200);
    if (n < 0 && errno != EINTR) fail("poll");
    if (n > 0) {
      const ssize_t got = read(worker.answers(), chunk.data(), chunk.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Ended::closed;
      buffer.append(chunk.data(), static_cast<std::size_t>(got));
      if (!deliver(buffer, next, calls)) return Ended::stopped;
    } else if (calls.idle && !calls.idle()) {
      return Ended::stopped;
    }
    const std::int64_t index = shared.index.load();
    if (index != at) {
      at = index;
      since = Clock::now();
    } else if (Clock::now() - since > std::chrono::duration<double>(seconds)) {
      return Ended::hung;
    }
  }
}

}  // namespace

std::string Death::text() const {
  const char* const abbreviation = sigabbrev_np(signal);  // nothing for real-time signals
  const std::string of_signal =
      abbreviation == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + abbreviation;
  std::string text = timed_out ? "hang" : signal == 0 ? "exit" : of_signal;
  if (!last_words.empty() && !timed_out) text += ": " + last_words;
  return text;
}

void run_isolated(std::int64_t begin, std::int64_t end, double seconds, const IsolatedCalls& calls) {
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("no shared memory");
  Shared& shared = *new (memory) Shared{begin};
  bool stopped = false;
  for (std::int64_t next = begin; next < end && !stopped;) {
    shared.index.store(next);
    Worker worker(next, end, shared, calls.work);
    const Ended ended = listen(worker, shared, seconds, next, calls);
    const Death death = worker.end_it(ended != Ended::closed);
    stopped = ended == Ended::stopped;
    if (stopped || next >= end) break;
    // The worker ended before its work did: what it was at has no answer.
    stopped = !calls.died(next, {death.signal, ended == Ended::hung, death.last_words});
    ++next;
  }
  munmap(memory, sizeof(Shared));
}

tl::expected<std::string, Death> run_alone(const std::function<std::string()>& work, double seconds) {
  tl::expected<std::string, Death> result = tl::unexpected(Death{});
  run_isolated(0, 1, seconds,
               {.work = [&](std::int64_t) { return work(); },
                .answered =
                    [&](std::int64_t, const std::string& answer) {
                      result = answer;
                      return true;
                    },
                .died =
                    [&](std::int64_t, const Death& death) {
                      result = tl::unexpected(death);
                      return true;
                    },
                .idle = {}});
  return result;
}

}  // namespace tieout
