#pragma once
// Writes the case that a worker is working on to a file. The line is in the file once write() returns, so that it
// survives the end of any process.

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "cases/machine/descriptor.h"

namespace tieout {

class WorkerJournal {
 public:
  explicit WorkerJournal(const std::filesystem::path& file)
      : file_(open(file.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644)) {}

  void write(const std::string& line) const {
    if (file_.number() < 0) return;
    const std::string text = line + '\n';
    // A full disk is reported where it matters: by the run's record.
    if (pwrite(file_.number(), text.data(), text.size(), 0) != std::ssize(text)) return;
    if (ftruncate(file_.number(), std::ssize(text)) != 0) return;
  }

 private:
  Descriptor file_;
};

}  // namespace tieout
