#pragma once
// Provides ByteWriter and ByteReader, which turn values into bytes and back to pass them between processes of the same
// program. The reader checks every length. Numbers keep the byte order and size of the machine.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tieout {

// Appends values to a string of bytes: trivially copyable values as they lie in memory, texts and lists after their
// 64-bit length.
class ByteWriter {
 public:
  template <typename T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(std::string_view text) {
    put(std::uint64_t{text.size()});
    bytes_.append(text);
  }
  void put(const std::string& text) { put(std::string_view(text)); }
  template <typename T>
  void put(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(std::uint64_t{values.size()});
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }

  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what a ByteWriter wrote, in the same order. If the bytes end too early, the remaining texts and lists are
// empty, numbers keep the value that they had, and complete() returns false. The bytes must outlive the reader.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  void get(T& value) {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
    const std::string_view taken = take(sizeof value, 1);
    if (taken.size() == sizeof value) std::ranges::copy(taken, reinterpret_cast<char*>(&value));
  }
  void get(std::string& text) { text = take(1, length()); }
  template <typename T>
  void get(std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::string_view taken = take(sizeof(T), length());
    values.resize(taken.size() / sizeof(T));
    std::ranges::copy(taken, reinterpret_cast<char*>(values.data()));
  }

  // True if every value was present and no byte is left over.
  [[nodiscard]] bool complete() const { return !too_short_ && bytes_.empty(); }

 private:
  std::uint64_t length() {
    std::uint64_t length = 0;
    get(length);
    return length;
  }

  std::string_view take(std::uint64_t size, std::uint64_t count) {
    too_short_ = too_short_ || count > bytes_.size() / size;
    if (too_short_) return {};
    const std::string_view taken = bytes_.substr(0, size * count);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view bytes_;
  bool too_short_ = false;
};

}  // namespace tieout
