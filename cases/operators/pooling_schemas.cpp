// The operators that compute each output element from a window of the input.

#include <algorithm>
#include <string>

#include "cases/operators/schema_list.h"
#include "cases/text/line_words.h"

namespace tieout {
namespace {

using Kind = AttributeSchema::Kind;

constexpr double kHighestAttribute = 1 << 24;

AttributeSchema extents_schema(std::string_view name, double default_value, double low, std::string_view help) {
  return {.name = name,
          .kind = Kind::extents,
          .default_value = default_value,
          .low = low,
          .high = kHighestAttribute,
          .help = help};
}

AttributeSchema flag_schema(std::string_view name, std::string_view help) {
  return {.name = name, .kind = Kind::flag, .low = 0, .high = 1, .help = help};
}

// Returns the number of windows along one axis. ceil: windows that begin within the input or its padding at the begin,
// and end beyond it, count as well.
std::int64_t windows(std::int64_t input, std::int64_t reach, std::int64_t stride, std::int64_t padding, bool ceil) {
  const std::int64_t room = input + 2 * padding - reach;
  if (room < 0 && !ceil) return 0;
  std::int64_t count = (ceil ? (room + stride - 1 >= 0 ? (room + stride - 1) / stride : -1) : room / stride) + 1;
  if (ceil && (count - 1) * stride >= input + padding) --count;
  return count;
}

Shape pooled_shape(const OperatorCase& c, bool has_dilation) {
  Shape shape = c.inputs.front().shape;
  const Shape kernel = extents(c, "kernel"), stride = extents(c, "stride"), padding = extents(c, "padding");
  const Shape dilation = has_dilation ? extents(c, "dilation") : Shape(kernel.size(), 1);
  for (std::size_t d = 0; d < kernel.size(); ++d) {
    const std::int64_t reach = dilation[d] * (kernel[d] - 1) + 1;
    shape[d + 2] = windows(shape[d + 2], reach, stride[d], padding[d], flag(c, "ceil_mode"));
  }
  return shape;
}

Shape max_pool_shape(const OperatorCase& c) { return pooled_shape(c, true); }
Shape avg_pool_shape(const OperatorCase& c) { return pooled_shape(c, false); }

Shape adaptive_shape(const OperatorCase& c) {
  Shape shape = c.inputs.front().shape;
  const Shape size = extents(c, "size");
  std::ranges::copy(size, shape.begin() + 2);
  return shape;
}

bool is_reduced(const OperatorCase& c, std::size_t d) {
  return std::ranges::count(attribute(c, "dims"), static_cast<double>(d)) > 0;
}

Shape mean_shape(const OperatorCase& c) {
  Shape shape;
  const Shape& input = c.inputs.front().shape;
  for (std::size_t d = 0; d < input.size(); ++d) {
    if (!is_reduced(c, d)) {
      shape.push_back(input[d]);
    } else if (flag(c, "keepdim")) {
      shape.push_back(1);
    }
  }
  return shape;
}

tl::expected<void, CaseError> check_spatial(const OperatorCase& c) {
  const std::size_t dims = c.inputs.front().shape.size();
  if (dims < 3) return bad("shape", "must be NxCxW, NxCxHxW or NxCxDxHxW");
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    const AttributeSchema& schema = c.schema->attributes[i];
    const std::size_t given = c.attributes[i].size();
    if (schema.kind == Kind::extents && given != 1 && given != dims - 2) {
      return bad(schema.name, "must have one number for each of the " + std::to_string(dims - 2) +
                                  " spatial dimensions, or one for all");
    }
  }
  return {};
}

tl::expected<void, CaseError> check_pool(const OperatorCase& c) {
  if (auto r = check_spatial(c); !r) return r;
  const Shape kernel = extents(c, "kernel"), padding = extents(c, "padding");
  for (std::size_t d = 0; d < kernel.size(); ++d) {
    if (2 * padding[d] > kernel[d]) return bad("padding", "must be at most half of the kernel");
  }
  for (const std::int64_t extent : c.schema->output_shape(c)) {
    if (extent < 1) return bad("kernel", "does not fit into the padded input");
  }
  return {};
}

tl::expected<void, CaseError> check_avg_pool(const OperatorCase& c) {
  if (integer(c, "divisor") != 0 && c.inputs.front().shape.size() == 3) {
    return bad("divisor", "is not given for NxCxW: aten::avg_pool1d has none");
  }
  return check_pool(c);
}

tl::expected<void, CaseError> check_mean(const OperatorCase& c) {
  const std::vector<double>& dims = attribute(c, "dims");
  if (dims.empty()) return bad("dims", "must list the dimensions that are averaged, such as [2,3]");
  for (const double d : dims) {
    if (d != static_cast<double>(static_cast<std::int64_t>(d)) ||
        d >= static_cast<double>(c.inputs.front().shape.size())) {
      return bad("dims", "must list dimensions of the input");
    }
    if (std::ranges::count(dims, d) > 1) return bad("dims", "lists a dimension twice");
  }
  return {};
}

std::vector<OperatorSchema> make_pooling_schemas() {
  const AttributeSchema kernel = extents_schema("kernel", 1, 1, "extents of the window");
  const AttributeSchema stride = extents_schema("stride", 1, 1, "distance of windows");
  const AttributeSchema padding = extents_schema("padding", 0, 0, "positions added on both sides of each axis");
  const AttributeSchema dilation = extents_schema("dilation", 1, 1, "distance of a window's elements");
  const AttributeSchema ceil = flag_schema("ceil_mode", "present: windows may end beyond the padded input");
  constexpr auto kFirst = OutputParameters::first_input;
  return {
      {.name = "max_pool",
       .help = "Largest value of each window (quantized::max_pool1d, max_pool2d)",
       .output_parameters = kFirst,
       .attributes = {kernel, stride, padding, dilation, ceil},
       .output_shape = max_pool_shape,
       .check = check_pool},
      {.name = "avg_pool",
       .help = "Average of each window (aten::avg_pool2d, avg_pool3d)",
       .output_parameters = kFirst,
       .attributes = {kernel,
                      stride,
                      padding,
                      ceil,
                      flag_schema("exclude_pad", "present: padded positions do not count"),
                      {.name = "divisor",
                       .kind = Kind::integer,
                       .default_value = 0,
                       .low = 0,
                       .high = kHighestAttribute,
                       .help = "divisor of each sum; 0: the number of positions"}},
       .output_shape = avg_pool_shape,
       .check = check_avg_pool},
      {.name = "adaptive_avg_pool",
       .help = "Averages of windows that divide the input evenly (aten::adaptive_avg_pool2d, adaptive_avg_pool3d)",
       .output_parameters = kFirst,
       .attributes = {extents_schema("size", 1, 1, "extents of the output")},
       .output_shape = adaptive_shape,
       .check = check_spatial},
      {.name = "mean",
       .help = "Average along dimensions (aten::mean)",
       .output_parameters = kFirst,
       .attributes = {{.name = "dims", .kind = Kind::numbers, .low = 0, .high = 4, .help = "dimensions, such as [2,3]"},
                      flag_schema("keepdim", "present: the dimensions remain, with extent 1")},
       .output_shape = mean_shape,
       .check = check_mean}};
}

}  // namespace

const std::vector<OperatorSchema>& pooling_schemas() {
  static const std::vector<OperatorSchema> list = make_pooling_schemas();
  return list;
}

}  // namespace tieout
