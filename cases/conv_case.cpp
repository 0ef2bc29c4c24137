#include "cases/conv_case.h"

namespace tieout {
namespace {

Shape with_spatial(std::int64_t first, std::int64_t second, const Spatial& spatial, int dims) {
  Shape shape{first, second};
  shape.insert(shape.end(), spatial.end() - dims, spatial.end());
  return shape;
}

}  // namespace

Spatial output_size(const ConvCase& c) {
  Spatial size{};
  for (std::size_t d = 0; d < size.size(); ++d) {
    const std::int64_t room = c.input[d] + 2 * c.padding[d] - c.dilation[d] * (c.kernel[d] - 1) - 1;
    size[d] = room < 0 ? 0 : room / c.stride[d] + 1;
  }
  return size;
}

Shape activation_shape(const ConvCase& c) { return with_spatial(c.batch, c.in_channels, c.input, c.dims); }

Shape weight_shape(const ConvCase& c) {
  return with_spatial(c.out_channels, c.in_channels / c.groups, c.kernel, c.dims);
}

Shape output_shape(const ConvCase& c) { return with_spatial(c.batch, c.out_channels, output_size(c), c.dims); }

}  // namespace tieout
