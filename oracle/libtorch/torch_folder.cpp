#include "oracle/libtorch/torch_folder.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <system_error>

namespace tieout {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAdapterPrefix = "libtieout_libtorch_", kAdapterSuffix = ".so";

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) entries.push_back(entry.path());
  std::ranges::sort(entries);
  return entries;
}

bool has_library(const fs::path& root) { return is_file(root / "lib" / "libtorch_cpu.so"); }

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r'\"";
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(kBlanks)));
  return text;
}

// Returns the version that a line "__version__ = '2.9.1+cu128'" of the Python package states.
std::optional<LibTorchVersion> version_of_package(const fs::path& root) {
  std::ifstream in(root / "version.py");
  for (std::string line; std::getline(in, line);) {
    const std::size_t equals = line.find('=');
    if (!line.starts_with("__version__") || equals == std::string::npos) continue;
    return parse_libtorch_version(without_blanks(std::string_view(line).substr(equals + 1)));
  }
  return {};
}

// Returns the version that the file build-version of a LibTorch archive states.
std::optional<LibTorchVersion> version_of_archive(const fs::path& root) {
  std::ifstream in(root / "build-version");
  std::string line;
  std::getline(in, line);
  return parse_libtorch_version(without_blanks(line));
}

// Returns the version that the headers define. The file that contains it depends on the release.
std::optional<LibTorchVersion> version_of_headers(const fs::path& root) {
  constexpr std::array kFiles{"torch/headeronly/version.h", "torch/csrc/api/include/torch/version.h"};
  for (const char* file : kFiles) {
    std::ifstream in(root / "include" / file);
    std::string numbers;
    for (std::string line; std::getline(in, line);) {
      for (const std::string_view name : {"MAJOR ", "MINOR ", "PATCH "}) {
        const std::string definition = "#define TORCH_VERSION_" + std::string(name);
        if (!line.starts_with(definition)) continue;
        numbers.append(numbers.empty() ? "" : ".").append(without_blanks(line).substr(definition.size()));
      }
    }
    if (const auto version = parse_libtorch_version(numbers)) return version;
  }
  return {};
}

std::optional<LibTorchVersion> version_of(const fs::path& root) {
  for (const auto& source : {version_of_package, version_of_archive, version_of_headers}) {
    if (const auto version = source(root)) return version;
  }
  return {};
}

// Appends the folder `torch` of every package folder of a Python environment, if it has a LibTorch.
void add_packages_of(const fs::path& prefix, std::vector<fs::path>& found) {
  for (const fs::path& python : entries_of(prefix / "lib")) {
    if (!python.filename().string().starts_with("python3")) continue;
    for (const char* packages : {"site-packages", "dist-packages"}) {
      if (has_library(python / packages / "torch")) found.push_back(python / packages / "torch");
    }
  }
}

// Returns the folders from which the first python3 of PATH imports packages, in its order.
std::vector<fs::path> folders_of_python() {
  // The shell's own error message is discarded: without python3, there are no folders.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(
      popen("exec python3 -c 'import sys; print(*sys.path, sep=\"\\n\")' 2>/dev/null </dev/null", "r"), pclose);
  std::vector<fs::path> folders;
  if (!output) return folders;
  std::string text;
  std::array<char, 4096> chunk{};
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), output.get()))
    text.append(chunk.data(), size);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (text[at] == '/') folders.emplace_back(text.substr(at, end - at));  // not the current folder
    at = end + 1;
  }
  return folders;
}

fs::path program_folder() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

// Returns the Python package `torch` of the first environment that has one.
std::optional<fs::path> find_package() {
  if (const auto around = torch_packages_around(program_folder()); !around.empty()) return around.front();
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    std::vector<fs::path> found;
    if (const char* const prefix = std::getenv(variable)) add_packages_of(prefix, found);
    if (!found.empty()) return found.front();
  }
  for (const fs::path& folder : folders_of_python()) {
    if (has_library(folder / "torch")) return folder / "torch";
  }
  return {};
}

constexpr const char* kGetOne =
    "install one (pip install torch), or set TIEOUT_TORCH to the folder of a LibTorch or of the Python package torch";

std::vector<fs::path> adapter_folders() {
  const fs::path program = program_folder();
  return {program.parent_path() / TIEOUT_ADAPTER_FOLDER, program.parent_path() / "lib", program};
}

}  // namespace

tl::expected<TorchFolder, std::string> read_torch_folder(const fs::path& folder) {
  const auto refuse = [&](const std::string& why) { return tl::unexpected("'" + folder.string() + "': " + why); };
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return refuse(error && error != std::errc::no_such_file_or_directory ? error.message() : "there is no such folder");
  }
  const fs::path root = has_library(folder / "torch") ? folder / "torch" : folder;
  if (!has_library(root)) {
    return refuse(
        "no LibTorch is there: neither lib/libtorch_cpu.so nor torch/lib/libtorch_cpu.so exists; name the folder of a "
        "LibTorch, or the folder `torch` in the site-packages of a Python environment");
  }
  const auto version = version_of(root);
  if (!version) {
    return refuse(
        "the version of this LibTorch cannot be determined: version.py, build-version and include/torch/ are missing "
        "or state none; name a complete LibTorch");
  }
  const fs::path absolute = fs::canonical(root, error);
  return TorchFolder{.root = error ? root : absolute, .version = *version};
}

std::vector<fs::path> torch_packages_around(const fs::path& folder) {
  std::vector<fs::path> found;
  for (fs::path at = folder; at.has_relative_path(); at = at.parent_path()) {
    const std::string name = at.filename().string();
    if ((name == "site-packages" || name == "dist-packages") && has_library(at / "torch"))
      found.push_back(at / "torch");
    add_packages_of(at, found);
  }
  return found;
}

tl::expected<TorchFolder, std::string> find_torch_folder() {
  if (const char* const named = std::getenv("TIEOUT_TORCH"); named != nullptr && *named != '\0') {
    return read_torch_folder(named).map_error([](const std::string& why) { return "TIEOUT_TORCH=" + why; });
  }
  // NOLINTNEXTLINE(readability-redundant-string-init): it is empty in a program that is built for a package
  constexpr std::string_view kBuiltWith = TIEOUT_DEFAULT_TORCH;
  if (!kBuiltWith.empty() && has_library(kBuiltWith)) return read_torch_folder(kBuiltWith);
  if (const auto package = find_package()) return read_torch_folder(*package);
  return tl::unexpected(
      "no LibTorch was found: " +
      (kBuiltWith.empty() ? "" : std::string(kBuiltWith) + ", with which this was built, is not there, and ") +
      "no Python environment has the package torch; " + kGetOne);
}

tl::expected<fs::path, std::string> find_adapter(const TorchFolder& torch) {
  const std::string wanted = minor_text(torch.version);
  std::set<LibTorchVersion> others;
  for (const fs::path& folder : adapter_folders()) {
    for (const fs::path& entry : entries_of(folder)) {
      const std::string name = entry.filename().string();
      if (!name.starts_with(kAdapterPrefix) || !name.ends_with(kAdapterSuffix)) continue;
      const std::string minor =
          name.substr(kAdapterPrefix.size(), name.size() - kAdapterPrefix.size() - kAdapterSuffix.size());
      if (minor == wanted) return fs::path(entry);
      if (const auto version = parse_libtorch_version(minor + ".0")) others.insert(*version);
    }
  }
  std::string message = torch.root.string() + " is LibTorch " + text_of(torch.version) + ", ";
  if (torch.version < kOldestLibTorch) {
    message += "which is too old: Tieout needs " + minor_text(kOldestLibTorch) + " or newer";
  } else {
    message += "and this program has no adapter for it";
  }
  if (others.empty()) return tl::unexpected(message + "; scripts/setup.sh all builds the adapters");
  std::string list;
  for (const LibTorchVersion& version : others) list.append(list.empty() ? "" : ", ").append(minor_text(version));
  return tl::unexpected(message + "; it has adapters for " + list +
                        ": set TIEOUT_TORCH to such a LibTorch, or build an adapter (docs/libtorch_versions.md)");
}

}  // namespace tieout
