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

Shape draw_pooled_shape(Random& random) {
  constexpr std::array<std::int64_t, 8> kChannels{1, 3, 8, 16, 33, 64, 70, 130};
  return {random.between(1, 2), random.pick(kChannels), random.between(1, 12), random.between(1, 12)};
}

// Puts results on ties: half, a whole or a few times the output's step for each step of the input.
double draw_output_scale(const OperatorCase& c, Random& random) {
  constexpr std::array<double, 6> kRatios{0.5, 1, 2, 2, 4, 1.5};
  double unit = c.inputs.front().quantization.scale;
  if (c.schema->name == "mul") unit *= c.inputs.back().quantization.scale * 16;
  if (c.schema->has_float_input) return draw_scale(random);
  const double scale = random.chance(1, 2) ? unit * random.pick(kRatios) : unit * (0.4 + 2 * random.unit());
  return random.chance(1, 8) ? scale : static_cast<float>(scale);
}

void draw_inputs(OperatorCase& c, Random& random) {
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
  return static_cast<float>(4 * random.unit() - 2);
}

void draw_attributes(OperatorCase& c, Random& random) {
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    const AttributeSchema& schema = c.schema->attributes[i];
    std::vector<double>& values = c.attributes[i];
    switch (schema.kind) {
      case Kind::flag: values = {random.chance(1, 3) ? 1.0 : 0.0}; break;
      case Kind::number: values = {draw_number(schema, random)}; break;
      case Kind::integer:
      case Kind::extents:
      case Kind::numbers: break;  // drawn by the operator's family
    }
  }
}

// Draws what is particular to windows, channels and dimensions.
void draw_family(OperatorCase& c, Random& random) {
  Shape& shape = c.inputs.front().shape;
  const auto has = [&](std::string_view name) {
    return std::ranges::find(c.schema->attributes, name, &AttributeSchema::name) != c.schema->attributes.end();
  };
  if (has("kernel")) {
    const std::int64_t largest = std::min<std::int64_t>(7, std::min(shape[2], shape[3]));
    const std::int64_t kernel = random.between(1, largest);
    attribute(c, "kernel") = {static_cast<double>(kernel)};
    attribute(c, "stride") = {static_cast<double>(random.between(1, 3))};
    attribute(c, "padding") = {static_cast<double>(random.between(0, kernel / 2))};
  }
  if (has("size")) {
    attribute(c, "size") = {static_cast<double>(random.between(1, shape[2])),
                            static_cast<double>(random.between(1, shape[3]))};
  }
  if (has("dims")) attribute(c, "dims") = random.chance(3, 4) ? std::vector<double>{2, 3} : std::vector<double>{1};
  for (const char* name : {"weight", "bias", "mean", "var"}) {
    if (!has(name)) continue;
    std::vector<double>& values = attribute(c, name);
    values.clear();
    const bool positive = std::string_view(name) == "var";
    for (std::int64_t k = 0; k < shape[1]; ++k) {
      values.push_back(static_cast<float>(positive ? 0.1 + random.unit() : 2 * random.unit() - 1));
    }
  }
  if (has("dim")) {
    for (OperatorInput& input : c.inputs) {
      input.shape = shape;
      input.shape[1] = random.between(1, 140);
    }
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
    const Shape shape = is_of_windows(schema) ? draw_pooled_shape(random) : draw_dense_shape(random);
    for (OperatorInput& input : c.inputs) input.shape = shape;
    draw_inputs(c, random);
    draw_broadcast(c, random);
    draw_attributes(c, random);
    draw_family(c, random);
    set_output_parameters(c);
    if (schema.output_parameters == OutputParameters::own && !schema.has_float_output) {
      c.output = {draw_output_scale(c, random), draw_zero_point(random)};
    }
    if (schema.has_float_input) draw_floats(c, random);
    c.seed = random.next();
    if (shape.size() == 4 && random.chance(1, 2)) c.memory_format = MemoryFormat::channels_last;
    c.threads = random.chance(1, 3) ? static_cast<int>(random.between(2, 4)) : 1;
    if (validate(c)) return c;
  }
}

}  // namespace tieout
