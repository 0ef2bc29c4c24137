// Tests what the command writes: which files it refuses to write, what it keeps of a file that it replaces, and where
// it prints colours.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

class Output : public testing::Test {
 protected:
  void make(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }

  // Returns the path of a file in the folder, in quotes.
  [[nodiscard]] std::string in(const std::string& name) const { return "'" + folder_.in(name) + "'"; }

  TemporaryFolder folder_;
};

struct Collision {
  std::string arguments;
  const char* words;
};

TEST_F(Output, IsNeitherAnInputNorAnotherOutputOfTheCall) {
  ASSERT_EQ(run("check conv2d --record " + in("run.tieout")).status, 0);
  make("known.json", R"([{"kind": "tie", "reason": "as agreed"}])");
  make("cases", "conv2d\n");
  make("kernel.so", "no library");
  fs::create_symlink("run.tieout", folder_ / "link");
  fs::create_hard_link(folder_ / "run.tieout", folder_ / "hard");
  fs::create_symlink(".", folder_ / "folder");
  const std::string record = read(folder_ / "run.tieout");
  const std::vector<Collision> collisions{
      {"report " + in("run.tieout") + " --html " + in("run.tieout"), "is read by this call, as run"},
      {"report " + in("run.tieout") + " --html " + in("./run.tieout"), "is read by this call, as run"},
      {"report " + in("run.tieout") + " --json " + in("link"), "is read by this call, as run"},
      {"report " + in("link") + " --json " + in("hard"), "is read by this call, as run"},
      {"report " + folder_.path().string().insert(0, "'") + "' --text " + in("folder/run.tieout"), "as run"},
      {"fuzz --cases 5 --record " + in("new") + " --html " + in("new"), "is written by --record, too"},
      {"fuzz --cases 5 --record " + in("new") + " --html " + in("folder/new"), "is written by --record, too"},
      {"fuzz --cases 5 --html " + in("new") + " --junit " + in("./new"), "is written by --html, too"},
      {"fuzz --cases 5 --baseline " + in("known.json") + " --json " + in("known.json"), "as --baseline"},
      {"fuzz --cases 5 --subject " + in("kernel.so") + " --json " + in("kernel.so"), "as --subject"},
      {"check conv2d --python " + in("new") + " --markdown " + in("new"), "is written by --python, too"},
      {"check conv2d --record " + in("new") + " --markdown " + in("new"), "is written by --record, too"},
      {"check --file " + in("cases") + " --markdown " + in("cases"), "as --file"},
      {"check conv2d --python - --json -", "is written by --python, too"},
      {"check conv2d --html - --json -", "is written by --html, too"},
      {"check conv2d --html - --json /dev/stdout", "is written by --html, too"},
      {"campaign --cases 5 --seed 1 --dir " + in("c") + " --json " + in("c/run.tieout"),
       "is written by the record, too"},
      {"check conv2d --html " + in("new") + " > " + in("new"), "is where standard output goes"},
  };
  for (const auto& [arguments, words] : collisions) {
    const Outcome o = run(arguments + " 2>&1");
    const std::string output = o.output + read(folder_ / "new");
    EXPECT_EQ(o.status, 2) << arguments << '\n' << output;
    if (!arguments.ends_with("> " + in("new"))) {
      EXPECT_THAT(output, HasSubstr(words));
    }
    fs::remove(folder_ / "new");
  }
  EXPECT_EQ(read(folder_ / "run.tieout"), record);
  EXPECT_EQ(read(folder_ / "cases"), "conv2d\n");
  EXPECT_EQ(run("check conv2d --html /dev/null --json /dev/null").status, 0);
}

TEST_F(Output, KeepsLinksAndModesAndTheFilesBesideIt) {
  make("report", "old");
  ASSERT_EQ(chmod(folder_.in("report").c_str(), 0600), 0);
  fs::create_symlink("report", folder_ / "link");
  const std::vector<std::string> neighbours{"report.probe", "report.new", "report.draft", "run.tieout.new"};
  for (const std::string& name : neighbours) make(name, name);
  ASSERT_EQ(run("check conv2d --html " + in("link") + " --record " + in("run.tieout")).status, 0);
  ASSERT_EQ(run("merge " + in("merged") + " " + in("run.tieout")).status, 0);
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read(folder_ / "report").substr(0, 15), "<!DOCTYPE html>");
  EXPECT_EQ(fs::status(folder_ / "report").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  for (const std::string& name : neighbours) EXPECT_EQ(read(folder_ / name), name);
}

TEST_F(Output, IsWrittenToPipesDirectly) {
  ASSERT_EQ(mkfifo(folder_.in("pipe").c_str(), 0600), 0);
  const Outcome o = run("check conv2d --json " + in("pipe") + " > /dev/null & head -c 1 " + in("pipe") + "; wait $!",
                        Streams::output);
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_EQ(o.output, "{");
  EXPECT_TRUE(fs::is_fifo(folder_ / "pipe"));
}

// Runs the command on a terminal and returns what it prints there. environment: assignments as for env.
std::string printed_on_terminal(const std::string& arguments, const std::string& environment) {
  const std::string command = "env -u NO_COLOR " + environment + " '" TIEOUT_PROGRAM "' " + arguments;
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(99);
  }
  std::string output;
  std::array<char, 4096> buffer;
  // Reading fails with EIO after the command has ended.
  for (ssize_t n = 0; (n = ::read(terminal, buffer.data(), buffer.size())) > 0;) {
    output.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(terminal);
  waitpid(child, nullptr, 0);
  return output;
}

TEST_F(Output, ColorsVerdictsOnTerminalsOnly) {
  const std::string green = "\x1b[32m", end = "\x1b[0m";
  const std::string wrong = " --subject '" TIEOUT_KERNELS "/libconv_relu_rounds_away.so'";
  const std::string equal = printed_on_terminal("check conv2d", "TERM=xterm");
  EXPECT_THAT(equal, HasSubstr(green + "equal" + end + ": 1 element"));
  EXPECT_THAT(printed_on_terminal("check 'conv2d bias=[0.5] x=[0] w=[0]'" + wrong, "TERM=xterm"),
              ContainsRegex("\x1b\\[31m[^\x1b]* differ at 1 of 1 element, by up to 1\x1b\\[0m"));
  EXPECT_THAT(printed_on_terminal("fuzz --cases 50 --seed 1", "TERM=xterm NO_COLOR="),
              HasSubstr(green + "49 cases verified"));
  EXPECT_THAT(printed_on_terminal("fuzz --cases 1000 --seed 1 --diagnose 0" + wrong, "TERM=xterm"),
              ContainsRegex("\x1b\\[31m[0-9]+ of 1,000 cases differ"));
  for (const char* const off : {"TERM=xterm NO_COLOR=1", "TERM=dumb", "-u TERM"}) {
    const std::string plain = printed_on_terminal("check conv2d", off);
    EXPECT_THAT(plain, HasSubstr("equal: 1 element")) << off;
    EXPECT_THAT(plain, Not(HasSubstr("\x1b"))) << off;
  }
  const Outcome piped = run("check conv2d", Streams::output, "/usr/bin/env' TERM=xterm '" TIEOUT_PROGRAM);
  EXPECT_THAT(piped.output, HasSubstr("\nequal: 1 element"));
  EXPECT_EQ(piped.output.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace tieout
