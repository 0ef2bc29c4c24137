#include "reports/records/output_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

#include "cases/machine/descriptor.h"

namespace tieout {
namespace {

namespace fs = std::filesystem;

// 0, or a value of errno.
using Errno = int;

// While an object lives, SIGPIPE does not end the process: write() fails with EPIPE instead.
class WithoutBrokenPipeSignal {
 public:
  WithoutBrokenPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutBrokenPipeSignal(const WithoutBrokenPipeSignal&) = delete;
  WithoutBrokenPipeSignal& operator=(const WithoutBrokenPipeSignal&) = delete;
  ~WithoutBrokenPipeSignal() {
    const timespec at_once{};
    while (sigtimedwait(&pipe_, nullptr, &at_once) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{}, before_{};
};

// The file to which a path leads after all symbolic links.
struct Target {
  enum class Kind { absent, regular, folder, stream, descriptor, circular_link } kind = Kind::absent;
  fs::path path;
  int descriptor = -1;   // descriptor of this process, if the path names one
  struct stat status{};  // status of the existing file
};

// Returns the number of the open descriptor of this process that the path names, such as /dev/fd/3 or /proc/self/fd/3.
std::optional<int> descriptor_named_by(const fs::path& path) {
  const std::string name = path.filename().string();
  int number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  if (read.ec != std::errc{} || read.ptr != name.data() + name.size()) return {};
  std::error_code error;
  const fs::path own = fs::canonical("/proc/self/fd", error);
  if (error || fs::canonical(path.parent_path(), error) != own || error) return {};
  return number;
}

Target::Kind kind_of(const fs::path& path, struct stat& status) {
  if (stat(path.c_str(), &status) != 0) return errno == ELOOP ? Target::Kind::circular_link : Target::Kind::absent;
  if (S_ISREG(status.st_mode)) return Target::Kind::regular;
  return S_ISDIR(status.st_mode) ? Target::Kind::folder : Target::Kind::stream;
}

Target find_target(fs::path path) {
  Target target;
  target.kind = kind_of(path, target.status);
  if (target.kind == Target::Kind::circular_link) return target;
  while (true) {
    if (const auto descriptor = descriptor_named_by(path)) {
      target.kind = Target::Kind::descriptor;
      target.descriptor = *descriptor;
      break;
    }
    std::error_code error;
    if (!fs::is_symlink(path, error)) break;
    fs::path next = fs::read_symlink(path, error);
    // A link to a pipe of another process leads to "pipe:[123]", which is no path.
    if (error || next.string().find(":[") != std::string::npos) break;
    path = next.is_absolute() ? std::move(next) : path.parent_path() / next;
  }
  target.path = std::move(path);
  return target;
}

Errno write_text(int descriptor, std::string_view text) {
  const WithoutBrokenPipeSignal quiet;
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EAGAIN) {  // a nonblocking pipe that is full
      pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
      poll(&ready, 1, -1);
      continue;
    }
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

Errno write_as_it_is(const fs::path& path, int flags, std::string_view text) {
  Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | flags));
  if (file.number() < 0) return errno;
  if (const Errno error = write_text(file.number(), text); error != 0) return error;
  return file.close_now();
}

Errno write_synced(const Descriptor& file, std::string_view text) {
  if (const Errno error = write_text(file.number(), text); error != 0) return error;
  return fsync(file.number()) == 0 ? 0 : errno;
}

constexpr mode_t kNewMode = 0666;  // the umask removes bits from it

Descriptor create(const fs::path& path) {
  return Descriptor(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewMode));
}

// Changes the owner first, because that clears bits of the mode. Only root can give files to other owners.
void take_over_owner_and_mode(const Descriptor& file, const struct stat& from) {
  struct stat own{};
  if (fstat(file.number(), &own) != 0) return;
  if (own.st_uid != from.st_uid || own.st_gid != from.st_gid) {
    if (fchown(file.number(), from.st_uid, from.st_gid) != 0 && fchown(file.number(), own.st_uid, from.st_gid) != 0) {
      // The file keeps the writer as its owner.
    }
  }
  (void)fchmod(file.number(), from.st_mode & 07777U);
}

Errno replace(const Target& target, std::string_view text) {
  const fs::path draft = unused_path_beside(target.path);
  Descriptor file = create(draft);
  if (file.number() < 0) return errno;
  if (target.kind == Target::Kind::regular) take_over_owner_and_mode(file, target.status);
  Errno error = write_synced(file, text);
  if (error == 0) error = file.close_now();
  if (error == 0 && std::rename(draft.c_str(), target.path.c_str()) != 0) error = errno;
  if (error != 0) unlink(draft.c_str());
  return error;
}

// Gives a file one more name. Returns EEXIST if the name is in use.
Errno link_as(const std::string& draft, const fs::path& path) {
  return linkat(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

// Writes a draft under another name, and gives it the final name when it is complete.
Errno write_new_by_rename(const fs::path& path, std::string_view bytes) {
  const fs::path draft = unused_path_beside(path);
  const Descriptor file = create(draft);
  if (file.number() < 0) return errno;
  Errno error = write_synced(file, bytes);
  if (error == 0) error = link_as(draft.string(), path);
  if (error == EPERM || error == EOPNOTSUPP || error == ENOSYS) {  // some file systems do not support links
    error = renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  }
  unlink(draft.c_str());
  return error;
}

// Writes a draft without a name if the file system supports that, so that a killed process leaves nothing behind.
Errno write_new(const fs::path& path, std::string_view bytes) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const Descriptor draft(open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kNewMode));
  if (draft.number() < 0) {
    const Errno error = errno;
    const bool refused = error == ENOENT || error == EACCES || error == EROFS || error == ENOTDIR;
    return refused ? error : write_new_by_rename(path, bytes);
  }
  const Errno error = write_synced(draft, bytes);
  return error == 0 ? link_as(fmt::format("/proc/self/fd/{}", draft.number()), path) : error;
}

// Returns true if the error concerns the folder and not the file.
bool is_of_the_folder(Errno error) {
  return error == EACCES || error == EPERM || error == EROFS || error == EBUSY || error == EXDEV;
}

Errno write_regular(const Target& target, std::string_view text) {
  const bool exists = target.kind == Target::Kind::regular;
  if (exists && access(target.path.c_str(), W_OK) != 0) return errno;
  if (exists && target.status.st_nlink > 1) return write_as_it_is(target.path, O_TRUNC, text);
  const Errno error = replace(target, text);
  return exists && is_of_the_folder(error) ? write_as_it_is(target.path, O_TRUNC, text) : error;
}

Errno make_folder_of(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  return error.value();
}

// Creates and removes a draft, because checking permissions is not enough: root seems to have all of them.
Errno try_to_create_beside(const fs::path& path) {
  const fs::path draft = unused_path_beside(path);
  const Descriptor file = create(draft);
  if (file.number() < 0) return errno;
  unlink(draft.c_str());
  return 0;
}

Errno try_target(const Target& target) {
  switch (target.kind) {
    case Target::Kind::folder: return EISDIR;
    case Target::Kind::circular_link: return ELOOP;
    case Target::Kind::stream: return access(target.path.c_str(), W_OK) == 0 ? 0 : errno;
    case Target::Kind::descriptor: {
      const int flags = fcntl(target.descriptor, F_GETFL);
      if (flags < 0) return errno;
      return (flags & O_ACCMODE) == O_RDONLY ? EACCES : 0;
    }
    case Target::Kind::regular: {
      if (access(target.path.c_str(), W_OK) != 0) return errno;
      const Errno error = try_to_create_beside(target.path);
      return is_of_the_folder(error) ? 0 : error;
    }
    case Target::Kind::absent: break;
  }
  if (!target.path.has_filename()) return EISDIR;
  if (const Errno error = make_folder_of(target.path); error != 0) return error;
  return try_to_create_beside(target.path);
}

Errno write_target(const Target& target, std::string_view text) {
  switch (target.kind) {
    case Target::Kind::folder: return EISDIR;
    case Target::Kind::circular_link: return ELOOP;
    case Target::Kind::stream: return write_as_it_is(target.path, 0, text);
    case Target::Kind::descriptor: return write_text(target.descriptor, text);
    case Target::Kind::regular: return write_regular(target, text);
    case Target::Kind::absent: break;
  }
  if (!target.path.has_filename()) return EISDIR;
  if (const Errno error = make_folder_of(target.path); error != 0) return error;
  return write_regular(target, text);
}

// Returns the advice of the message on a file that cannot be written.
const char* advice_on_file(Errno error) {
  switch (error) {
    case EISDIR: return "it is a folder: name a file in it";
    case EACCES:
    case EPERM:
    case EROFS: return "name another place, or allow writing there";
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return "name another place, or make room there";
    default: return "name another place";
  }
}

tl::expected<void, std::string> result_of(const fs::path& path, Errno error) {
  if (error == 0) return {};
  return tl::unexpected("cannot write " + path.string() + ": " + std::strerror(error) + "; " + advice_on_file(error));
}

// Returns the start of a draft's name. It contains the machine's name, because machines that share a folder cannot
// check each other's processes.
std::string draft_prefix() {
  std::array<char, 256> machine{};
  const bool has_name = gethostname(machine.data(), machine.size() - 1) == 0;
  return fmt::format(".tieout-draft-{}-", has_name ? machine.data() : "unknown");
}

// Returns the process that made the draft if the name was made by unused_path_beside() on this machine; else 0.
pid_t writer_of(std::string_view name) {
  constexpr std::size_t kDigits = 16;
  constexpr std::string_view kJournal = "-journal";
  const std::string prefix = draft_prefix();
  if (!name.starts_with(prefix)) return 0;
  name.remove_prefix(prefix.size());
  if (name.ends_with(kJournal)) name.remove_suffix(kJournal.size());
  pid_t writer = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), writer);
  name.remove_prefix(static_cast<std::size_t>(read.ptr - name.data()));
  const bool is_ours = read.ec == std::errc{} && writer > 0 && name.size() == kDigits + 1 && name.front() == '-' &&
                       name.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
  return is_ours ? writer : 0;
}

std::string identity_of(const struct stat& status) { return fmt::format("{}:{}", status.st_dev, status.st_ino); }

}  // namespace

tl::expected<void, std::string> write_file(const fs::path& path, std::string_view text) {
  return result_of(path, write_target(find_target(path), text));
}

tl::expected<void, std::string> write_new_file(const fs::path& path, std::string_view bytes) {
  Errno error = make_folder_of(path);
  if (error == 0) error = write_new(path, bytes);
  if (error == 0) return {};
  if (error == EEXIST) return tl::unexpected(path.string() + ": exists already; name another file, or remove it");
  return tl::unexpected(path.string() + ": " + std::strerror(error) + "; " + advice_on_file(error));
}

tl::expected<void, std::string> check_writable(const fs::path& path) {
  return result_of(path, try_target(find_target(path)));
}

tl::expected<void, std::string> write_descriptor(int descriptor, std::string_view text) {
  if (const Errno error = write_text(descriptor, text); error != 0) return tl::unexpected(std::string(strerror(error)));
  return {};
}

std::string file_identity(const fs::path& path) {
  Target target = path == "-" ? Target{.kind = Target::Kind::descriptor, .path = path, .descriptor = STDOUT_FILENO}
                              : find_target(path);
  if (target.kind == Target::Kind::descriptor) {
    if (fstat(target.descriptor, &target.status) != 0 || S_ISCHR(target.status.st_mode)) {
      return fmt::format("descriptor {}", target.descriptor);
    }
    return identity_of(target.status);
  }
  if (target.kind == Target::Kind::absent) {
    std::error_code error;
    return fs::weakly_canonical(fs::absolute(target.path), error).string();
  }
  return S_ISCHR(target.status.st_mode) ? std::string() : identity_of(target.status);
}

fs::path unused_path_beside(const fs::path& path) {
  std::random_device random;
  fs::path unused;
  std::error_code error;
  do {
    unused = path.parent_path() / fmt::format("{}{}-{:08x}{:08x}", draft_prefix(), getpid(), random(), random());
  } while (fs::exists(fs::symlink_status(unused, error)));
  return unused;
}

void remove_abandoned_drafts(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> abandoned;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? fs::path(".") : folder, error)) {
    const pid_t writer = writer_of(entry.path().filename().string());
    if (writer > 0 && kill(writer, 0) != 0 && errno == ESRCH) abandoned.push_back(entry.path());
  }
  for (const fs::path& draft : abandoned) fs::remove_all(draft, error);
}

}  // namespace tieout
