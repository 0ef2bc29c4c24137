#pragma once
// Answers cases by LibTorch, in the process that this program starts for a LibTorch that is a subject or a reference
// (cli/options/libtorch_subject.h).

namespace tieout {

// Reads requests from standard input and writes answers to standard output until there are no more. Returns the exit
// status. It is run by `tieout serve-libtorch`, which no help text lists, because only tieout itself runs it.
[[nodiscard]] int serve_libtorch();

}  // namespace tieout
