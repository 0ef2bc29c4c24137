#include "cases/layer_view.h"

#include "cases/layout.h"

namespace tieout {

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
