#pragma once
// For tests: the command run as its user runs it, and what it leaves behind.

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
  int status;          // the exit status, or -1 where a signal ended it
  std::string output;  // of the streams that were asked for
};

enum class Streams { both, output };

// arguments: as a shell reads them.
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

// A running command, alone in its process group. Its output goes to a file.
class Running {
 public:
  Running(const std::vector<std::string>& arguments, const std::filesystem::path& output) {
    std::vector<const char*> words{TIEOUT_PROGRAM};
    for (const std::string& argument : arguments) words.push_back(argument.c_str());
    words.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    setpgid(0, 0);
    std::signal(SIGHUP, SIG_DFL);  // or it would stay ignored, as under nohup
    if (std::freopen(output.c_str(), "w", stdout) == nullptr || dup2(STDOUT_FILENO, STDERR_FILENO) < 0) _exit(99);
    execv(TIEOUT_PROGRAM, const_cast<char* const*>(words.data()));
    _exit(99);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

  void send(int signal) const { kill(signal == SIGKILL ? -pid_ : pid_, signal); }

  // The exit status, or -1 where a signal ended it.
  [[nodiscard]] int wait() const {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

inline std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// A folder of the test's own that goes with it. The blank in its name is there to be quoted.
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
  [[nodiscard]] std::string in(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace tieout
