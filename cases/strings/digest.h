#pragma once
// Computes a digest of a sequence of values with 64-bit FNV-1a. It detects accidents and careless edits, not forgeries.

#include <bit>
#include <cstdint>
#include <string_view>

namespace tieout {

class Digest {
 public:
  // Starts an empty digest, or continues from the value of another one.
  explicit Digest(std::uint64_t value = 0xcbf29ce484222325U) : value_(value) {}

  void add_bytes(std::string_view bytes) {
    for (const char byte : bytes) value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  }

  void add(std::uint64_t value) {
    for (unsigned byte = 0; byte < 8; ++byte) value_ = (value_ ^ (value >> (8 * byte) & 0xffU)) * 0x100000001b3U;
  }
  void add(std::int64_t value) { add(static_cast<std::uint64_t>(value)); }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value)); }

  // Adds the text with its length, so that "ab", "c" and "a", "bc" give different digests.
  void add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    add_bytes(text);
  }

  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_;
};

}  // namespace tieout
