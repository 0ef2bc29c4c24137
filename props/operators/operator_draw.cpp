#include "props/operators/operator_draw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace tieout {
namespace {

using Kind = AttributeSchema::Kind;

// A scale as observers choose them: a float32 number. One in eight is a power of two, one in eight a float64 number
// that float32 does not hold, as models that were edited by hand have them.
double draw_scale(Random& random) {
  const double exponent = static_cast<double>(random.between(-9, 2));
  const double exact = std::exp2(exponent) * (1 + random.unit());
  switch (random.below(8)) {
    case 0: return std::exp2(exponent);
    case 1: return exact;
    default: return static_cast<float>(exact);
  }
}

std::int64_t draw_zero_point(Random& random) {
  constexpr std::array<std::int64_t, 6> kEdges{0, 1, 127, 128, 254, 255};
  return random.chance(1, 3) ? random.pick(kEdges) : random.between(0, 255);
}

Contents<std::uint8_t> draw_fill(Random& random) {
  constexpr std::array kFills{Fill::uniform, Fill::uniform, Fill::edges, Fill::extremes, Fill::reduced, Fill::small};
  return {random.pick(kFills), {}};
}

// The extents of an elementwise operator's input: counts at and beside multiples of a register's bytes, and sometimes
// more than one thread's share.
Shape draw_dense_shape(Random& random) {
  constexpr std::array<std::int64_t, 4> kRegisters{32, 64, 128, 256};
  const std::int64_t count =
      random.chance(1, 40)
          ? random.between(32000, 140'000)
          : std::max<std::int64_t>(1, random.pick(kRegisters) * random.between(0, 3) + random.between(-3, 70));
  switch (random.below(4)) {
    case 0: return {count};
    case 1: return {random.between(1, 2), random.between(1, 70), random.between(1, 5), random.between(1, 5)};
    case 2: return {1, random.between(1, 4), std::max<std::int64_t>(1, count / 8), random.between(1, 9)};
    default: return {1, count, 1, 1};
  }
}

// The extents of an input of windows, mostly of two spatial dimensions: numbers of channels at and beside those that
// vector code takes at a time.
Shape draw_pooled_shape(Random& random) {
  constexpr std::array<std::int64_t, 12> kChannels{1, 3, 7, 8, 9, 16, 24, 33, 47, 64, 70, 130};
  Shape shape{random.between(1, 2), random.pick(kChannels)};
  const std::int64_t spatial = random.chance(3, 4) ? 2 : random.between(1, 3);
  for (std::int64_t d = 0; d < spatial; ++d) shape.push_back(random.between(1, 12));
  return shape;
}

// The extents of an input of which dimensions are averaged; one in 30 is so large that several threads add.
Shape draw_averaged_shape(Random& random) {
  if (!random.chance(1, 30)) return draw_pooled_shape(random);
  const std::int64_t channels = random.chance(1, 3) ? 1 : random.between(1, 40);
  return {random.between(1, 2), channels, random.between(100, 200), 40'000 / (100 * channels) + random.between(1, 60)};
}

// Puts results on ties: half, a whole or a few times the output's step for each step of the input.
double draw_output_scale(const OperatorCase& c, Random& random) {
  constexpr std::array<double, 6> kRatios{0.5, 1, 2, 2, 4, 1.5};
  double unit = c.inputs.front().quantization.scale;
  if (c.schema->name == "mul") unit *= c.inputs.back().quantization.scale * 16;
  if (c.schema->has_float_input) return draw_scale(random);
  if (c.schema->name == "sigmoid") return random.chance(1, 2) ? 1.0 / 256 : std::exp2(-9.0 + 3 * random.unit());
  const double scale = random.chance(1, 2) ? unit * random.pick(kRatios) : unit * (0.4 + 2 * random.unit());
  return random.chance(1, 8) ? scale : static_cast<float>(scale);
}

void draw_inputs(OperatorCase& c, Random& random) {
  if (c.schema->has_float_input) return;
  const bool same_scales = random.chance(1, 2);
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    OperatorInput& input = c.inputs[i];
    input.quantization = {draw_scale(random), draw_zero_point(random)};
    if (same_scales) input.quantization.scale = c.inputs.front().quantization.scale;
    input.contents = draw_fill(random);
  }
}

// Broadcasts the second input along some dimensions, as the scaling of channels in networks does.
void draw_broadcast(OperatorCase& c, Random& random) {
  if (c.inputs.size() != 2 || !random.chance(1, 3)) return;
  Shape& shape = c.inputs[1].shape;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (random.chance(1, 2)) shape[d] = 1;
  }
}

// The least and the largest value that attributes of some names take in drawn cases; they hold more.
double draw_number(const AttributeSchema& schema, Random& random) {
  if (schema.name == "eps") return static_cast<float>(1e-5);
  if (schema.name == "min") return static_cast<float>(-4 * random.unit());
  if (schema.name == "max") return static_cast<float>(6 * random.unit());
  // As Python's numbers in a model's script, which float32 does not hold.
  if (schema.kind == Kind::real) return random.chance(1, 10) ? 0 : 20 * random.unit() * random.unit() - 5;
  return static_cast<float>(4 * random.unit() - 2);
}

void draw_attributes(OperatorCase& c, Random& random) {
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    const AttributeSchema& schema = c.schema->attributes[i];
    std::vector<double>& values = c.attributes[i];
    switch (schema.kind) {
      case Kind::flag: values = {random.chance(1, 3) ? 1.0 : 0.0}; break;
      case Kind::number:
      case Kind::real: values = {draw_number(schema, random)}; break;
      case Kind::integer:
      case Kind::extents:
      case Kind::numbers: break;  // drawn by the operator's family
    }
  }
}

bool has(const OperatorSchema& schema, std::string_view name) {
  return std::ranges::find(schema.attributes, name, &AttributeSchema::name) != schema.attributes.end();
}

// Draws one number for each spatial dimension, or one for all.
template <typename Draw>
void draw_extents(OperatorCase& c, std::string_view name, bool one_for_all, Draw draw) {
  std::vector<double>& values = attribute(c, name);
  values.clear();
  const std::size_t count = one_for_all ? 1 : c.inputs.front().shape.size() - 2;
  for (std::size_t d = 0; d < count; ++d) values.push_back(static_cast<double>(draw(d)));
}

void draw_windows(OperatorCase& c, Random& random) {
  const Shape& shape = c.inputs.front().shape;
  const bool one_for_all = random.chance(1, 2);
  const std::int64_t least = *std::min_element(shape.begin() + 2, shape.end());
  draw_extents(c, "kernel", one_for_all, [&](std::size_t d) {
    return random.between(1, std::min<std::int64_t>(7, one_for_all ? least : shape[d + 2]));
  });
  draw_extents(c, "stride", one_for_all, [&](std::size_t) { return random.between(1, 3); });
  draw_extents(c, "padding", one_for_all, [&](std::size_t d) {
    return random.between(0, static_cast<std::int64_t>(attribute(c, "kernel")[d]) / 2);
  });
  if (has(*c.schema, "dilation") && random.chance(1, 3)) {
    draw_extents(c, "dilation", one_for_all, [&](std::size_t) { return random.between(1, 3); });
  }
  if (has(*c.schema, "divisor") && shape.size() > 3 && random.chance(1, 4)) {
    attribute(c, "divisor") = {static_cast<double>(random.between(1, 50))};
  }
}

// The innermost dimensions, the spatial ones, or any.
void draw_averaged(OperatorCase& c, Random& random) {
  const auto count = static_cast<std::uint32_t>(c.inputs.front().shape.size());
  std::vector<double>& dims = attribute(c, "dims");
  const std::uint32_t first = random.chance(1, 2) ? 2 : random.below(count);
  const bool any = random.chance(1, 3);
  for (std::uint32_t d = any ? 0 : first; d < count; ++d) {
    if (!any || random.chance(1, 2)) dims.push_back(d);
  }
}

void draw_channel_numbers(OperatorCase& c, Random& random) {
  for (const char* name : {"weight", "bias", "mean", "var"}) {
    std::vector<double>& values = attribute(c, name);
    values.clear();
    const bool positive = std::string_view(name) == "var";
    // A weight of a power of two and no mean put results on ties.
    const bool simple = random.chance(1, 4);
    for (std::int64_t k = 0; k < c.inputs.front().shape[1]; ++k) {
      const double number = positive ? 0.1 + random.unit() : 2 * random.unit() - 1;
      const double power = std::string_view(name) == "weight" ? 0.5 : 0;
      values.push_back(static_cast<float>(simple && !positive ? power : number));
    }
  }
}

// Mostly joins channels; a negative dimension counts from the end.
void draw_joined(OperatorCase& c, Random& random) {
  Shape shape = c.inputs.front().shape;
  const auto count = std::ssize(shape);
  const std::int64_t dim = random.chance(3, 4) ? 1 : random.between(0, count - 1);
  for (OperatorInput& input : c.inputs) {
    input.shape = shape;
    const bool few = random.chance(1, 2);
    input.shape[static_cast<std::size_t>(dim)] = dim == 1 ? random.between(1, few ? 40 : 140) : random.between(1, 5);
  }
  attribute(c, "dim") = {static_cast<double>(random.chance(1, 8) ? dim - count : dim)};
  // Inputs with the output's parameters are copied.
  if (random.chance(1, 3)) c.output = c.inputs.back().quantization;
}

// Draws what is particular to windows, channels and dimensions.
void draw_family(OperatorCase& c, Random& random) {
  const OperatorSchema& schema = *c.schema;
  if (has(schema, "kernel")) draw_windows(c, random);
  if (has(schema, "size")) {
    const Shape& shape = c.inputs.front().shape;
    draw_extents(c, "size", false, [&](std::size_t d) { return random.between(1, shape[d + 2] + 1); });
  }
  if (has(schema, "dims")) draw_averaged(c, random);
  if (has(schema, "var")) draw_channel_numbers(c, random);
  if (has(schema, "dim")) draw_joined(c, random);
}

// Makes an input a view of a larger tensor, as slices are; a transposed one; or one that is repeated along a dimension.
void draw_view(OperatorInput& input, MemoryFormat format, Random& random) {
  if (input.shape.empty()) return;
  const auto some = [&] { return random.below(static_cast<std::uint32_t>(input.shape.size())); };
  const auto dim = static_cast<std::size_t>(some()), other = static_cast<std::size_t>(some());
  Shape whole = input.shape;
  switch (random.below(3)) {
    case 0:
      whole[dim] += random.between(1, 5);
      input.strides = dense_strides(whole, format);
      break;
    case 1:
      std::swap(whole[dim], whole[other]);
      input.strides = dense_strides(whole, format);
      std::swap(input.strides[dim], input.strides[other]);
      break;
    default:
      input.strides = dense_strides(whole, format);
      input.strides[dim] = 0;
      break;
  }
}

bool is_of_windows(const OperatorSchema& schema) {
  return std::ranges::any_of(schema.attributes, [](const AttributeSchema& attribute) {
    constexpr std::array<std::string_view, 5> kNames{"kernel", "size", "dims", "dim", "var"};
    return std::ranges::find(kNames, attribute.name) != kNames.end();
  });
}

// Floats around the ties of the output, its ends, and beyond them.
void draw_floats(OperatorCase& c, Random& random) {
  OperatorInput& input = c.inputs.front();
  const auto count = static_cast<std::size_t>(element_count(input.shape));
  for (std::size_t i = 0; i < count; ++i) {
    const double step = static_cast<double>(random.between(-300, 300)) + (random.chance(1, 2) ? 0.5 : random.unit());
    float value = static_cast<float>(step * c.output.scale);
    if (random.chance(1, 4)) value = std::nextafter(value, random.chance(1, 2) ? 1e30F : -1e30F);
    if (random.chance(1, 200)) value = random.chance(1, 2) ? INFINITY : -INFINITY;
    if (random.chance(1, 200)) value *= 1e10F;
    input.floats.push_back(value);
  }
}

}  // namespace

OperatorCase draw_operator_case(const OperatorSchema& schema, Random& random) {
  const auto inputs = static_cast<std::size_t>(
      random.between(static_cast<std::int64_t>(schema.least_inputs),
                     static_cast<std::int64_t>(std::min<std::size_t>(schema.most_inputs, schema.least_inputs + 3))));
  for (;;) {
    OperatorCase c = default_case(schema, inputs);
    const bool averages = has(schema, "dims");
    const Shape shape = averages                ? draw_averaged_shape(random)
                        : is_of_windows(schema) ? draw_pooled_shape(random)
                                                : draw_dense_shape(random);
    for (OperatorInput& input : c.inputs) input.shape = shape;
    draw_inputs(c, random);
    draw_broadcast(c, random);
    if (schema.output_parameters == OutputParameters::own && !schema.has_float_output) {
      c.output = {draw_output_scale(c, random), draw_zero_point(random)};
      if (schema.name == "sigmoid" && random.chance(1, 2)) c.output.zero_point = 0;
    }
    draw_attributes(c, random);
    draw_family(c, random);
    set_output_parameters(c);
    if (schema.has_float_input) draw_floats(c, random);
    c.seed = random.next();
    if (shape.size() >= 4 && random.chance(1, 2)) c.memory_format = MemoryFormat::channels_last;
    c.threads = random.chance(1, 3) ? static_cast<int>(random.between(2, 4)) : 1;
    for (OperatorInput& input : c.inputs) {
      if (random.chance(1, 10)) draw_view(input, c.memory_format, random);
    }
    if (validate(c)) return c;
  }
}

}  // namespace tieout
