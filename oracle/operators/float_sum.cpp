#include "oracle/operators/float_sum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "oracle/operators/tensor_iteration.h"

namespace tieout {
namespace {

// Numbers in a register of AVX2.
constexpr std::int64_t kLanes = 8;
// Rows that are summed at a time.
constexpr std::int64_t kRows = 4;

// Numbers at equal distances in memory.
struct Row {
  const float* begin = nullptr;
  std::int64_t stride = 1;
  std::int64_t count = 0;

  [[nodiscard]] float operator[](std::int64_t i) const { return begin[i * stride]; }
  // Returns the row of every `step`-th number.
  [[nodiscard]] Row every(std::int64_t step, std::int64_t first, std::int64_t numbers) const {
    return {begin + first * stride, stride * step, numbers};
  }
};

// Adds the numbers in blocks, the sums of blocks in larger blocks, and so on, on four levels.
float cascade_sum(const Row& row) {
  constexpr std::size_t kLevels = 4;
  const auto count = static_cast<std::uint64_t>(row.count);
  const auto ceil_log2 = count <= 2 ? std::int64_t{1} : static_cast<std::int64_t>(std::bit_width(count - 1));
  const std::int64_t power = std::max<std::int64_t>(4, ceil_log2 / static_cast<std::int64_t>(kLevels));
  const std::int64_t block = std::int64_t{1} << power;
  std::array<float, kLevels> sums{};
  std::int64_t i = 0;
  while (i + block <= row.count) {
    for (const std::int64_t end = i + block; i < end; ++i) sums[0] += row[i];
    for (std::size_t level = 1; level < kLevels; ++level) {
      sums[level] += sums[level - 1];
      sums[level - 1] = 0;
      const std::int64_t place = static_cast<std::int64_t>(level) * power;
      if (((i >> place) & (block - 1)) != 0) break;
    }
  }
  for (; i < row.count; ++i) sums[0] += row[i];
  for (std::size_t level = 1; level < kLevels; ++level) sums[0] += sums[level];
  return sums[0];
}

// Adds four interleaved rows, then their sums.
float interleaved_sum(const Row& row) {
  const std::int64_t each = row.count / kRows;
  float sum = cascade_sum(row.every(kRows, 0, each));
  for (std::int64_t i = each * kRows; i < row.count; ++i) sum += row[i];
  for (std::int64_t k = 1; k < kRows; ++k) sum += cascade_sum(row.every(kRows, k, each));
  return sum;
}

// Adds a dense row: what fills no register first, then the sums of each place of the registers.
float dense_sum(const Row& row) {
  const std::int64_t registers = row.count / kLanes;
  float sum = 0;
  for (std::int64_t i = registers * kLanes; i < row.count; ++i) sum += row[i];
  for (std::int64_t lane = 0; lane < kLanes; ++lane) sum += interleaved_sum(row.every(kLanes, lane, registers));
  return sum;
}

// Two dimensions of the iteration: the reduced one, and the other one, which has `outer` indices.
struct Plane {
  Row row;
  std::int64_t outer = 1, outer_stride = 0;
  std::int64_t output_stride = 0;
};

// Adds the sum of each row to its output.
void add_plane(const Plane& plane, float* output) {
  const auto row_at = [&](std::int64_t j) {
    return Row{plane.row.begin + j * plane.outer_stride, plane.row.stride, plane.row.count};
  };
  const bool dense_rows = plane.row.stride == 1 && plane.row.count >= kLanes;
  const bool dense_outer = !dense_rows && plane.outer_stride == 1 && plane.outer >= kLanes;
  const bool one_by_one = !dense_rows && !dense_outer && plane.row.stride < plane.outer_stride;
  // The number of indices that are summed several at a time, each without interleaving.
  const std::int64_t together = dense_outer ? kRows * kLanes : kRows;
  const std::int64_t simple = dense_rows || one_by_one ? 0 : plane.outer / together * together;
  for (std::int64_t j = 0; j < plane.outer; ++j) {
    float sum = 0;
    if (dense_rows) {
      sum = dense_sum(row_at(j));
    } else {
      sum = j < simple ? cascade_sum(row_at(j)) : interleaved_sum(row_at(j));
    }
    output[j * plane.output_stride] += sum;
  }
}

// Adds numbers whose iteration is a single reduced dimension.
float sum_of_all(std::span<const float> numbers) {
  float sum = 0;
  add_plane({.row = {numbers.data(), 1, std::ssize(numbers)}}, &sum);
  return sum;
}

// Several threads add ranges of the numbers, then the sums of all threads are added.
float sum_by_threads(std::span<const float> numbers, int threads) {
  std::vector<float> sums(static_cast<std::size_t>(threads));
  std::size_t thread = 0;
  for (const ThreadRange& range : thread_ranges(std::ssize(numbers), kGrainSize, threads)) {
    sums[thread++] = sum_of_all(
        numbers.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end - range.begin)));
  }
  return sum_of_all(sums);
}

// Adds plane after plane. Where threads divide the outputs, each output is added as by one thread.
void add_planes(const std::vector<float>& values, Iteration it, std::vector<float>& sums) {
  while (it.extents.size() < 2) {
    it.extents.push_back(1);
    for (Shape& strides : it.strides) strides.push_back(0);
  }
  const Shape &to = it.strides[0], &from = it.strides[1];
  // Both dimensions of a plane can be reduced; the outer one then adds to one output.
  const bool swapped = to[0] != 0 && to[1] == 0;
  const std::size_t row = swapped ? 1 : 0, outer = swapped ? 0 : 1;
  Shape index(it.extents.size());
  for (;;) {
    std::int64_t read = 0, write = 0;
    for (std::size_t d = 2; d < index.size(); ++d) {
      read += index[d] * from[d];
      write += index[d] * to[d];
    }
    if (to[0] != 0 && to[1] != 0) {  // nothing is reduced
      for (std::int64_t j = 0; j < it.extents[1]; ++j) {
        for (std::int64_t i = 0; i < it.extents[0]; ++i) {
          sums[static_cast<std::size_t>(write + i * to[0] + j * to[1])] +=
              values[static_cast<std::size_t>(read + i * from[0] + j * from[1])];
        }
      }
    } else {
      add_plane({.row = {values.data() + read, from[row], it.extents[row]},
                 .outer = it.extents[outer],
                 .outer_stride = from[outer],
                 .output_stride = to[outer]},
                sums.data() + write);
    }
    std::size_t d = 2;
    for (; d < index.size(); ++d) {
      if (++index[d] < it.extents[d]) break;
      index[d] = 0;
    }
    if (d == index.size()) return;
  }
}

}  // namespace

std::vector<float> float_sum(const std::vector<float>& values, const Shape& shape, const Shape& strides,
                             const std::vector<bool>& reduced, int threads) {
  IteratedOperands operands{.shape = shape, .strides = {Shape(shape.size()), strides}, .reduces = true};
  std::int64_t outputs = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (reduced[d]) continue;
    operands.strides[0][d] = outputs;
    outputs *= shape[d];
  }
  if (outputs == 1 && std::ssize(values) >= kGrainSize && threads > 1) return {sum_by_threads(values, threads)};
  std::vector<float> sums(static_cast<std::size_t>(outputs));
  add_planes(values, iteration_of(operands), sums);
  return sums;
}

}  // namespace tieout
