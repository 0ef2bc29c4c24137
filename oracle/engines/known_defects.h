#pragma once
// Recognises the valid cases on which LibTorch 2.9 to 2.15 is known to give a wrong result, to give results that differ
// from run to run, or to access memory outside of its buffers. A run looks a case up here before it compares, so that
// known defects are counted under their names and cannot hide new ones.
//
// Every condition was determined by random search: it holds wherever the defect was observed, and LibTorch's result is
// right for some of the cases for which it holds. oracle/README.md describes each defect.

#include <string_view>

#include "cases/conv_case.h"
#include "oracle/engines/fbgemm_path.h"

namespace tieout {

struct KnownDefect {
  std::string_view id;     // one word, for counting and for links
  std::string_view cause;  // one line
  bool memory = false;     // reads or writes out of bounds: run the case only in a process that may die
};

// Returns the defect that applies to this valid case, or nullptr. The engine is that of c.execution or, for X86, the
// engine that X86 picks. The result has static storage.
[[nodiscard]] const KnownDefect* known_defect(const ConvCase& c, const Hardware& hardware);

// Returns for example "LibTorch's known defect fbgemm_groupwise_remainder: SIGSEGV". what: the effect of the defect, or
// what was done about it.
[[nodiscard]] std::string text_of(const KnownDefect& defect, std::string_view what);

}  // namespace tieout
