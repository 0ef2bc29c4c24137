#include "oracle/exported/zip_archive.h"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace tieout {
namespace {

constexpr std::string_view kLocal = "PK\x03\x04", kCentral = "PK\x01\x02", kEnd = "PK\x05\x06";
constexpr std::string_view kLocator64 = "PK\x06\x07", kEnd64 = "PK\x06\x06";
constexpr std::uint64_t kAbsent = 0xffffffff;  // a size or offset that an extra field holds in 64 bits

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

tl::unexpected<std::string> wrong(std::string what) { return tl::unexpected(std::move(what)); }

// Replaces sizes and offsets by those of the zip64 extra field, which holds only the replaced ones, in this order.
// Returns false if the field is missing or too short.
bool apply_zip64(std::string_view extra, ZipEntry& entry) {
  if (entry.size != kAbsent && entry.stored_size != kAbsent && entry.header != kAbsent) return true;
  while (extra.size() >= 4) {
    const std::uint64_t id = little_endian(extra, 0, 2), size = little_endian(extra, 2, 2);
    if (size > extra.size() - 4) return false;
    std::string_view field = extra.substr(4, size);
    extra.remove_prefix(4 + size);
    if (id != 1) continue;
    for (std::uint64_t* value : {&entry.size, &entry.stored_size, &entry.header}) {
      if (*value != kAbsent) continue;
      if (field.size() < 8) return false;
      *value = little_endian(field, 0, 8);
      field.remove_prefix(8);
    }
    return true;
  }
  return false;
}

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t remainder = i;
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1U ^ ((remainder & 1U) != 0 ? 0xedb88320U : 0);
    table[i] = remainder;
  }
  return table;
}

}  // namespace

std::uint32_t crc32_of(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) crc = crc >> 8U ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xffU];
  return ~crc;
}

tl::expected<ZipArchive, std::string> ZipArchive::open(const std::filesystem::path& file) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) return wrong("cannot be read");
  ZipArchive archive(std::move(stream), size);
  if (const auto read = archive.read_directory(); !read) return tl::unexpected(read.error());
  return archive;
}

std::string ZipArchive::read_at(std::uint64_t offset, std::uint64_t size) {
  if (offset >= size_) return {};
  std::string bytes(std::min(size, size_ - offset), '\0');
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(offset));
  file_.read(bytes.data(), std::ssize(bytes));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file_.gcount())));
  return bytes;
}

tl::expected<void, std::string> ZipArchive::read_directory() {
  constexpr std::size_t kEndSize = 22, kLongestComment = 65535, kLocatorSize = 20, kEnd64Size = 56, kEntrySize = 46;
  constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
  const std::uint64_t tail_begin = size_ > kEndSize + kLongestComment ? size_ - kEndSize - kLongestComment : 0;
  const std::string tail = read_at(tail_begin, size_ - tail_begin);
  const std::size_t end = tail.rfind(kEnd);
  if (end == std::string::npos || tail.size() - end < kEndSize) return wrong("it has no directory: it is cut off");
  std::uint64_t bytes = little_endian(tail, end + 12, 4);
  std::uint64_t begin = little_endian(tail, end + 16, 4);
  if (end >= kLocatorSize && tail.compare(end - kLocatorSize, 4, kLocator64) == 0) {
    const std::string end64 = read_at(little_endian(tail, end - kLocatorSize + 8, 8), kEnd64Size);
    if (end64.size() == kEnd64Size && end64.starts_with(kEnd64)) {
      bytes = little_endian(end64, 40, 8);
      begin = little_endian(end64, 48, 8);
    }
  }
  if (begin > size_ || bytes > size_ - begin) return wrong("its directory is said to lie outside of the file");
  if (bytes > kMostBytes) return wrong("its directory is said to be larger than 64 MiB");
  const std::string directory = read_at(begin, bytes);
  for (std::size_t at = 0; directory.size() - at >= kEntrySize && directory.compare(at, 4, kCentral) == 0;) {
    const auto name = static_cast<std::size_t>(little_endian(directory, at + 28, 2));
    const auto extra = static_cast<std::size_t>(little_endian(directory, at + 30, 2));
    const auto comment = static_cast<std::size_t>(little_endian(directory, at + 32, 2));
    if (directory.size() - at < kEntrySize + name + extra + comment) return wrong("its directory is cut off");
    ZipEntry entry{
        .name = directory.substr(at + kEntrySize, name),
        .stored = little_endian(directory, at + 10, 2) == 0 && (little_endian(directory, at + 8, 2) & 1) == 0,
        .header = little_endian(directory, at + 42, 4),
        .size = little_endian(directory, at + 24, 4),
        .stored_size = little_endian(directory, at + 20, 4),
        .crc = static_cast<std::uint32_t>(little_endian(directory, at + 16, 4))};
    if (!apply_zip64(std::string_view(directory).substr(at + kEntrySize + name, extra), entry)) {
      return wrong("an entry of its directory lacks its size");
    }
    entries_.push_back(std::move(entry));
    at += kEntrySize + name + extra + comment;
  }
  return {};
}

tl::expected<std::uint64_t, std::string> ZipArchive::data_of(const ZipEntry& entry) {
  constexpr std::size_t kHeaderSize = 30;
  const std::string header = read_at(entry.header, kHeaderSize);
  if (header.size() < kHeaderSize || !header.starts_with(kLocal)) return wrong("is not where the directory says");
  const std::uint64_t name = little_endian(header, 26, 2), extra = little_endian(header, 28, 2);
  if (read_at(entry.header + kHeaderSize, name) != entry.name) return wrong("has another name than in the directory");
  return entry.header + kHeaderSize + name + extra;
}

std::string ZipArchive::beginning_of(const ZipEntry& entry, std::uint64_t most) {
  const auto data = entry.stored ? data_of(entry) : wrong("is compressed");
  return data ? read_at(*data, std::min(most, entry.size)) : std::string();
}

tl::expected<std::string, std::string> ZipArchive::read(const ZipEntry& entry, std::uint64_t most) {
  if (!entry.stored) return wrong("is compressed or encrypted: torch.export.save() stores it as it is");
  if (entry.size != entry.stored_size) return wrong("is stored, but has two sizes");
  if (entry.size > most) {
    return wrong("has " + std::to_string(entry.size) + " bytes, more than the " + std::to_string(most) + " allowed");
  }
  const auto data = data_of(entry);
  if (!data) return tl::unexpected(data.error());
  if (*data > size_ || entry.size > size_ - *data) return wrong("is said to end behind the end of the file");
  std::string bytes = read_at(*data, entry.size);
  if (bytes.size() != entry.size) return wrong("cannot be read");
  if (crc32_of(bytes) != entry.crc) return wrong("is damaged: its checksum is wrong");
  return bytes;
}

}  // namespace tieout
