#pragma once
// Provides a subject that answers by an engine of LibTorch.

#include <memory>
#include <string_view>
#include <tl/expected.hpp>

#include "kernels/subject/subject.h"

namespace tieout {

inline constexpr std::string_view kEnginePrefix = "engine:";  // The prefix in the value of --subject.

// Returns the subject for a text that begins with kEnginePrefix, followed by the name of an engine or by "exported",
// the float operators of an exported program (exported_subject.h). LibTorch is opened by load() or run(). The engine
// runs in the caller's process with its own instruction set, whatever execution a case names. It declines what it
// refuses and the cases of its known defects, on which its answer is wrong or it writes outside of its tensors. Error:
// absent, if there is no such engine.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, SubjectError> engine_subject(std::string_view text);

}  // namespace tieout
