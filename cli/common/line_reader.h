#pragma once
// Reads a text file line by line. The length of a line is limited, so that a file without line ends, such as /dev/zero,
// does not take all memory. A read error is reported as such, and not as the end of the file.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "cases/machine/descriptor.h"

namespace tieout {

// The reason why there is no next line.
struct LineError {
  enum class Kind {
    unreadable,  // the file, or the rest of it, cannot be read
    too_long,    // the line exceeds kLongest
  } kind;
  std::string message;
};

class LineReader {
 public:
  static constexpr std::size_t kLongest = std::size_t{16} << 20;  // maximum length of a line, bytes

  // Opens the file; "-" is standard input. Waits for the first bytes of a named pipe. waiting: called if they take more
  // than a second.
  [[nodiscard]] static tl::expected<LineReader, LineError> open(const std::filesystem::path& file,
                                                                const std::function<void()>& waiting);

  // Returns the next line without its end ("\n" or "\r\n") and without the byte order mark that a file in UTF-8 may
  // begin with; nothing at the end of the file.
  [[nodiscard]] tl::expected<std::optional<std::string>, LineError> next();

  [[nodiscard]] std::int64_t lines() const { return lines_; }  // number of lines read so far

 private:
  explicit LineReader(Descriptor file) : file_(std::move(file)), buffer_(std::size_t{1} << 16) {}
  [[nodiscard]] tl::expected<bool, LineError> fill();

  Descriptor file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // bounds of the bytes in buffer_ that next() has not returned yet
  std::int64_t lines_ = 0;
};

}  // namespace tieout
