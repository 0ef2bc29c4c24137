#pragma once
// A hypothesis as a subject: what an implementation that follows it would answer.

#include <memory>
#include <string_view>
#include <tl/expected.hpp>

#include "kernels/subject.h"

namespace tieout {

inline constexpr std::string_view kHypothesisPrefix = "hypothesis:";  // of --subject

// The subject for a text that begins with kHypothesisPrefix. Error: absent, where there is no hypothesis of that name.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, SubjectError> hypothesis_subject(std::string_view text);

}  // namespace tieout
