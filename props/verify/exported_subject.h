#pragma once
// Provides a subject that answers as an exported program does: by LibTorch's float operators.

#include <memory>

#include "kernels/subject/subject.h"

namespace tieout {

inline constexpr std::string_view kExportedSubject = "engine:exported";  // The value of --subject.

// Returns the subject. Like the engines, it runs in the caller's process.
[[nodiscard]] std::unique_ptr<Subject> exported_subject();

}  // namespace tieout
