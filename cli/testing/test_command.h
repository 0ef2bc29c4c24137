#pragma once
// Runs the command in tests as a user runs it, and reads its output.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "cases/testing/temporary_folder.h"

namespace tieout {

inline const std::string kModels = TIEOUT_SOURCE_DIR "/oracle/testdata/models/";

struct Outcome {
  int status;          // exit status, or -1 if a signal ended the command
  std::string output;  // text of the requested streams
};

enum class Streams { both, output };

// Runs the command and waits for its end. arguments: as typed into a shell.
inline Outcome run(const std::string& arguments, Streams streams = Streams::both,
                   const std::string& program = TIEOUT_PROGRAM) {
  const std::string command =
      "'" + program + "' " + arguments + (streams == Streams::both ? " 2>&1" : "") + " </dev/null";
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {-1, "popen failed"};
  std::string output;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), n);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

// Runs a command in the background, as the leader of a process group of its own. Its output goes to a file.
class Running {
 public:
  Running(const std::vector<std::string>& arguments, const std::filesystem::path& output) {
    std::vector<const char*> words{TIEOUT_PROGRAM};
    for (const std::string& argument : arguments) words.push_back(argument.c_str());
    words.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    setpgid(0, 0);
    std::signal(SIGHUP, SIG_DFL);  // a test that runs under nohup ignores it, and the command would inherit that
    if (std::freopen(output.c_str(), "w", stdout) == nullptr || dup2(STDOUT_FILENO, STDERR_FILENO) < 0) _exit(99);
    execv(TIEOUT_PROGRAM, const_cast<char* const*>(words.data()));
    _exit(99);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

  // Sends the signal to the command; SIGKILL to all processes of its group.
  void send(int signal) const { kill(signal == SIGKILL ? -pid_ : pid_, signal); }

  // Waits for the end and returns the exit status, or -1 if a signal ended the command.
  [[nodiscard]] int wait() const {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

}  // namespace tieout
