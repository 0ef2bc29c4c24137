#pragma once
// Provides a shared library as a subject that runs in the calling process; the host of hosted_library.h uses it.

#include <filesystem>
#include <memory>

#include "kernels/subject/subject.h"

namespace tieout {

// Returns the subject. file: an existing file, loaded at the first call.
[[nodiscard]] std::unique_ptr<Subject> plug_in(std::filesystem::path file);

}  // namespace tieout
