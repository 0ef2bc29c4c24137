#pragma once
// Provides a LibTorch as a subject or as a reference, in a process of its own: two copies of LibTorch cannot be loaded
// into one process, because their global symbols have the same names. The process is this program itself, which runs
// its subcommand serve-libtorch with TIEOUT_TORCH set to the folder.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "kernels/subject/subject.h"
#include "oracle/engines/libtorch_version.h"

namespace tieout {

// Begins the argument of --subject or --reference that names a LibTorch, before its folder.
inline constexpr std::string_view kLibTorchPrefix = "libtorch:";

// The name of the subcommand that the process runs.
inline constexpr const char* kServeLibTorch = "serve-libtorch";

// The word that begins the line of a request to serve-libtorch. A case line and a newline follow it, then the contents:
// the activation and the weight, in the order of ConvProblem. The answer is that of docs/process_protocol.md.
inline constexpr std::string_view kCaseWord = "case ";

// Returns the subject that the text names: kLibTorchPrefix and the folder of a LibTorch or of the Python package torch,
// or nothing after it for the LibTorch that this program opens by itself. It computes by the engine, the instruction
// set and the threads that a case names, and declines the cases of LibTorch's known defects. Error: absent, if no
// LibTorch is there, or if this program has no adapter for it.
[[nodiscard]] tl::expected<std::unique_ptr<Subject>, SubjectError> libtorch_subject(std::string_view text);

// Returns the version of the LibTorch that the subject is; nullopt for other subjects.
[[nodiscard]] std::optional<LibTorchVersion> libtorch_version_of(const Subject& subject);

}  // namespace tieout
