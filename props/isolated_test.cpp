#include "props/isolated.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tieout {
namespace {

TEST(RunAlone, GivesTheAnswer) {
  const std::string large(1 << 20, 'x');  // more than a pipe holds
  EXPECT_EQ(run_alone([&] { return large; }, 10).value(), large);
}

// The first answers lie in shared memory, those behind a large one come by the pipe.
TEST(RunTask, AnswersComeInOrderWhateverTheirSize) {
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
            .died = [](std::int64_t i, const Death& death) { ADD_FAILURE() << i << ": " << death.text(); }});
  EXPECT_EQ(next, 80);
}

// What a process answered before it died counts, though nobody had looked yet.
TEST(RunTask, AnswersOutliveTheirProcess) {
  std::string answered;
  std::string died;
  run_task({.end = 6,
            .work =
                [](std::int64_t i) {
                  if (i == 3) raise(SIGSEGV);
                  return std::to_string(i);
                },
            .answered = [&](std::int64_t, const std::string& answer) { answered += answer; },
            .died = [&](std::int64_t i, const Death& death) { died += std::to_string(i) + death.text(); }});
  EXPECT_EQ(answered, "01245");
  EXPECT_EQ(died, "3SIGSEGV");
}

TEST(RunAlone, SaysHowItDied) {
  const auto death = [](auto work) {
    return run_alone(
               [=]() -> std::string {
                 work();
                 return "";
               },
               0.5)
        .error();
  };
  EXPECT_EQ(death([] { raise(SIGSEGV); }).text(), "SIGSEGV");
  EXPECT_EQ(death([] { raise(SIGFPE); }).text(), "SIGFPE");
  EXPECT_EQ(death([] {
              std::fputs("heap is broken\n", stderr);
              std::abort();
            }).text(),
            "SIGABRT: heap is broken");
  EXPECT_EQ(death([] { throw std::runtime_error("thrown"); }).text(), "exit: thrown");
  EXPECT_EQ(death([] {
              for (;;) pause();
            }).text(),
            "hang");
}

// Slurm and systemd ask every process to end, and perhaps the parent last: that is no death of the case.
TEST(RunAlone, LeavesRequestsToEndToItsParent) {
  const auto answer = run_alone(
      [] {
        for (const int ending : {SIGINT, SIGTERM, SIGHUP}) raise(ending);
        return "alive";
      },
      10);
  EXPECT_EQ(answer.value_or("dead"), "alive");
}

// As when Slurm suspends a job for hours: the time in which nobody looked is not the work's.
TEST(Processes, DoNotHangWhileTheirOwnerIsSuspended) {
  std::array<int, 2> release{};
  ASSERT_EQ(pipe(release.data()), 0);
  std::string end = "none";
  Processes processes;
  processes.start({.seconds = 2,
                   .work =
                       [&](std::int64_t) {
                         char byte = 0;
                         return std::string(read(release[0], &byte, 1) == 1 ? "answered" : "cannot read");
                       },
                   .answered = [&](std::int64_t, const std::string& answer) { end = answer; },
                   .died = [&](std::int64_t, const Death& death) { end = death.text(); }});
  std::this_thread::sleep_for(std::chrono::milliseconds(2200));
  processes.wait(std::chrono::milliseconds(1));
  EXPECT_EQ(write(release[1], "x", 1), 1);
  while (processes.running() > 0) processes.wait(std::chrono::milliseconds(100));
  EXPECT_EQ(end, "answered");
  for (const int descriptor : release) close(descriptor);
}

// Every piece is answered or died on, once and in order, whatever the process does.
TEST(Processes, LoseNothingAndRepeatNothing) {
  std::map<std::int64_t, std::vector<std::int64_t>> seen;  // by the first piece of a task
  std::map<std::int64_t, std::string> died;
  std::int64_t ended = 0;
  Processes processes;
  for (const std::int64_t begin : {0, 100, 200}) {
    processes.start({.begin = begin,
                     .end = begin + 100,
                     .seconds = 1.5,  // a machine at work may take tenths of one for nothing
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
                         [&, begin](std::int64_t index, const Death& death) {
                           died[index] = death.text();
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
                     .died = [](std::int64_t, const Death&) {}});
    while (pid == 0) processes.wait(std::chrono::milliseconds(50));
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_NE(kill(pid, 0), 0);
}

#ifndef __SANITIZE_ADDRESS__
TEST(Processes, RunOutOfTheirOwnMemoryOnly) {
  std::string died;
  Processes processes;
  processes.start({.memory = 64 << 20,
                   .work = [](std::int64_t) { return std::string(std::size_t{512} << 20U, 'x'); },
                   .answered = [](std::int64_t, const std::string&) {},
                   .died = [&](std::int64_t, const Death& death) { died = death.text(); }});
  while (processes.running() > 0) processes.wait(std::chrono::milliseconds(50));
  EXPECT_EQ(died, "exit: out of memory");
}
#endif

}  // namespace
}  // namespace tieout
