#include "reports/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace tieout {
namespace {

namespace fs = std::filesystem;

// An open file in the folder of `file`, without a name where the file system can do that: nothing of it is left behind by
// a process that is killed.
struct Draft {
  int descriptor = -1;
  std::string name;  // empty: none

  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (descriptor >= 0) close(descriptor);
    if (!name.empty()) unlink(name.c_str());
  }

  explicit Draft(const fs::path& file) {
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    constexpr mode_t kMode = 0666;  // less what the umask takes away
    descriptor = open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kMode);
    if (descriptor >= 0 || errno == ENOENT || errno == EACCES || errno == EROFS || errno == ENOTDIR) return;
    std::string unique = file.string() + ".XXXXXX";
    descriptor = mkostemp(unique.data(), O_CLOEXEC);
    if (descriptor < 0) return;
    name = unique;
    const mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, kMode & ~mask);
  }

  // Gives it its name. False, with errno: EEXIST where there is such a file.
  [[nodiscard]] bool publish(const fs::path& file) {
    const std::string place = name.empty() ? "/proc/self/fd/" + std::to_string(descriptor) : name;
    if (linkat(AT_FDCWD, place.c_str(), AT_FDCWD, file.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
    // Some file systems have no links.
    const bool no_links = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS;
    if (name.empty() || !no_links ||
        renameat2(AT_FDCWD, place.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) != 0) {
      return false;
    }
    name.clear();
    return true;
  }
};

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return fsync(descriptor) == 0;
}

}  // namespace

tl::expected<void, std::string> write_new_file(const fs::path& file, std::string_view bytes) {
  std::error_code error;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
  const auto failed = [&] {
    const int why = errno;
    if (why == EEXIST) return tl::unexpected(file.string() + ": exists already; name another file, or remove it");
    return tl::unexpected(file.string() + ": " + std::strerror(why) + "; name another file, or make room there");
  };
  Draft draft(file);
  if (draft.descriptor < 0 || !write_all(draft.descriptor, bytes) || !draft.publish(file)) return failed();
  return {};
}

}  // namespace tieout
