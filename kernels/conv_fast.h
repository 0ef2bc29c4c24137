#pragma once
// The specification, computed fast: for whole layers of models. Same numbers, other code.

#include "kernels/conv_relu.h"

namespace tieout {

// conv_relu(problem, arithmetic), bit for bit (a property), on `threads` threads.
//
// How: activations are widened to int16 and laid out so that one 32-bit lane holds two neighbours of the reduction for one
// output position; a lane-wise multiply-add of two 16-bit pairs (vpmaddwd) gives the pair's sum exactly, which is where int16
// saturation acts, if the arithmetic has it. Then requantization, lane by lane, in the specification's order.
[[nodiscard]] Tensor<std::uint8_t> conv_relu_fast(const ConvProblem& problem, const Arithmetic& arithmetic,
                                                  int threads);

}  // namespace tieout
