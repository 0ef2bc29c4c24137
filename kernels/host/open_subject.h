#pragma once
// Opens the implementation that a user names: a shared library or a command line.

#include <memory>
#include <string_view>
#include <tl/expected.hpp>

#include "kernels/subject/subject.h"

namespace tieout {

// Returns the subject that the text names: the path of a shared library, or "command:" and a command line for the
// shell. None of its code runs before load() or run(), and then in a process of its own, which belongs to the calling
// process: after a fork, the child starts another one. Error: absent.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, SubjectError> open_subject(std::string_view text);

}  // namespace tieout
