#pragma once
// Provides a program as a subject; it receives problems and sends answers over its standard input and output: see
// docs/process_protocol.md.

#include <memory>
#include <string>

#include "kernels/subject/subject.h"

namespace tieout {

// Returns the subject. command: a command line for the shell. It is started at the first call, and again after it has
// ended.
[[nodiscard]] std::unique_ptr<Subject> process_subject(std::string command);

// Returns the line that begins a request, without the contents that follow it.
[[nodiscard]] std::string request_line(const ConvCase& c);

}  // namespace tieout
