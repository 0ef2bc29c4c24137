// Tests subjects that misbehave in extreme ways. The run ends in time with its findings, tieout survives, and no
// process that the subject started outlives tieout.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::HasSubstr;

const std::string kMisbehaving = TIEOUT_KERNELS "/libmisbehaving.so";

// Returns the number of processes with the name that the kernel gives to processes that are meant to outlive it.
int survivors() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (read(entry.path() / "comm") == "outlives\n") ++count;
  }
  return count;
}

// Waits until none of them is left, at most 5 seconds. Returns true if none is left.
bool none_survives() {
  for (int looks = 0; looks < 100 && survivors() > 0; ++looks)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return survivors() == 0;
}

// Runs fuzz with the subject that misbehaves in the way `how`. patience: time limit of an answer, seconds; long unless
// an answer is meant to hang, because the machine may be slow.
Outcome fuzz(const std::string& how, const std::string& patience = "30", int cases = 6) {
  setenv("MISBEHAVE", how.c_str(), 1);
  setenv("TIEOUT_TEST_PID", std::to_string(getpid()).c_str(), 1);
  return run("fuzz --seed 1 --workers 2 --cases " + std::to_string(cases) + " --patience " + patience + " --subject '" +
             kMisbehaving + "'");
}

// A way to end the subject's process or to answer wrongly, and the words in its finding.
struct Misbehaviour {
  const char* how;
  const char* words;
};

std::ostream& operator<<(std::ostream& out, const Misbehaviour& m) { return out << m.how; }

class Found : public testing::TestWithParam<Misbehaviour> {};

TEST_P(Found, IsReportedWithItsTextAndTheRunEnds) {
  const bool hangs = GetParam().words == std::string("hang");
  const Outcome o = fuzz(GetParam().how, hangs ? "0.5" : "30", hangs ? 2 : 6);
  EXPECT_EQ(o.status, 1) << o.output;
  EXPECT_THAT(o.output, HasSubstr(GetParam().words));
  EXPECT_THAT(o.output, HasSubstr("cases/s"));  // the run's last line
  EXPECT_TRUE(none_survives());
}

INSTANTIATE_TEST_SUITE_P(
    Misbehaviours, Found,
    testing::Values(Misbehaviour{"kill_group", "SIGKILL"}, Misbehaviour{"stop_itself", "SIGSTOP"},
                    Misbehaviour{"exit_0", "exit with status 0"}, Misbehaviour{"exit_by_library", "exit with status 0"},
                    Misbehaviour{"alarm", "SIGALRM"}, Misbehaviour{"vfork_and_hang", "hang"},
                    Misbehaviour{"hang", "hang"}, Misbehaviour{"close_all", "file descriptors that are not its own"},
                    Misbehaviour{"write_to_every_one", "file descriptor that is not its own"},
                    Misbehaviour{"forge_answers", "file descriptor that is not its own"},
                    Misbehaviour{"escape_codes", "SIGABRT: \\::error::forged"},
                    Misbehaviour{"round_up", "other floating-point modes"},
                    Misbehaviour{"flush_to_zero", "other floating-point modes"},
                    Misbehaviour{"corrupt_the_heap", "SIGABRT"}, Misbehaviour{"overflow_the_stack", "SIGSEGV"},
                    Misbehaviour{"unmap_output", "SIGSEGV"}, Misbehaviour{"answer_later", "6 of 6 cases differ"}),
    [](const auto& test) { return std::string(test.param.how); });

// These ways do not change the answer: it counts as equal, and tieout is not affected.
class Harmless : public testing::TestWithParam<const char*> {};

TEST_P(Harmless, DoesNotChangeTheAnswer) {
  const Outcome o = fuzz(GetParam());
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_TRUE(none_survives());
}

INSTANTIATE_TEST_SUITE_P(Misbehaviours, Harmless,
                         testing::Values("handle_signals", "fork_once", "daemonize", "write_to_all",
                                         "megabytes_of_errors", "decimal_comma", "change_folder", "change_environment",
                                         "few_descriptors", "read_ancestors"),
                         [](const auto& test) { return std::string(test.param); });

// Signals to the parent process have no effect where Linux can forbid them (6.12). On older kernels they end its
// supervisor, which is a finding. They end neither a worker nor tieout.
TEST(Misbehaving, ASignalToItsParentsIsRefusedOrAFinding) {
  for (const char* const how : {"kill_parent", "stop_parent"}) {
    const Outcome o = fuzz(how);
    EXPECT_TRUE(o.status == 0 || o.status == 1) << how << ": " << o.output;
    EXPECT_THAT(o.output, HasSubstr("cases/s")) << how << ": " << o.output;
  }
}

// The subject sends SIGKILL to all of its ancestors, including tieout.
TEST(Misbehaving, LinuxPreventsASubjectFromEndingItsAncestors) {
  constexpr int kVersion = 1;
  constexpr int kScopesSignals = 6;
  if (syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersion) < kScopesSignals) GTEST_SKIP() << "Linux before 6.12";
  const Outcome o = fuzz("kill_ancestors");
  EXPECT_EQ(o.status, 0) << o.output;
}

// Verifies one case, whose finding is not shrunk, because each try would take all memory again.
TEST(Misbehaving, AllMemoryIsRefused) {
  setenv("MISBEHAVE", "all_memory", 1);
  const Outcome o = run("check conv2d --patience 60 --subject '" + kMisbehaving + "'");
  EXPECT_EQ(o.status, 1) << o.output;
  EXPECT_THAT(o.output, HasSubstr("SIGABRT"));
}

// Holds for each signal that ends tieout.
TEST(Misbehaving, AllProcessesEndWithTieout) {
  const TemporaryFolder folder;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGKILL}) {
    setenv("MISBEHAVE", "daemonize", 1);
    const Running fuzz({"fuzz", "--cases", "1000000", "--seed", "1", "--workers", "1", "--subject", kMisbehaving},
                       folder / "output");
    // Counted once for each look: the processes end whenever the subject is stopped between two cases.
    auto seen = survivors();
    for (int looks = 0; looks < 600 && seen < 20; ++looks) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      seen = survivors();
    }
    EXPECT_GE(seen, 20) << read(folder / "output");
    kill(fuzz.pid(), signal);  // to tieout alone, not to its process group
    (void)fuzz.wait();
    EXPECT_TRUE(none_survives()) << signal;
  }
}

// The program's child is in a session of its own, and the child's parent has ended.
TEST(Misbehaving, ChildrenOfAProgramEndWithIt) {
  const TemporaryFolder folder;
  setenv("NAME_OF_FILE", folder.in("pid").c_str(), 1);
  const Outcome o =
      run("check conv2d --patience 1 --subject 'command:(setsid sh -c \"echo \\$\\$ >\\\"\\$NAME_OF_FILE\\\"; exec "
          "sleep 1000\" &) ; "
          "echo ok; exec sleep 1000'");
  EXPECT_EQ(o.status, 1) << o.output;
  const int child = std::atoi(read(folder / "pid").c_str());
  ASSERT_GT(child, 0) << o.output;
  EXPECT_EQ(kill(child, 0), -1);
}

TEST(Misbehaving, PatienceAppliesToTheGreeting) {
  const auto start = std::chrono::steady_clock::now();
  for (const char* const command :
       {"check conv2d", "fuzz --cases 5", "identify", "campaign --cases 5 --dir /nowhere"}) {
    const Outcome o =
        run(std::string(command) + " --patience 0.2 --subject 'command:echo why it hangs >&2; sleep 100'");
    EXPECT_EQ(o.status, 2) << o.output;
    EXPECT_THAT(o.output, HasSubstr("said nothing: hang; its standard error ends with 'why it hangs'"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  const Outcome gone = run("check conv2d --subject 'command:/no/such/program'");
  EXPECT_EQ(gone.status, 2);
  EXPECT_THAT(gone.output, HasSubstr("/no/such/program: not found"));
}

TEST(Misbehaving, PatienceIsANumberOfSeconds) {
  for (const char* const value : {"nan", "inf", "-inf", "0", "-1", "1e300", "five", "''"}) {
    for (const char* const command : {"check conv2d", "fuzz", "identify", "campaign --cases 5 --dir /nowhere"}) {
      const Outcome o = run(std::string(command) + " --subject '" + kMisbehaving + "' --patience " + value);
      EXPECT_EQ(o.status, 2) << value << ": " << o.output;
      EXPECT_THAT(o.output, HasSubstr("--patience")) << value << ": " << o.output;
    }
  }
}

}  // namespace
}  // namespace tieout
