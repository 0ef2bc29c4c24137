#pragma once
// Moves a drawn case to where arithmetics part: a value before rounding onto a tie or a limit, pairs of products to the
// limit of 16 bits.

#include "cases/conv_case.h"
#include "cases/random.h"
#include "props/generator.h"

namespace tieout {

// Where the value before rounding of one element is moved to, or at most two floats beside it.
enum class Aim {
  tie,    // an integer and a half whose result is not clamped
  int16,  // where a conversion to int16 begins to saturate, before or after the zero point is added
  int32,  // where a conversion to int32 overflows, or rounding by a large number ends
};

// Changes output scale or bias so that one element's value gets there. c: complete but for that; left alone where the
// element cannot get there.
void aim_at(Aim aim, ConvCase& c, Random& random);

// Contents whose products, summed up in pairs, lie at most two steps from the limits of int16, on both sides of them.
void aim_at_pair_limits(ConvCase& c, Random& random);

// Weights of one sign, so that sums pass 2^24, and biases that bring them back to a tie, or zero points that take most of
// them out. Sometimes, and where the reduction is long enough; false: the case is as it was.
[[nodiscard]] bool aim_at_large_sums(ConvCase& c, Random& random, const GeneratorOptions& options);

// Contents of one sign, so that sums grow towards 2^24, where float32 loses their last bit, and 2^31, where int32 wraps:
// as far as the case's reduction is long.
void aim_at_long_sums(ConvCase& c, Random& random, const GeneratorOptions& options);

}  // namespace tieout
