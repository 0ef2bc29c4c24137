#pragma once
// Predicts which elements of an output LibTorch's elementwise operators compute with vector instructions, and which
// ones with scalar code. The two round differently in some operators, so that an element's value depends on where it
// lies in memory and on the number of threads.
//
// LibTorch orders and joins the dimensions by their distances in memory, cuts the elements into one range for each
// thread, and runs a loop over the innermost dimension of each range. The loop takes two registers of bytes at a time
// (64 values of AVX2, which this code uses on CPUs with AVX-512 as well); what is left at its end goes through scalar
// code. Where an operand is neither dense along the innermost dimension nor repeated along it, all of the loop is
// scalar.
//
// Sources: ATen/TensorIterator.cpp, ATen/native/cpu/Loops.h, ATen/ParallelOpenMP.h.

#include <cstdint>
#include <string>
#include <vector>

#include "cases/operators/operator_case.h"

namespace tieout {

// The operands of an elementwise operator, all broadcast to the output's shape; or of a reduction, with the input's
// shape.
struct IteratedOperands {
  Shape shape;
  // The distances in memory of the output, then those of each input, in elements. 0 repeats an element.
  std::vector<Shape> strides;
  // The dimensions along which the output has the distance 0 are reduced.
  bool reduces = false;
};

// The joined dimensions, innermost first: their extents, and the distances in memory of each operand.
struct Iteration {
  Shape extents;
  std::vector<Shape> strides;  // of each operand
};

// Returns the dimensions in the order in which LibTorch iterates over them. Reduced ones are innermost.
[[nodiscard]] Iteration iteration_of(const IteratedOperands& operands);

// Returns the operands of a case whose output has the layout of its first input.
[[nodiscard]] IteratedOperands operands_of(const OperatorCase& c);

// Returns for each element of the output, in row-major order, whether vector code computes it.
[[nodiscard]] std::vector<bool> computed_by_vectors(const IteratedOperands& operands, int threads);

// Returns sentences that state why vector code or scalar code computes an element: its number in the order of the
// iteration, the range of its thread, and its place in the loop. element: its offset in the row-major output.
[[nodiscard]] std::string place_text(const IteratedOperands& operands, int threads, std::int64_t element);

// True if a tensor has no gaps and that layout. Distances along extents of 1 do not count. channels_last: of tensors of
// 4 and 5 dimensions only.
[[nodiscard]] bool is_dense(const Shape& shape, const Shape& strides, MemoryFormat format);

// Returns the layout that LibTorch gives to the output of an operator whose first input has these distances in memory.
[[nodiscard]] MemoryFormat suggested_format(const Shape& shape, const Shape& strides);

// Returns the distances in memory of an input that is broadcast to `shape`.
[[nodiscard]] Shape broadcast_strides(const Shape& input, const Shape& strides, const Shape& shape);

// The grain of LibTorch's elementwise operators and sums.
inline constexpr std::int64_t kGrainSize = 32768;

// A range of indices that one thread works on.
struct ThreadRange {
  std::int64_t begin = 0, end = 0;
};

// Returns the ranges into which LibTorch cuts `count` elements. grain: the number below which a further thread is not
// used; elements fewer than it are one range.
[[nodiscard]] std::vector<ThreadRange> thread_ranges(std::int64_t count, std::int64_t grain, int threads);

}  // namespace tieout
