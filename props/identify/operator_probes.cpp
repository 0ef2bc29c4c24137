#include "props/identify/operator_probes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "oracle/variants/operator_variants.h"
#include "props/operators/operator_draw.h"

namespace tieout {
namespace {

constexpr std::int64_t kBytes = 256;
// Elements of drawn probes, and of those that are to be read.
constexpr std::int64_t kMostElements = 4096, kFewElements = 48;
// Pairs of bytes among which deciding ones are sought.
constexpr std::int64_t kPairs = 2048;
// One of so many probes contains all pairs of bytes.
constexpr std::uint64_t kAllPairs = 32;
// Elements of a case that decides; and how many of them are repeated.
constexpr std::size_t kDeciding = 8;
constexpr std::int64_t kMostRepeated = 150;

std::int64_t elements_of(const OperatorCase& c) {
  std::int64_t elements = element_count(output_shape(c));
  for (const OperatorInput& input : c.inputs) elements += element_count(input.shape);
  return elements;
}

// Removes what a kernel does not see, and what only repeats elements.
void make_plain(OperatorCase& c) {
  for (OperatorInput& input : c.inputs) input.strides.clear();
  c.memory_format = MemoryFormat::contiguous;
  c.threads = 1;
}

// Draws a case of at most that many elements; the smallest of many, if none is that small.
OperatorCase draw_small(const OperatorSchema& schema, Random& random, std::int64_t most) {
  constexpr int kTries = 40;
  OperatorCase smallest = draw_operator_case(schema, random);
  for (int i = 1; i < kTries && elements_of(smallest) > most; ++i) {
    OperatorCase c = draw_operator_case(schema, random);
    if (elements_of(c) < elements_of(smallest)) smallest = std::move(c);
  }
  make_plain(smallest);
  return smallest;
}

void set_elements(OperatorCase& c, std::size_t input, std::vector<std::uint8_t> values) {
  c.inputs[input].shape = {std::ssize(values)};
  c.inputs[input].contents = {Fill::listed, std::move(values)};
  c.seed = 0;  // which decides nothing any more
}

// Returns a case with these parameters and all bytes, or all pairs of bytes. They begin anywhere, and some are
// repeated, so that each can be behind the whole blocks of a kernel.
OperatorCase with_all_bytes(OperatorCase c, Random& random) {
  const bool two = c.inputs.size() == 2;
  const std::int64_t all = two ? kBytes * kBytes : kBytes, begin = random.between(0, all - 1);
  const std::int64_t end = begin + all + random.between(0, kMostRepeated);
  std::vector<std::uint8_t> first, second;
  for (std::int64_t i = begin; i < end; ++i) {
    first.push_back(static_cast<std::uint8_t>(two ? i / kBytes : i));
    second.push_back(static_cast<std::uint8_t>(i % kBytes));
  }
  set_elements(c, 0, std::move(first));
  if (two) set_elements(c, 1, std::move(second));
  return c;
}

OperatorCase with_some_pairs(OperatorCase c, Random& random) {
  for (std::size_t input = 0; input < c.inputs.size(); ++input) {
    std::vector<std::uint8_t> values;
    for (std::int64_t i = 0; i < kPairs; ++i) values.push_back(static_cast<std::uint8_t>(random.below(kBytes)));
    set_elements(c, input, std::move(values));
  }
  return c;
}

// Moves the scale of the output, or of the first input where that determines the result, to the float32 number at which
// the specified byte of an element changes: there the result is as near to a tie as float32 allows, so that every
// difference in rounding shows. Some scales lie between two float32 numbers.
void put_on_tie(OperatorCase& c, std::int64_t element, Random& random) {
  const bool is_own = c.schema->output_parameters == OutputParameters::own;
  const auto set_scale = [&](double scale) {
    (is_own ? c.output : c.inputs.front().quantization).scale = scale;
    set_output_parameters(c);
  };
  const auto byte_at = [&](float scale) {
    set_scale(scale);
    return compute_changed(with_contents(c), {}).values.values[static_cast<std::size_t>(element)];
  };
  const double drawn = is_own ? c.output.scale : c.inputs.front().quantization.scale;
  auto low = static_cast<float>(drawn), high = low * static_cast<float>(1 + random.unit());
  const std::int32_t byte = byte_at(low);
  if (byte_at(high) == byte) return set_scale(drawn);
  while (std::nextafter(low, high) < high) {
    const float middle = low + (high - low) / 2;
    (byte_at(middle) == byte ? low : high) = middle;
  }
  const float scale = random.chance(1, 2) ? low : high;
  const double between = (random.unit() - 0.5) * double{high - low};
  set_scale(random.chance(1, 2) ? scale : scale + between);
}

// Sets a number that doubles the output's scale, so that every second result is a tie.
void halve_steps(OperatorCase& c, Random& random) {
  const Quantization& input = c.inputs.front().quantization;
  const std::int64_t steps = random.chance(1, 2) ? input.zero_point + 255 : input.zero_point - 510;
  attribute(c, "value") = {static_cast<double>(steps) * input.scale};
  set_output_parameters(c);
}

// Sets extents whose products have no exact inverse that makes ties of sums: 30 and 14 elements.
void set_averaged_extents(OperatorCase& c, Random& random) {
  c.inputs.front().shape = random.chance(1, 2) ? Shape{1, 4, 5, 6} : Shape{1, 4, 2, 7};
  c.inputs.front().contents = {
      Fill::listed, std::vector<std::uint8_t>(static_cast<std::size_t>(element_count(c.inputs.front().shape)))};
  if (c.schema->name == "mean") attribute(c, "dims") = {2, 3};
  if (c.schema->name == "adaptive_avg_pool") attribute(c, "size") = {1, 1};
}

// Alternates two neighbouring bytes in each row of channels, so that averages of an even number are ties. Sets
// ceil_mode, where windows end beyond the padding.
void put_averages_on_ties(OperatorCase& c, Random& random) {
  if (c.schema->name != "avg_pool" && random.chance(1, 2)) set_averaged_extents(c, random);
  c = with_contents(c);
  c.seed = 0;
  const Shape& shape = c.inputs.front().shape;
  std::vector<std::uint8_t>& values = c.inputs.front().contents.values;
  const std::size_t plane = values.size() / static_cast<std::size_t>(shape[0] * shape[1]);
  std::int64_t least = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % plane == 0) least = random.between(0, kBytes - 2);
    values[i] = static_cast<std::uint8_t>(least + (i % 2 == 0 ? 0 : 1));
  }
  if (c.schema->name != "avg_pool") return;
  OperatorCase other = c;
  attribute(other, "ceil_mode") = {1};
  if (validate(other)) c = std::move(other);
}

// Returns a case with parameters at which variants differ, and with all bytes of elementwise operators or many pairs.
OperatorCase targeted_case(const OperatorSchema& schema, Random& random) {
  OperatorCase c = draw_small(schema, random, is_elementwise(schema) ? kMostElements : kFewElements);
  if (schema.has_float_input) return c;
  if (schema.output_parameters == OutputParameters::first_input && !is_elementwise(schema)) {
    if (schema.name != "max_pool" && random.chance(1, 2)) put_averages_on_ties(c, random);
    return c;
  }
  if (schema.output_parameters == OutputParameters::computed) {
    if (schema.name == "add_scalar" && random.chance(1, 2)) halve_steps(c, random);
    return with_all_bytes(c, random);
  }
  if (is_elementwise(schema)) c = c.inputs.size() == 2 ? with_some_pairs(c, random) : with_all_bytes(c, random);
  const auto count = static_cast<std::uint32_t>(element_count(output_shape(c)));
  const std::array offset{std::int64_t{random.below(count)}};
  if (!is_elementwise(schema)) {
    put_on_tie(c, offset.front(), random);
    return c;
  }
  OperatorCase one = case_of_elements(c, offset);
  put_on_tie(one, 0, random);
  for (std::size_t i = 0; i < c.inputs.size(); ++i) c.inputs[i].quantization = one.inputs[i].quantization;
  c.output = one.output;
  return c;
}

// Returns for each variant the first element at which it differs from the specification, without repetitions.
std::vector<std::int64_t> deciding_elements(const OperatorCase& c) {
  const OperatorOutput specified = compute_changed(c, {});
  std::vector<std::int64_t> offsets;
  for (const OperatorVariant& variant : simple_variants(*c.schema)) {
    const auto output = compute_variant(variant, c, Hardware{});
    if (!output) continue;
    const auto differing = std::ranges::mismatch(output->values.values, specified.values.values).in1;
    if (differing == output->values.values.end()) continue;
    const std::int64_t offset = differing - output->values.values.begin();
    if (std::ranges::find(offsets, offset) == offsets.end()) offsets.push_back(offset);
  }
  return offsets;
}

// Returns some deciding elements of a targeted case alone. repeated: as many as a few blocks of a kernel and a tail.
OperatorCase deciding_case(const OperatorSchema& schema, Random& random, bool repeated) {
  const OperatorCase c = targeted_case(schema, random);
  if (!is_elementwise(schema)) return c;
  std::vector<std::int64_t> offsets = deciding_elements(c);
  if (offsets.empty()) offsets.push_back(0);
  // Some of them, so that all variants get their turn.
  while (offsets.size() > kDeciding) {
    offsets.erase(offsets.begin() + random.below(static_cast<std::uint32_t>(offsets.size())));
  }
  if (!repeated) return case_of_elements(c, offsets);
  std::vector<std::int64_t> many(static_cast<std::size_t>(random.between(1, kMostRepeated)));
  for (std::int64_t& offset : many) offset = offsets[random.below(static_cast<std::uint32_t>(offsets.size()))];
  return case_of_elements(c, many);
}

}  // namespace

bool is_elementwise(const OperatorSchema& schema) {
  return std::ranges::none_of(schema.attributes, [](const AttributeSchema& attribute) {
    constexpr std::array<std::string_view, 5> kNames{"kernel", "size", "dims", "dim", "var"};
    return std::ranges::find(kNames, attribute.name) != kNames.end();
  });
}

OperatorCase case_of_elements(const OperatorCase& c, std::span<const std::int64_t> offsets) {
  OperatorCase chosen = c;
  chosen.seed = 0;
  const Shape shape = output_shape(c);
  for (OperatorInput& input : chosen.inputs) {
    const OperatorInput from = input;
    input.shape = {static_cast<std::int64_t>(offsets.size())};
    input.strides.clear();
    input.contents.values.clear();
    input.floats.clear();
    for (const std::int64_t offset : offsets) {
      const std::vector<std::int64_t> index = unravel(offset, shape);
      std::int64_t at = 0;
      for (std::size_t d = 0; d < from.shape.size(); ++d) {
        at = at * from.shape[d] + (from.shape[d] == 1 ? 0 : index[shape.size() - from.shape.size() + d]);
      }
      if (c.schema->has_float_input) {
        input.floats.push_back(from.floats[static_cast<std::size_t>(at)]);
      } else {
        input.contents.values.push_back(from.contents.values[static_cast<std::size_t>(at)]);
      }
    }
  }
  return chosen;
}

OperatorCase operator_probe(const OperatorSchema& schema, std::uint64_t seed, std::uint64_t index) {
  Random random(seed, index);
  switch (index % 4) {
    case 0: return deciding_case(schema, random, false);
    case 1: return draw_small(schema, random, kMostElements);
    case 2: return deciding_case(schema, random, true);
    default: break;
  }
  if (!is_elementwise(schema) || schema.has_float_input) return draw_small(schema, random, kMostElements);
  const OperatorCase c = targeted_case(schema, random);
  const bool all_pairs = c.inputs.size() == 2 && index % kAllPairs == kAllPairs - 1;
  return all_pairs ? with_all_bytes(c, random) : c;
}

std::vector<OperatorCase> operator_probes(const OperatorSchema& schema, std::uint64_t seed, std::int64_t count) {
  std::vector<OperatorCase> probes;
  for (std::int64_t i = 0; i < count; ++i)
    probes.push_back(operator_probe(schema, seed, static_cast<std::uint64_t>(i)));
  return probes;
}

}  // namespace tieout
