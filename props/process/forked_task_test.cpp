#include "props/process/forked_task.h"

#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cases/machine/shared_memory.h"

namespace tieout {
namespace {

using testing::HasSubstr;

using SharedFlag = SharedMemory<std::atomic<bool>>;

TEST(RunAlone, ReturnsTheAnswer) {
  // This is more than a pipe holds.
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(run_alone([&] { return large; }, 10).value(), large);
}

// The first answers are in shared memory; those after a large one come through the pipe.
TEST(RunTask, AnswersOfEverySizeArriveInOrder) {
  std::vector<std::size_t> sizes;
  std::int64_t next = 0;
  const auto size_of = [](std::int64_t i) { return static_cast<std::size_t>(i == 40 ? 1 << 20 : 100 + i); };
  run_task({.end = 80,
            .work = [&](std::int64_t i) { return std::string(size_of(i), static_cast<char>('a' + i % 26)); },
            .answered =
                [&](std::int64_t i, const std::string& answer) {
                  EXPECT_EQ(i, next++);
                  EXPECT_EQ(answer, std::string(size_of(i), static_cast<char>('a' + i % 26)));
                },
            .died = [](std::int64_t i, const ExitReason& reason) { ADD_FAILURE() << i << ": " << reason.text(); }});
  EXPECT_EQ(next, 80);
}

// Answers that a process gave before it died count, even if the parent had not read them yet.
TEST(RunTask, AnswersRemainAfterACrash) {
  std::string answered;
  std::string died;
  run_task({.end = 6,
            .work =
                [](std::int64_t i) {
                  if (i == 3) raise(SIGSEGV);
                  return std::to_string(i);
                },
            .answered = [&](std::int64_t, const std::string& answer) { answered += answer; },
            .died = [&](std::int64_t i, const ExitReason& reason) { died += std::to_string(i) + reason.text(); }});
  EXPECT_EQ(answered, "01245");
  EXPECT_EQ(died, "3SIGSEGV");
}

// The process writes to its owner's pipe itself. It can forge an answer that it owes, but any other is rejected: an
// answer beyond the last piece would be stored beyond the end.
TEST(RunTask, UnexpectedAnswersAreRefused) {
  struct Forged {
    std::int64_t index;
    std::uint64_t size;
  };
  const auto answered_where = [](std::vector<Forged> forged) {
    std::vector<std::int64_t> answered;
    run_task({.end = 2,
              .seconds = 5,
              .work =
                  [&](std::int64_t i) {
                    for (int fd = 3; i == 1 && fd < 64; ++fd) {
                      if (write(fd, forged.data(), forged.size() * sizeof(Forged)) < 0) continue;
                    }
                    return std::string();
                  },
              .answered = [&](std::int64_t i, const std::string&) { answered.push_back(i); },
              .died = [&](std::int64_t i, const ExitReason& reason) { EXPECT_EQ(i, 1) << reason.text(); }});
    return answered;
  };
  // The process' own answer to the last piece may have been taken before the forged one is read.
  const std::vector<std::int64_t> first{0};
  const std::vector<std::int64_t> both{0, 1};
  const auto is_owed = [&](const std::vector<std::int64_t>& answered) { return answered == first || answered == both; };
  EXPECT_EQ(answered_where({{1, 0}, {2, 0}, {3, 0}}), both);
  EXPECT_TRUE(is_owed(answered_where({{2, 0}})));
  EXPECT_TRUE(is_owed(answered_where({{-1, 0}})));
  EXPECT_TRUE(is_owed(answered_where({{1, ~std::uint64_t{0}}})));
}

TEST(RunAlone, ReportsTheExitReason) {
  const auto reason = [](auto work) {
    return run_alone(
               [=]() -> std::string {
                 work();
                 return "";
               },
               0.5)
        .error();
  };
  EXPECT_EQ(reason([] { raise(SIGSEGV); }).text(), "SIGSEGV");
  EXPECT_EQ(reason([] { raise(SIGFPE); }).text(), "SIGFPE");
  EXPECT_EQ(reason([] {
              std::fputs("heap is broken\n", stderr);
              std::abort();
            }).text(),
            "SIGABRT: heap is broken");
  EXPECT_EQ(reason([] { throw std::runtime_error("thrown"); }).text(), "exit: thrown");
  EXPECT_EQ(reason([] {
              for (;;) pause();
            }).text(),
            "hang");
}

// Slurm and systemd send these signals to every process, and perhaps to the parent last, which must not count as a
// crash of the case.
TEST(RunAlone, IgnoresSignalsThatRequestAnEnd) {
  const auto answer = run_alone(
      [] {
        for (const int ending : {SIGINT, SIGTERM, SIGHUP}) raise(ending);
        return "alive";
      },
      10);
  EXPECT_EQ(answer.value_or("dead"), "alive");
}

// Slurm may suspend a job for hours. Time in which the owner did not run must not count as the work's.
TEST(Processes, DoNotHangWhileTheirOwnerIsSuspended) {
  const SharedFlag release;
  std::string end = "none";
  Processes processes;
  processes.start({.seconds = 2,
                   .work =
                       [&](std::int64_t) {
                         while (!release->load()) usleep(10'000);
                         return std::string("answered");
                       },
                   .answered = [&](std::int64_t, const std::string& answer) { end = answer; },
                   .died = [&](std::int64_t, const ExitReason& reason) { end = reason.text(); }});
  std::this_thread::sleep_for(std::chrono::milliseconds(2200));
  processes.wait(std::chrono::milliseconds(1));
  release->store(true);
  while (processes.running() > 0) processes.wait(std::chrono::milliseconds(100));
  EXPECT_EQ(end, "answered");
}

// A subject that writes to any descriptor must not reach the record, the lock or another worker's pipe.
TEST(Processes, InheritOnlyTheStandardDescriptors) {
  // Libraries open files without O_CLOEXEC.
  const int kept_open = open("/dev/null", O_WRONLY);
  ASSERT_GT(kept_open, STDERR_FILENO);
  // The pipes of this object are descriptors of this process, too.
  Processes others;
  others.start(
      {.work = [](std::int64_t) { return std::string(); }, .answered = [](auto, auto&) {}, .died = [](auto, auto&) {}});
  const auto descriptors = run_alone(
      [] {
        std::string text;
        for (int i = 0; i < 1000; ++i) {
          if (fcntl(i, F_GETFD) >= 0) text += 'x';
        }
        return text;
      },
      10);
  close(kept_open);
  // The fourth descriptor is the pipe of its own answers.
  EXPECT_EQ(descriptors.value(), "xxxx");
  while (others.running() > 0) others.wait(std::chrono::milliseconds(100));
}

// The end of standard error is kept, and the owner's memory does not grow with it.
TEST(RunAlone, KeepsTheEndOfWhatIsWrittenToStandardError) {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const auto answer = run_alone(
      []() -> std::string {
        const std::string line(std::size_t{1} << 20U, 'x');
        for (int i = 0; i < 300; ++i) std::fputs(line.c_str(), stderr);
        std::fputs("\nthe end\n", stderr);
        std::abort();
      },
      60);
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text(), "SIGABRT: the end");
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 50'000);  // KiB
}

TEST(RunAlone, DistinguishesCrashesFromEndsByTheMachine) {
  const auto by_machine = [](auto work) {
    return run_alone(
               [=]() -> std::string {
                 work();
                 return "";
               },
               0.5)
        .error()
        .by_machine;
  };
  // The kernel sends SIGKILL where memory runs out.
  EXPECT_TRUE(by_machine([] { raise(SIGKILL); }));
  EXPECT_TRUE(by_machine([] { throw std::bad_alloc(); }));
  EXPECT_FALSE(by_machine([] { raise(SIGSEGV); }));
  EXPECT_FALSE(by_machine([] { throw std::runtime_error("thrown"); }));
  EXPECT_FALSE(by_machine([] {
    for (;;) pause();
  }));
}

// Without a check, the owner would wait for a process that closes its answers and does not end.
TEST(RunAlone, KillsAProcessThatClosedItsPipe) {
  const auto answer = run_alone(
      []() -> std::string {
        close_range(0, ~0U, 0);
        for (;;) pause();
      },
      60);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().stderr_tail, "closed its answers");
  EXPECT_FALSE(answer.error().by_machine);
}

// If limits prevent a process from starting, that is a reported error, in the owner and in a process of its own.
TEST(Processes, ReportIfNoneCanBeStarted) {
  const auto words = run_alone(
      [] {
        const rlimit few{6, 6};
        setrlimit(RLIMIT_NOFILE, &few);
        try {
          return run_alone([] { return std::string("started"); }, 10).value_or("died");
        } catch (const NoProcess& error) {
          return std::string(error.what());
        }
      },
      30);
  EXPECT_THAT(words.value(), HasSubstr("no process can be started: pipe: Too many open files")) << *words;
  const auto reason = run_alone(
      [] {
        const rlimit few{6, 6};
        setrlimit(RLIMIT_NOFILE, &few);
        return run_alone([] { return std::string("started"); }, 10).value_or("died");
      },
      30);
  ASSERT_FALSE(reason);
  EXPECT_TRUE(reason.error().by_machine);
}

// Every piece is answered or reported as died on, once and in order, whatever the process does.
TEST(Processes, HandleEachPieceOnce) {
  std::map<std::int64_t, std::vector<std::int64_t>> seen;  // By the first piece of a task.
  std::map<std::int64_t, std::string> died;
  std::int64_t ended = 0;
  Processes processes;
  for (const std::int64_t begin : {0, 100, 200}) {
    processes.start({.begin = begin,
                     .end = begin + 100,
                     // A busy machine may delay a process by tenths of a second.
                     .seconds = 1.5,
                     .work = [](std::int64_t index) -> std::string {
                       if (index % 97 == 13) std::abort();
                       if (index == 200)
                         for (;;) pause();
                       if (index == 299) raise(SIGKILL);
                       return std::to_string(index * index);
                     },
                     .answered =
                         [&, begin](std::int64_t index, const std::string& answer) {
                           EXPECT_EQ(answer, std::to_string(index * index));
                           seen[begin].push_back(index);
                         },
                     .died =
                         [&, begin](std::int64_t index, const ExitReason& reason) {
                           died[index] = reason.text();
                           seen[begin].push_back(index);
                         },
                     .ended = [&] { ++ended; }});
  }
  EXPECT_EQ(processes.running(), 3U);
  while (processes.running() > 0) processes.wait(std::chrono::milliseconds(50));
  EXPECT_EQ(ended, 3);
  for (const auto& [begin, indices] : seen) {
    ASSERT_EQ(indices.size(), 100U) << begin;
    for (std::size_t i = 0; i < indices.size(); ++i) EXPECT_EQ(indices[i], begin + static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(died, (std::map<std::int64_t, std::string>{
                      {13, "SIGABRT"}, {110, "SIGABRT"}, {207, "SIGABRT"}, {200, "hang"}, {299, "SIGKILL"}}));
}

TEST(Processes, AreKilledWithTheirOwner) {
  pid_t pid = 0;
  {
    Processes processes;
    processes.start({.end = 1'000'000'000,
                     .work = [](std::int64_t) { return std::to_string(getpid()); },
                     .answered = [&](std::int64_t, const std::string& answer) { pid = std::stoi(answer); },
                     .died = [](std::int64_t, const ExitReason&) {}});
    while (pid == 0) processes.wait(std::chrono::milliseconds(50));
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_NE(kill(pid, 0), 0);
}

#ifndef __SANITIZE_ADDRESS__
TEST(Processes, HaveAMemoryLimitOfTheirOwn) {
  std::string died;
  Processes processes;
  processes.start({.memory = 64 << 20,
                   .work = [](std::int64_t) { return std::string(std::size_t{512} << 20U, 'x'); },
                   .answered = [](std::int64_t, const std::string&) {},
                   .died = [&](std::int64_t, const ExitReason& reason) { died = reason.text(); }});
  while (processes.running() > 0) processes.wait(std::chrono::milliseconds(50));
  EXPECT_EQ(died, "exit: out of memory");
}
#endif

}  // namespace
}  // namespace tieout
