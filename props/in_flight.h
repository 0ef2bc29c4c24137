#pragma once
// The file that says what a worker is at. What is written is safe from the death of every process, at once.

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>

namespace tieout {

class InFlight {
 public:
  explicit InFlight(const std::filesystem::path& file)
      : file_(open(file.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644)) {}
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() {
    if (file_ >= 0) close(file_);
  }

  void write(const std::string& line) const {
    if (file_ < 0) return;
    const std::string text = line + '\n';
    if (pwrite(file_, text.data(), text.size(), 0) != std::ssize(text)) return;  // a full disk shows where it matters
    if (ftruncate(file_, std::ssize(text)) != 0) return;
  }

 private:
  int file_;
};

}  // namespace tieout
