#pragma once
// Finds elements at which the reference's own code departs from the exact contract, and determines which of the two a
// subject follows.
//
// The exact contract is that of kernels/conv_relu.h with its default Arithmetic: exact sums, and the bias added with
// one rounding. FBGEMM's code departs from it where pairs of products saturate in 16 bits (in depthwise code on every
// CPU, elsewhere on CPUs without AVX-512 VNNI), where sums of activations saturate, and where depthwise code adds the
// bias with two roundings. Both values are right at such an element.

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/conv_relu.h"
#include "oracle/engines/engine_model.h"
#include "oracle/hypotheses/mismatch_class.h"

namespace tieout {

// Describes the elements at which an answer differs from another one that is equally right: their number, and the first
// of them.
struct Departure {
  std::int64_t elements = 0;
  std::int64_t offset = 0;
  // The values at `offset`, of the answer and of the other one.
  std::int32_t here = 0, there = 0;
  // For example "FBGEMM saturates pairs of products in 16 bits; that depends on the CPU".
  std::string cause;
};

// Holds an engine's answer to a problem and the code path that computed it.
struct Answered {
  // Its case names the instruction set.
  const ConvProblem& problem;
  const Answers& y;
  Engine engine = Engine::fbgemm;
  FbgemmPath path = FbgemmPath::im2col;
  // FBGEMM's arithmetic on that path.
  Arithmetic arithmetic;
  // Computed by that arithmetic.
  const std::vector<ElementTrace>& traces;
};

// Returns the elements at which the answer differs from the exact contract because the engine's code departs from it.
// The result's `there` is the exact value.
[[nodiscard]] Departure departure_from_exact(const Answered& answer, const Hardware& hardware);

// Returns the elements that would differ on a CPU without AVX-512 VNNI if this one has it, and vice versa. The result's
// `there` is the value on that CPU. The values are predicted, for every engine but QNNPACK, whose answer does not
// depend on the CPU.
[[nodiscard]] Departure departure_elsewhere(const Answered& answer, const Hardware& hardware);

// Holds the values that a subject is compared with.
struct Followed {
  // Differs from the subject's values exactly at those elements that are wrong.
  Answers expected;
  // The contracts that the subject may follow.
  std::vector<Contract> contracts;
  // True if the subject follows the exact contract and not FBGEMM's code.
  bool exact = false;
  // The reason why values other than the answer's are right; empty: there are none.
  std::string deviation;
  // Traces by the exact contract if the subject follows that; else empty.
  std::vector<ElementTrace> traces;
};

// Determines the contract that the subject follows. An element is right if it has the answer's value or, where FBGEMM's
// code departs from the exact contract, that contract's value. The wrong elements are compared with the contract that
// the subject follows in the case as a whole: the one with fewer differing elements, among equals the one with the
// smaller sum of |difference|, among equals FBGEMM's code.
[[nodiscard]] Followed followed_contract(const Answered& answer, const std::vector<std::int32_t>& subject);

}  // namespace tieout
