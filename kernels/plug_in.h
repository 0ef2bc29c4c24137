#pragma once
// A shared library as a subject.

#include <filesystem>
#include <memory>

#include "kernels/subject.h"

namespace tieout {

// file: it exists. Loaded at the first call.
[[nodiscard]] std::unique_ptr<Subject> plug_in(std::filesystem::path file);

}  // namespace tieout
