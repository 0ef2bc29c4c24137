#pragma once
// Finds the LibTorch that the program opens, and the adapter for it, without running any code of LibTorch.

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "oracle/engines/libtorch_version.h"

namespace tieout {

struct TorchFolder {
  std::filesystem::path root;  // contains lib/libtorch_cpu.so
  LibTorchVersion version;     // as files of the folder state it
};

// Reads a folder that a user names: a LibTorch (with lib/), the folder of the Python package `torch`, or the folder
// that contains one of these under the name `torch`. Error: what is wrong with the folder, and what to do.
[[nodiscard]] tl::expected<TorchFolder, std::string> read_torch_folder(const std::filesystem::path& folder);

// Returns the LibTorch that the program opens: that of the environment variable TIEOUT_TORCH; without it, the LibTorch
// that the program was built with; if that is not there, the Python package `torch`, which is looked for in the
// environment that the program lies in, then in VIRTUAL_ENV and CONDA_PREFIX, and then in the folders that the first
// python3 of PATH imports from. Error: why none was found, and what to do.
[[nodiscard]] tl::expected<TorchFolder, std::string> find_torch_folder();

// Returns the folders `torch` of the Python environments that contain the folder, nearest first: it may lie inside of a
// site-packages folder, or in bin/ beside one.
[[nodiscard]] std::vector<std::filesystem::path> torch_packages_around(const std::filesystem::path& folder);

// Returns the adapter for the version: libtieout_libtorch_MINOR.so, in the folder of the program or in ../lib beside
// it. Error: that there is none, which ones there are, and what to do.
[[nodiscard]] tl::expected<std::filesystem::path, std::string> find_adapter(const TorchFolder& torch);

}  // namespace tieout
