#include "oracle/model_files/model_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string_view>

#include "cases/machine/readable_file.h"
#include "oracle/exported/zip_archive.h"

namespace tieout {
namespace {

constexpr const char* kNeeded =
    "needed is the PyTorch model, quantized to quantized::conv operators (torch.ao.quantization: prepare, calibrate, "
    "convert) and saved by torch.jit.save(torch.jit.script(model), FILE), or quantized by convert_pt2e and saved by "
    "torch.export.save(torch.export.export(model, inputs), FILE)";

std::uint64_t little_endian(std::string_view bytes, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

// ---- Zip archives: reads only the names of the entries and the beginning of one entry.

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

std::string describe_archive(const std::filesystem::path& file) {
  auto archive = ZipArchive::open(file);
  if (!archive) return "a zip archive that is cut off or damaged";
  const ZipEntry* pickle = nullptr;
  bool code = false, compiled = false, old_export = false, arrays = false;
  for (const ZipEntry& entry : archive->entries()) {
    const std::string_view name = entry.name;
    code = code || has(name, "/code/") || name.ends_with("/bytecode.pkl");
    compiled = compiled || has(name, "aotinductor/");
    old_export = old_export || name.ends_with("serialized_exported_program.json");
    arrays = arrays || name.ends_with(".npy");
    if (name.ends_with("/data.pkl")) pickle = &entry;
  }
  if (compiled) {
    return "a package of AOTInductor: machine code, whose operators cannot be told; give the program from before "
           "aoti_compile_and_package()";
  }
  if (old_export) return "a program of torch.export in the format before PyTorch 2.8; save it again by a newer one";
  if (code) return {};
  if (pickle != nullptr) {
    constexpr std::uint64_t kEnough = 65536;
    return describe_pickle(archive->beginning_of(*pickle, kEnough));
  }
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
  if (begin.size() > 8 && begin[8] == '{' && little_endian(begin, 8) < size) {
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
  std::string begin(64, '\0');
  stream.read(begin.data(), std::ssize(begin));
  begin.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
  std::string what = begin.empty()                     ? "an empty file"
                     : begin.starts_with("PK\x03\x04") ? describe_archive(file)
                                                       : describe_other(begin, size, file);
  return what.empty() ? what : "neither a TorchScript model nor an exported program, but " + what + "; " + kNeeded;
}

}  // namespace tieout
