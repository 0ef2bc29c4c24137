#pragma once
// Provides a shared library as a subject that runs in a process of its own, tieout-subject-host. The reference's
// answers are never in the memory of that process.

#include <filesystem>
#include <memory>

#include "kernels/subject/subject.h"

namespace tieout {

// Returns the subject. file: an existing file. It is loaded at the first call, and again after its process has ended.
[[nodiscard]] std::unique_ptr<Subject> hosted_library(std::filesystem::path file);

}  // namespace tieout
