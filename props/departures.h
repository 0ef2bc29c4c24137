#pragma once
// Where the reference's own code departs from the exact contract, and which of the two a subject follows.
//
// The exact contract is what kernels/conv_relu.h states with its default Arithmetic: exact sums, and the bias added with one
// rounding. FBGEMM's code departs from it where pairs of products saturate in 16 bits (on CPUs without AVX-512 VNNI, in
// depthwise code on all), where sums of activations saturate, and where depthwise code adds the bias with two roundings.
// Both values are right at such an element.

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/conv_relu.h"
#include "oracle/difference_class.h"
#include "oracle/engine_model.h"

namespace tieout {

// Elements at which an answer differs from another one that is as right: how many, and the first of them.
struct Departure {
  std::int64_t elements = 0;
  std::int64_t offset = 0;
  int here = 0, there = 0;  // the values at `offset`: of the answer, and of the other one
  std::string cause;        // "FBGEMM saturates pairs of products in 16 bits; that depends on the CPU"
};

// The answer of an engine to a problem, and the code that gave it.
struct Answered {
  const ConvProblem& problem;  // with the instruction set named
  const Tensor<std::uint8_t>& y;
  Engine engine = Engine::fbgemm;
  FbgemmPath path = FbgemmPath::im2col;
  Arithmetic arithmetic;                    // FBGEMM's, on that path
  const std::vector<ElementTrace>& traces;  // by that arithmetic
};

// The elements at which the answer is not the exact contract's, because the engine's code departs from it. there: the exact
// value.
[[nodiscard]] Departure departure_from_exact(const Answered& answer, const Hardware& hardware);

// The elements that would be different on a CPU without AVX-512 VNNI where this one has it, and the other way round. there: the
// value on that CPU. Predicted, for every engine but QNNPACK, whose answer does not depend on the CPU.
[[nodiscard]] Departure departure_elsewhere(const Answered& answer, const Hardware& hardware);

// What a subject's values are compared with.
struct Followed {
  Tensor<std::uint8_t> expected;     // differs from the subject's values at those elements only that are wrong
  std::vector<Contract> contracts;   // that the subject may follow
  bool exact = false;                // it follows the exact contract, and not FBGEMM's code
  std::string excuse;                // why values other than the answer's are right; empty: there are none
  std::vector<ElementTrace> traces;  // by the exact contract, where the subject follows that; else empty
};

// An element is right where the subject gives the answer's value, or, where FBGEMM's code departs from the exact contract,
// that contract's value. The wrong ones are compared with the contract that the subject follows in the case as a whole: the
// one with fewer elements that differ; of equals, the one nearer in sum of |difference|; of equals, FBGEMM's code.
[[nodiscard]] Followed followed_contract(const Answered& answer, const std::vector<std::uint8_t>& subject);

}  // namespace tieout
