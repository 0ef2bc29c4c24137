#pragma once
// A shared library as a subject, in a process of its own: tieout-subject-host, which has never held a reference's answer.

#include <filesystem>
#include <memory>

#include "kernels/subject.h"

namespace tieout {

// file: it exists. Loaded at the first call, and again after its process ended.
[[nodiscard]] std::unique_ptr<Subject> hosted_library(std::filesystem::path file);

}  // namespace tieout
