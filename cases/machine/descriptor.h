#pragma once
// Provides an owner of a file descriptor, and reading and writing of a known number of bytes.

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string_view>
#include <utility>

namespace tieout {

// Closes its file descriptor when it is destroyed.
class Descriptor {
 public:
  // number: an open descriptor, or a negative number for none.
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      (void)close_now();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Descriptor() { (void)close_now(); }

  // Returns the descriptor, or a negative number if there is none.
  [[nodiscard]] int number() const { return number_; }

  // Returns the descriptor, which the caller then owns.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

  // Closes the descriptor, if there is one. Returns 0, or the value of errno.
  int close_now() {
    if (number_ < 0) return 0;
    return close(std::exchange(number_, -1)) == 0 ? 0 : errno;
  }

 private:
  int number_;
};

// Reads `size` bytes from a blocking descriptor. Returns false if it ends before or cannot be read.
[[nodiscard]] inline bool read_all(int descriptor, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = read(descriptor, to, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// Writes all bytes to a blocking descriptor. Returns false if it cannot be written to.
[[nodiscard]] inline bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = write(descriptor, bytes.data(), bytes.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace tieout
