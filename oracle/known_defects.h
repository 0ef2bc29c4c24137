#pragma once
// Where LibTorch 2.15.0 is known to answer wrongly, to answer differently from run to run, or to touch memory that is not
// its own, on valid cases. A run asks before it compares, so that what is known is counted under its name and cannot hide
// what is new.
//
// Every condition was bounded by random search: it holds wherever the defect was seen, and some of the cases that it holds
// for are answered rightly.

#include <string_view>

#include "cases/conv_case.h"
#include "oracle/fbgemm_path.h"

namespace tieout {

struct KnownDefect {
  std::string_view id;     // one word, for counting and for links
  std::string_view cause;  // one line
  bool memory = false;     // reads or writes out of bounds: run only in a process that may die
};

// The defect that c.execution's engine (for X86, the one that it picks) meets on this valid case, or nullptr.
[[nodiscard]] const KnownDefect* known_defect(const ConvCase& c, const Hardware& hardware);

}  // namespace tieout
