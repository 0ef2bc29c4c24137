#include "cases/layer_view.h"

#include <algorithm>

namespace tieout {
namespace {

// rows x columns as columns x rows, in squares that stay in the cache.
void transpose(const std::uint8_t* from, std::int64_t rows, std::int64_t columns, std::uint8_t* to) {
  constexpr std::int64_t kSquare = 32;
  for (std::int64_t r = 0; r < rows; r += kSquare) {
    for (std::int64_t c = 0; c < columns; c += kSquare) {
      for (std::int64_t i = r; i < std::min(r + kSquare, rows); ++i) {
        for (std::int64_t j = c; j < std::min(c + kSquare, columns); ++j) to[j * rows + i] = from[i * columns + j];
      }
    }
  }
}

std::vector<std::uint8_t> transposed(const std::uint8_t* values, std::int64_t batch, std::int64_t rows,
                                     std::int64_t columns) {
  std::vector<std::uint8_t> result(static_cast<std::size_t>(batch * rows * columns));
  for (std::int64_t n = 0; n < batch; ++n) {
    transpose(values + n * rows * columns, rows, columns, result.data() + n * rows * columns);
  }
  return result;
}

}  // namespace

std::int64_t offset_of(const OutputElement& element, const ConvCase& c) {
  const std::int64_t plane = volume(output_size(c));
  return (element.position / plane * c.out_channels + element.k) * plane + element.position % plane;
}

OutputElement element_at(std::int64_t offset, const ConvCase& c) {
  const std::int64_t plane = volume(output_size(c));
  const std::int64_t image = offset / (plane * c.out_channels);
  return {image * plane + offset % plane, offset / plane % c.out_channels};
}

std::vector<std::uint8_t> channels_last(const std::uint8_t* values, std::int64_t batch, std::int64_t channels,
                                        std::int64_t plane) {
  return transposed(values, batch, channels, plane);
}

std::vector<std::uint8_t> channels_first(const std::uint8_t* values, std::int64_t batch, std::int64_t channels,
                                         std::int64_t plane) {
  return transposed(values, batch, plane, channels);
}

ConvProblem problem_of(const LayerView& layer) {
  const ConvCase& c = *layer.spec;
  const std::int64_t weights = c.out_channels * reduction_length(c);
  return {c,
          channels_first(layer.activation, c.batch, c.in_channels, volume(c.input)),
          {layer.weight, layer.weight + weights}};
}

}  // namespace tieout
