#pragma once
// Predicts the sum of float32 numbers along dimensions bit for bit: the order in which LibTorch adds them.
//
// LibTorch iterates over two dimensions at a time, of which the first one is reduced, and adds the result of each such
// pair to the output. Where the reduced dimension is dense in memory, 8 partial sums are kept, one for each place of an
// AVX2 register. Each of these is in turn the sum of 4 interleaved rows, whose numbers are added in blocks of 16 or
// more, and those in larger blocks, so that numbers of similar size are added.
// Sources: ATen/native/cpu/SumKernel.cpp (which runs for AVX2 on CPUs with AVX-512 as well),
// ATen/TensorIteratorReduce.cpp.

#include <vector>

#include "cases/tensor.h"

namespace tieout {

// Returns the sums of a tensor along the dimensions that are set in `reduced`, in row-major order of the other ones.
// values: in memory, without gaps. strides: the distances in memory of a dense tensor of that shape.
[[nodiscard]] std::vector<float> float_sum(const std::vector<float>& values, const Shape& shape, const Shape& strides,
                                           const std::vector<bool>& reduced, int threads);

}  // namespace tieout
