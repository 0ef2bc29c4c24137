#pragma once
// Reads a text file line by line. A line has an upper bound, so that a file without ends of lines, such as /dev/zero,
// does not take all memory; what cannot be read is an error, and not the end of the file.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace tieout {

// Why there is no next line.
struct LineError {
  enum class Kind {
    unreadable,  // the file, or the rest of it
    too_long,    // the line
  } kind;
  std::string message;
};

class LineReader {
 public:
  static constexpr std::size_t kLongest = std::size_t{16} << 20;  // bytes of a line

  // "-" is standard input.
  [[nodiscard]] static tl::expected<LineReader, LineError> open(const std::filesystem::path& file);

  // The next line without its end ("\n" or "\r\n"), and without the byte order mark that a file in UTF-8 may begin
  // with; nothing at the end of the file.
  [[nodiscard]] tl::expected<std::optional<std::string>, LineError> next();

  [[nodiscard]] std::int64_t lines() const { return lines_; }  // read so far

 private:
  class Descriptor {
   public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    ~Descriptor();
    [[nodiscard]] int number() const { return number_; }

   private:
    int number_;
  };

  explicit LineReader(Descriptor file) : file_(std::move(file)), buffer_(std::size_t{1} << 16) {}
  [[nodiscard]] tl::expected<bool, LineError> fill();

  Descriptor file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what is in buffer_ and has not been handed on
  std::int64_t lines_ = 0;
};

}  // namespace tieout
