#pragma once
// A process as a subject: docs/process_protocol.md.

#include <memory>
#include <string>

#include "kernels/subject.h"

namespace tieout {

// command: a line for the shell. Started at the first call, and again after it ended.
[[nodiscard]] std::unique_ptr<Subject> process_subject(std::string command);

// The words of a request, without the contents that follow it.
[[nodiscard]] std::string request_line(const ConvCase& c);

}  // namespace tieout
