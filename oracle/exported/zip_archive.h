#pragma once
// Reads zip archives of PyTorch: torch.save(), torch.jit.save() and torch.export.save() store most entries as they are.
// Nothing is unpacked to disk and nothing is inflated: an entry is a range of the file's bytes.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace tieout {

struct ZipEntry {
  std::string name;               // as the archive has it; never used as a path
  bool stored = true;             // false: compressed or encrypted
  std::uint64_t header = 0;       // offset of its local header, bytes
  std::uint64_t size = 0;         // bytes after unpacking
  std::uint64_t stored_size = 0;  // bytes in the file
  std::uint32_t crc = 0;
};

class ZipArchive {
 public:
  // Reads the directory. Error: there is none, as in a truncated archive; or it lies about its place or size.
  [[nodiscard]] static tl::expected<ZipArchive, std::string> open(const std::filesystem::path& file);

  [[nodiscard]] const std::vector<ZipEntry>& entries() const { return entries_; }

  // Returns the first bytes of an entry, at most `most` and without comparing the checksum; empty if it has none or is
  // not stored.
  [[nodiscard]] std::string beginning_of(const ZipEntry& entry, std::uint64_t most);

  // Returns the bytes of an entry. Error: it is compressed, its local header and the directory differ, it exceeds the
  // file or `most` bytes, or its checksum is wrong. The error does not name the entry.
  [[nodiscard]] tl::expected<std::string, std::string> read(const ZipEntry& entry, std::uint64_t most);

 private:
  ZipArchive(std::ifstream file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

  [[nodiscard]] std::string read_at(std::uint64_t offset, std::uint64_t size);
  [[nodiscard]] tl::expected<void, std::string> read_directory();
  // Returns the offset of the entry's data. Error: the local header is none, or differs from the directory.
  [[nodiscard]] tl::expected<std::uint64_t, std::string> data_of(const ZipEntry& entry);

  std::ifstream file_;
  std::uint64_t size_;
  std::vector<ZipEntry> entries_;
};

// Returns the CRC-32 of zip archives.
[[nodiscard]] std::uint32_t crc32_of(std::string_view bytes);

}  // namespace tieout
