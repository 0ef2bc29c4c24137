#include "cli/common/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace tieout {

namespace {

// Waits until a named pipe, opened with O_NONBLOCK, has a writer that has written or has closed it. Until then, reading
// from it would look like the end of the file.
bool await_writer(int pipe, const std::function<void()>& waiting) {
  constexpr int kPatience = 1000;  // milliseconds
  pollfd state{.fd = pipe, .events = POLLIN, .revents = 0};
  int ready = poll(&state, 1, kPatience);
  if (ready == 0) {
    waiting();
    do {
      ready = poll(&state, 1, -1);
    } while (ready < 0 && errno == EINTR);
  }
  return ready > 0;
}

bool is_pipe(int file) {
  struct stat status{};
  return fstat(file, &status) == 0 && S_ISFIFO(status.st_mode);
}

}  // namespace

tl::expected<LineReader, LineError> LineReader::open(const std::filesystem::path& file,
                                                     const std::function<void()>& waiting) {
  const bool is_input = file == "-";
  Descriptor opened(is_input ? dup(STDIN_FILENO) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  const auto fail = [] { return tl::unexpected(LineError{LineError::Kind::unreadable, std::strerror(errno)}); };
  if (opened.number() < 0) return fail();
  if (is_input) return LineReader(std::move(opened));
  if (is_pipe(opened.number()) && !await_writer(opened.number(), waiting)) return fail();
  if (fcntl(opened.number(), F_SETFL, 0) < 0) return fail();  // without O_NONBLOCK
  return LineReader(std::move(opened));
}

tl::expected<std::optional<std::string>, LineError> LineReader::next() {
  std::string line;
  while (true) {
    if (begin_ == end_) {
      const auto filled = fill();
      if (!filled) return tl::unexpected(filled.error());
      if (!*filled && line.empty()) return std::nullopt;
      if (!*filled) break;
    }
    const char* const from = buffer_.data() + begin_;
    const auto* const newline = static_cast<const char*>(std::memchr(from, '\n', end_ - begin_));
    const std::size_t count = newline != nullptr ? static_cast<std::size_t>(newline - from) : end_ - begin_;
    if (line.size() + count > kLongest) {
      return tl::unexpected(LineError{LineError::Kind::too_long, "the line is longer than 16 MiB"});
    }
    line.append(from, count);
    begin_ += count + (newline != nullptr ? 1 : 0);
    if (newline != nullptr) break;
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (++lines_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// Reads more bytes into the buffer. Returns false at the end of the file.
tl::expected<bool, LineError> LineReader::fill() {
  begin_ = end_ = 0;
  ssize_t count = 0;
  do {
    count = read(file_.number(), buffer_.data(), buffer_.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) return tl::unexpected(LineError{LineError::Kind::unreadable, std::strerror(errno)});
  end_ = static_cast<std::size_t>(count);
  return count > 0;
}

}  // namespace tieout
