#pragma once
// Moves a drawn case to a point where arithmetics differ: it puts a value before rounding on a tie or a limit, or pairs
// of products at the limits of 16 bits.

#include <cstdint>

#include "cases/conv_case.h"
#include "cases/random.h"
#include "props/generate/generator.h"

namespace tieout {

// Selects the target for the value before rounding of one element, which is moved there or at most two floats beside
// it.
enum class Boundary {
  // An integer and a half whose result is not clamped.
  tie,
  // The value from which a conversion to int16 saturates, before or after the zero point is added.
  int16,
  // The value from which a conversion to int32 overflows, or rounding by adding a large number fails.
  int32,
};

// Returns the float that lies `floats` floats above the value, or below it if `floats` is negative.
[[nodiscard]] float float_beside(float value, std::int64_t floats);

// Changes the output scale or the bias so that the value of one element reaches the target. c: a complete case. The
// case is left as it was if the element cannot reach the target.
void move_to_boundary(Boundary boundary, ConvCase& c, Random& random);

// Draws contents whose pairs of products sum to at most two steps from a limit of int16, on either side of it.
void draw_pair_limits(ConvCase& c, Random& random);

// Draws weights of one sign, so that sums exceed 2^24, and either biases that bring the sums back to a tie or zero
// points that cancel most of them. It changes two of three cases whose reduction has 300 to 5,000 products, and returns
// false if it left the case as it was.
[[nodiscard]] bool move_large_sums_to_tie(ConvCase& c, Random& random, const GeneratorOptions& options);

// Draws contents of one sign, so that sums grow towards 2^24, where float32 loses their last bit, and 2^31, where int32
// wraps. How far they grow depends on the length of the case's reduction.
void draw_growing_sums(ConvCase& c, Random& random, const GeneratorOptions& options);

}  // namespace tieout
