#pragma once
// Provides a program as a subject; it receives problems and sends answers over its standard input and output: see
// docs/process_protocol.md.

#include <memory>
#include <string>

#include "kernels/subject/kernel_types.h"
#include "kernels/subject/subject.h"

namespace tieout {

// Describes a program, which may have requests other than those of docs/process_protocol.md.
struct ProcessProgram {
  std::string command;  // a command line for the shell
  std::string text;     // Subject::text()
  std::string name;     // Subject::name() if the program declares none
  std::string files;    // the files that the program consists of, as subject_files() reads them
  // Returns the bytes of a request; nullptr: requests are those of docs/process_protocol.md.
  std::string (*request)(const ConvProblem& problem);
  bool reads_execution;  // see Subject
};

// Returns the subject. command: a command line for the shell. It is started at the first call, and again after it has
// ended.
[[nodiscard]] std::unique_ptr<Subject> process_subject(const std::string& command);

// Returns the subject for a program with requests of its own, which are sent in channels-first order. Its first line
// and its answers are those of docs/process_protocol.md.
[[nodiscard]] std::unique_ptr<Subject> process_subject(ProcessProgram program);

// Return the line that begins a request, without the contents that follow it.
[[nodiscard]] std::string request_line(const ConvCase& c, const KernelTypes& types = {});
[[nodiscard]] std::string operator_request_line(const OperatorCase& c);

}  // namespace tieout
