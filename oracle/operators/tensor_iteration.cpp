#include "oracle/operators/tensor_iteration.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <span>
#include <utility>

namespace tieout {
namespace {

// Values that a step of the vector code takes: two registers of AVX2.
constexpr std::int64_t kStep = 64;

// Returns a positive number if dimension `a` must lie outside of dimension `b`, a negative one if inside, 0 if neither.
int order(const IteratedOperands& operands, std::size_t a, std::size_t b) {
  for (const Shape& strides : operands.strides) {
    const bool is_output = &strides == &operands.strides.front();
    if (operands.reduces && is_output && (strides[a] == 0) != (strides[b] == 0)) return strides[b] == 0 ? 1 : -1;
    if (strides[a] == 0 || strides[b] == 0) continue;
    if (strides[a] != strides[b]) return strides[a] < strides[b] ? -1 : 1;
    if (operands.shape[a] > operands.shape[b]) return 1;
  }
  return 0;
}

// Returns the dimensions, innermost first. The order of LibTorch's insertion sort is kept, because its comparison is no
// total order.
std::vector<std::size_t> sorted_dimensions(const IteratedOperands& operands) {
  std::vector<std::size_t> dims(operands.shape.size());
  std::iota(dims.rbegin(), dims.rend(), std::size_t{0});
  for (std::size_t i = 1; i < dims.size(); ++i) {
    std::size_t at = i;
    for (std::size_t before = i; before-- > 0;) {
      const int comparison = order(operands, dims[before], dims[at]);
      if (comparison < 0) break;
      if (comparison > 0) {
        std::swap(dims[before], dims[at]);
        at = before;
      }
    }
  }
  return dims;
}

bool can_join(const Iteration& it, std::size_t inner, const IteratedOperands& operands, std::size_t outer) {
  if (it.extents[inner] == 1 || operands.shape[outer] == 1) return true;
  for (std::size_t i = 0; i < it.strides.size(); ++i) {
    if (it.extents[inner] * it.strides[i][inner] != operands.strides[i][outer]) return false;
  }
  return true;
}

// Joins neighbouring dimensions that are one run in the memory of every operand.
Iteration joined(const IteratedOperands& operands, const std::vector<std::size_t>& dims) {
  Iteration it;
  it.strides.resize(operands.strides.size());
  for (const std::size_t dim : dims) {
    const bool join = !it.extents.empty() && can_join(it, it.extents.size() - 1, operands, dim);
    const bool replace = !join || it.extents.back() == 1;
    for (std::size_t i = 0; i < it.strides.size(); ++i) {
      if (!join) it.strides[i].push_back(0);
      if (replace) it.strides[i].back() = operands.strides[i][dim];
    }
    if (join) {
      it.extents.back() *= operands.shape[dim];
    } else {
      it.extents.push_back(operands.shape[dim]);
    }
  }
  return it;
}

// True if the loop over the innermost dimension is vector code: the output is dense along it, and all inputs but at
// most one; that one is repeated.
bool has_vector_loop(const Iteration& it) {
  std::size_t repeated = 0;
  for (std::size_t i = 0; i < it.strides.size(); ++i) {
    const std::int64_t stride = it.strides[i].front();
    if (stride == 1) continue;
    if (stride != 0 || i == 0) return false;
    ++repeated;
  }
  return repeated <= 1;
}

// Marks the elements of a loop that vector code computes.
void mark(std::vector<bool>& by_vectors, std::int64_t begin, std::int64_t count) {
  const std::int64_t end = begin + count / kStep * kStep;
  std::fill(by_vectors.begin() + begin, by_vectors.begin() + end, true);
}

}  // namespace

Iteration iteration_of(const IteratedOperands& operands) { return joined(operands, sorted_dimensions(operands)); }

std::vector<ThreadRange> thread_ranges(std::int64_t count, std::int64_t grain, int threads) {
  if (count == 0) return {};
  const auto divided = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  std::int64_t used = threads;
  if (grain > 0) used = std::min(used, divided(count, grain));
  if (count <= grain || used <= 1) return {{0, count}};
  const std::int64_t chunk = divided(count, used);
  std::vector<ThreadRange> ranges;
  for (std::int64_t begin = 0; begin < count; begin += chunk) ranges.push_back({begin, std::min(begin + chunk, count)});
  return ranges;
}

Shape broadcast_strides(const Shape& input, const Shape& strides, const Shape& shape) {
  Shape result(shape.size());
  const std::size_t missing = shape.size() - input.size();
  for (std::size_t d = 0; d < input.size(); ++d) {
    const bool repeated = input[d] == 1 && shape[missing + d] != 1;
    result[missing + d] = repeated ? 0 : strides[d];
  }
  return result;
}

bool is_dense(const Shape& shape, const Shape& strides, MemoryFormat format) {
  if (format == MemoryFormat::channels_last && shape.size() != 4 && shape.size() != 5) return false;
  const Shape dense = dense_strides(shape, format);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1 && strides[d] != dense[d]) return false;
  }
  return true;
}

MemoryFormat suggested_format(const Shape& shape, const Shape& strides) {
  if (shape.size() != 4 && shape.size() != 5) return MemoryFormat::contiguous;
  // The dimensions as channels last has them, innermost first.
  std::vector<std::size_t> dims{1};
  for (std::size_t d = shape.size() - 1; d > 1; --d) dims.push_back(d);
  dims.push_back(0);
  if (strides[1] == 0) return MemoryFormat::contiguous;
  std::int64_t least = 0;
  for (const std::size_t d : dims) {
    if (strides[d] < least || (d == 0 && least == strides[1])) return MemoryFormat::contiguous;
    least = strides[d] * std::max<std::int64_t>(1, shape[d]);
  }
  return MemoryFormat::channels_last;
}

IteratedOperands operands_of(const OperatorCase& c) {
  IteratedOperands operands;
  operands.shape = output_shape(c);
  const Shape& first = c.inputs.front().shape;
  const Shape first_strides = strides_of(c, 0);
  operands.strides.push_back(dense_strides(operands.shape, suggested_format(first, first_strides)));
  if (c.schema->name == "leaky_relu") {  // which copies an input with gaps
    operands.strides.push_back(operands.strides.front());
    return operands;
  }
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    operands.strides.push_back(broadcast_strides(c.inputs[i].shape, strides_of(c, i), operands.shape));
  }
  return operands;
}

std::vector<bool> computed_by_vectors(const IteratedOperands& operands, int threads) {
  const std::int64_t count = element_count(operands.shape);
  std::vector<bool> by_vectors(static_cast<std::size_t>(count));
  if (count == 0) return by_vectors;
  const std::vector<std::size_t> dims = sorted_dimensions(operands);
  Iteration it = joined(operands, dims);
  if (it.extents.empty()) return by_vectors;  // a single number
  if (!has_vector_loop(it)) return by_vectors;
  // Loops run within a range of a thread and within a row of the innermost dimension.
  const std::int64_t row = it.extents.front();
  std::vector<bool> in_order(static_cast<std::size_t>(count));
  for (const ThreadRange& range : thread_ranges(count, kGrainSize, threads)) {
    for (std::int64_t begin = range.begin; begin < range.end;) {
      const std::int64_t end = std::min(range.end, (begin / row + 1) * row);
      mark(in_order, begin, end - begin);
      begin = end;
    }
  }
  if (std::ranges::is_sorted(dims, std::greater<>())) return in_order;  // which is row-major
  // From the order of the iteration to the row-major order of the output.
  const Shape row_major = dense_strides(operands.shape, MemoryFormat::contiguous);
  Shape index(dims.size());
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    by_vectors[static_cast<std::size_t>(offset)] = in_order[static_cast<std::size_t>(i)];
    for (std::size_t d = 0; d < dims.size(); ++d) {
      offset += row_major[dims[d]];
      if (++index[d] < operands.shape[dims[d]]) break;
      offset -= index[d] * row_major[dims[d]];
      index[d] = 0;
    }
  }
  return by_vectors;
}

std::string place_text(const IteratedOperands& operands, int threads, std::int64_t element) {
  const std::int64_t count = element_count(operands.shape);
  const std::vector<std::size_t> dims = sorted_dimensions(operands);
  const Iteration it = joined(operands, dims);
  if (it.extents.empty()) return "A single number is computed by scalar code.";
  // The element's number in the order of the iteration.
  const std::vector<std::int64_t> index = unravel(element, operands.shape);
  std::int64_t number = 0, step = 1;
  for (const std::size_t dim : dims) {
    number += index[dim] * step;
    step *= operands.shape[dim];
  }
  std::string text = "It is number " + std::to_string(number) + " of " + std::to_string(count) +
                     ", counted from 0, in the order of memory. ";
  const std::vector<ThreadRange> ranges = thread_ranges(count, kGrainSize, threads);
  const auto range = std::ranges::find_if(ranges, [&](const ThreadRange& one) { return number < one.end; });
  if (ranges.size() > 1) {
    text += "Thread " + std::to_string(range - ranges.begin() + 1) + " of " + std::to_string(ranges.size()) +
            " computes numbers " + std::to_string(range->begin) + ".." + std::to_string(range->end - 1) + ". ";
  }
  if (!has_vector_loop(it)) {
    return text + "An operand is not dense along the innermost dimension, so that all of the loop is scalar code.";
  }
  const std::int64_t row = it.extents.front();
  const std::int64_t begin = std::max(range->begin, number / row * row);
  const std::int64_t end = std::min(range->end, (number / row + 1) * row);
  text += "Its loop computes the " + std::to_string(end - begin) + " elements " + std::to_string(begin) + ".." +
          std::to_string(end - 1) + ": ";
  const std::int64_t vectors = (end - begin) / kStep;
  const std::int64_t tail = (end - begin) % kStep;
  const std::string step_text = std::to_string(kStep) + " at a time, two registers, by vector code";
  if (vectors == 0) return text + "fewer than the " + std::to_string(kStep) + " of a step of vector code: scalar code.";
  text += step_text + (tail == 0 ? ". " : ", and the last " + std::to_string(tail) + " by scalar code. ");
  const std::int64_t within = number - begin;
  if (within >= vectors * kStep) {
    return text + "It is number " + std::to_string(within - vectors * kStep) + " of these last ones: scalar code.";
  }
  return text + "It is in step " + std::to_string(within / kStep) + ", at place " + std::to_string(within % kStep) +
         ": vector code.";
}

}  // namespace tieout
