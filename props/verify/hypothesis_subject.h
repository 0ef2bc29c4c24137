#pragma once
// Provides a subject that answers as an implementation of a given hypothesis would.

#include <memory>
#include <string_view>
#include <tl/expected.hpp>

#include "kernels/subject/subject.h"

namespace tieout {

inline constexpr std::string_view kHypothesisPrefix = "hypothesis:";  // The prefix in the value of --subject.

// Returns the subject for a text that begins with kHypothesisPrefix. Error: absent, if no hypothesis has that name.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, SubjectError> hypothesis_subject(std::string_view text);

}  // namespace tieout
