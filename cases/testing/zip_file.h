#pragma once
// Makes zip archives for tests of code that reads them.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tieout {

// Returns the lowest bytes of a number, little-endian.
[[nodiscard]] inline std::string bytes_of_number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(i < 8 ? value >> (8 * i) & 0xffU : 0);
  return text;
}

// Returns the checksum of zip archives, bit by bit.
[[nodiscard]] inline std::uint32_t zip_checksum(std::string_view bytes) {
  std::uint32_t rest = 0xffffffff;
  for (const char byte : bytes) {
    rest ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1U ^ ((rest & 1U) != 0 ? 0xedb88320U : 0);
  }
  return ~rest;
}

// Returns a zip archive whose entries are stored without compression.
[[nodiscard]] inline std::string zip_of(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string archive, directory;
  for (const auto& [name, data] : entries) {
    const std::string sizes = bytes_of_number(zip_checksum(data), 4) + bytes_of_number(data.size(), 4) +
                              bytes_of_number(data.size(), 4) + bytes_of_number(name.size(), 2);
    directory += "PK\x01\x02" + bytes_of_number(20, 2) + bytes_of_number(20, 2) + bytes_of_number(0, 8) + sizes +
                 bytes_of_number(0, 12) + bytes_of_number(archive.size(), 4) + name;
    archive +=
        "PK\x03\x04" + bytes_of_number(20, 2) + bytes_of_number(0, 8) + sizes + bytes_of_number(0, 2) + name + data;
  }
  return archive + directory + "PK\x05\x06" + bytes_of_number(0, 4) + bytes_of_number(entries.size(), 2) +
         bytes_of_number(entries.size(), 2) + bytes_of_number(directory.size(), 4) +
         bytes_of_number(archive.size(), 4) + bytes_of_number(0, 2);
}

}  // namespace tieout
