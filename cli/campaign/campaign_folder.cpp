#include "cli/campaign/campaign_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <system_error>
#include <thread>

#include "cases/strings/printable.h"

namespace tieout {
namespace {

namespace fs = std::filesystem;

// Locks the file, because two processes on one shard would do the same work twice. The lock is held until the process
// and its workers have ended; workers outlive a killed process by a moment, which the tries wait for (3 s).
tl::expected<void, std::string> lock(const fs::path& file) {
  const int descriptor = open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (descriptor < 0) return tl::unexpected(file.string() + ": " + std::strerror(errno) + "; name another folder");
  for (int tries = 0; tries < 30; ++tries) {
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return tl::unexpected(file.string() + ": another process is at work here; wait for it, or name another folder");
}

}  // namespace

void write_log(const std::string& words) { std::fputs(printable_lines(words).c_str(), stderr); }

tl::expected<void, std::string> prepare_folder(const fs::path& folder, const fs::path& record, const fs::path& corpus) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return tl::unexpected("--dir: " + folder.string() + ": " + error.message() + "; name another folder");
  if (const auto locked = lock(fs::path(record).replace_extension(".lock")); !locked) {
    return tl::unexpected("--dir: " + locked.error());
  }
  fs::create_directories(corpus, error);
  if (!error && access(corpus.c_str(), W_OK) != 0) error = {errno, std::generic_category()};
  if (error) {
    return tl::unexpected("--corpus: " + corpus.string() + ": " + error.message() + "; name another folder");
  }
  return {};
}

void report_unfinished_cases(const fs::path& journal_folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(journal_folder, error)) {
    std::ifstream file(entry.path());
    std::string line;
    if (std::getline(file, line) && !line.empty()) {
      write_log(fmt::format("was being verified when the campaign was killed, and is verified again:\n  {}\n", line));
    }
    file.close();
    std::error_code ignored;
    fs::remove(entry.path(), ignored);
  }
  fs::create_directories(journal_folder, error);
}

}  // namespace tieout
