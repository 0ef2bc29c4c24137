#pragma once
// Runs the command in tests as a user runs it, and reads its output and files.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace tieout {

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

// Returns the contents of a file; empty if it cannot be read.
inline std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Creates a temporary folder, which is removed with the object. Its name contains a space, so that commands that do not
// quote it fail.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tieout test XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }
  // Returns the path of a file in the folder as text.
  [[nodiscard]] std::string in(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace tieout
