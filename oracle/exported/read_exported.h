#pragma once
// Reads a program of torch.export (.pt2, torch.export.save()). No code of the file is run, no pickle is read, and
// neither python nor LibTorch is needed.
//
// The archive is a zip file: models/NAME.json, the graph; data/weights/ and data/constants/, raw tensors, with a JSON
// file each that gives their shapes.

#include <filesystem>
#include <string>
#include <tl/expected.hpp>

#include "oracle/exported/exported_program.h"

namespace tieout {

// True if the archive's entries are those of a program of torch.export, by the file's directory.
[[nodiscard]] bool is_exported_program(const std::filesystem::path& file);

// Reads the file. The error states what is wrong, and where; it does not name the file. Refused are archives that are
// damaged or compressed, that claim more than the file holds, JSON that is larger than 64 MiB or nested deeper than 64,
// pickled weights, and graphs with parts that are graphs themselves.
[[nodiscard]] tl::expected<ExportedProgram, std::string> read_exported_program(const std::filesystem::path& file);

}  // namespace tieout
