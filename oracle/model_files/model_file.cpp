#include "oracle/model_files/model_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

#include "cases/machine/readable_file.h"

namespace tieout {
namespace {

constexpr const char* kNeeded =
    "needed is the PyTorch model, quantized to quantized::conv operators (torch.ao.quantization: prepare, calibrate, "
    "convert) and saved by torch.jit.save(torch.jit.script(model), FILE)";

// ---- Zip archives: reads only the names of the entries and the beginning of one entry.

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string read_at(std::ifstream& file, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return bytes;
}

struct ZipEntry {
  std::string name;
  std::uint64_t header = 0;  // offset of its local header
};

// Returns the entries of the central directory, or nullopt if there is none, as in a truncated archive.
std::optional<std::vector<ZipEntry>> read_directory(std::ifstream& file, std::uint64_t size) {
  constexpr std::size_t kEnd = 22, kLongestComment = 65535, kLocator = 20, kEnd64 = 56, kEntry = 46;
  constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
  const std::uint64_t tail_begin = size > kEnd + kLongestComment ? size - kEnd - kLongestComment : 0;
  const std::string tail = read_at(file, tail_begin, static_cast<std::size_t>(size - tail_begin));
  const std::size_t end = tail.rfind("PK\x05\x06");
  if (end == std::string::npos || tail.size() - end < kEnd) return {};
  std::uint64_t bytes = little_endian(tail, end + 12, 4);
  std::uint64_t begin = little_endian(tail, end + 16, 4);
  if (end >= kLocator && tail.compare(end - kLocator, 4, "PK\x06\x07") == 0) {
    const std::string end64 = read_at(file, little_endian(tail, end - kLocator + 8, 8), kEnd64);
    if (end64.size() == kEnd64 && end64.starts_with("PK\x06\x06")) {
      bytes = little_endian(end64, 40, 8);
      begin = little_endian(end64, 48, 8);
    }
  }
  if (bytes > kMostBytes || begin > size || bytes > size - begin) return {};
  const std::string directory = read_at(file, begin, static_cast<std::size_t>(bytes));
  std::vector<ZipEntry> entries;
  for (std::size_t at = 0; directory.size() - at >= kEntry && directory.compare(at, 4, "PK\x01\x02") == 0;) {
    const auto name = static_cast<std::size_t>(little_endian(directory, at + 28, 2));
    const auto extra = static_cast<std::size_t>(little_endian(directory, at + 30, 2));
    const auto comment = static_cast<std::size_t>(little_endian(directory, at + 32, 2));
    if (directory.size() - at < kEntry + name + extra + comment) break;
    entries.push_back({directory.substr(at + kEntry, name), little_endian(directory, at + 42, 4)});
    at += kEntry + name + extra + comment;
  }
  return entries;
}

// Returns the first bytes of an entry that is stored without compression.
std::string beginning_of(std::ifstream& file, const ZipEntry& entry) {
  constexpr std::size_t kHeader = 30, kEnough = 65536;
  const std::string header = read_at(file, entry.header, kHeader);
  if (header.size() < kHeader) return {};
  return read_at(file, entry.header + kHeader + little_endian(header, 26, 2) + little_endian(header, 28, 2), kEnough);
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Describes what torch.save() wrote, by the classes that its pickle names.
std::string describe_pickle(std::string_view pickle) {
  if (has(pickle, "torch.nn") || has(pickle, "torch.ao.") || has(pickle, "__main__")) {
    return "a whole module that torch.save() pickled, which only its own python code can read";
  }
  // A tensor also contains an empty OrderedDict, for its hooks; the OrderedDict of a state dict precedes its tensors.
  if (pickle.find("OrderedDict") < pickle.find("torch._utils")) {
    return "a state dict that torch.save() wrote: weights without the model";
  }
  return "tensors that torch.save() wrote, and not a model";
}

std::string describe_archive(std::ifstream& file, std::uint64_t size) {
  const auto entries = read_directory(file, size);
  if (!entries) return "a zip archive that is cut off or damaged";
  const ZipEntry* pickle = nullptr;
  bool code = false, exported = false, arrays = false;
  for (const ZipEntry& entry : *entries) {
    const std::string_view name = entry.name;
    code = code || has(name, "/code/") || name.ends_with("/bytecode.pkl");
    exported = exported || name.ends_with("archive_format") || name.ends_with("serialized_exported_program.json");
    arrays = arrays || name.ends_with(".npy");
    if (name.ends_with("/data.pkl")) pickle = &entry;
  }
  if (exported) {
    return "a program of torch.export (.pt2): of one that PyTorch 2 export has quantized the operators are "
           "quantized_decomposed, which have no convolution in int8";
  }
  if (code) return {};
  if (pickle != nullptr) return describe_pickle(beginning_of(file, *pickle));
  return arrays ? "an archive of numpy arrays" : "a zip archive without a model's code in it";
}

// ---- Other formats.

// An ONNX file is a protobuf message that begins with its version, a small number, and a string or the graph.
bool is_onnx(std::string_view begin, const std::filesystem::path& file) {
  constexpr std::string_view kNext = "\x12\x1a\x22\x2a\x32\x3a\x42\x72";
  if (begin.size() < 3 || begin[0] != '\x08') return false;
  return file.extension() == ".onnx" ||
         (begin[1] > 0 && begin[1] < 32 && kNext.find(begin[2]) != std::string_view::npos);
}

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  const char* what;
};

using namespace std::string_view_literals;
constexpr std::array kMagics{
    Magic{0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"sv, "what torch.save() of PyTorch before 1.6 wrote"},
    Magic{0, "\x80"sv, "a python pickle"},
    Magic{4, "TFL3"sv, "a TensorFlow Lite model"},
    Magic{0, "\x89HDF"sv, "an HDF5 file, as Keras writes"},
    Magic{0, "GGUF"sv, "a GGUF file"},
    Magic{0, "\x93NUMPY"sv, "a numpy array"},
    Magic{0, "\x1f\x8b"sv, "a gzip archive: unpack it first"},
    Magic{0, "version https://git-lfs"sv, "a pointer of Git LFS: fetch the file itself by git lfs pull"},
    Magic{0, "<?xml"sv, "an XML file, as OpenVINO writes"},
    Magic{0, "<!DOCTYPE"sv, "an HTML page: fetch the file itself"},
    Magic{0, "<html"sv, "an HTML page: fetch the file itself"},
    Magic{0,
          "\x7f"
          "ELF"sv,
          "a library or program"},
};

std::string describe_other(std::string_view begin, std::uint64_t size, const std::filesystem::path& file) {
  if (is_onnx(begin, file)) return "an ONNX model";
  for (const Magic& magic : kMagics) {
    if (begin.size() >= magic.offset && begin.substr(magic.offset).starts_with(magic.bytes)) return magic.what;
  }
  if (begin.size() > 8 && begin[8] == '{' && little_endian(begin, 0, 8) < size) {
    return "a safetensors file: weights without the model";
  }
  const bool text =
      std::ranges::all_of(begin, [](char c) { return c == '\n' || c == '\r' || c == '\t' || (' ' <= c && c <= '~'); });
  return text ? "a text file" : "a file of another format than the zip archives that torch.jit.save() writes";
}

}  // namespace

std::string describe_foreign_model(const std::filesystem::path& file) {
  if (const std::string why = find_read_error(file); !why.empty()) return why + "; " + kNeeded;
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (error) return {};
  std::ifstream stream(file, std::ios::binary);
  const std::string begin = read_at(stream, 0, 64);
  std::string what = begin.empty()                     ? "an empty file"
                     : begin.starts_with("PK\x03\x04") ? describe_archive(stream, size)
                                                       : describe_other(begin, size, file);
  return what.empty() ? what : "not a TorchScript model, but " + what + "; " + kNeeded;
}

}  // namespace tieout
