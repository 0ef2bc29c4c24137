#include "props/generate/operator_twins.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tieout {
namespace {

// Changes the case to its twin.
using OperatorChange = void (*)(OperatorCase&);

double scale_of_twin(double scale) { return scale > 1 ? scale / 4 : scale * 4; }
std::int64_t zero_point_of_twin(std::int64_t zero_point) { return (zero_point + 100) % 256; }

void change_value(OperatorInput& input, std::size_t at) {
  if (!input.contents.values.empty()) input.contents.values[at] = static_cast<std::uint8_t>(~input.contents.values[at]);
  if (!input.floats.empty()) input.floats[at] = -input.floats[at] - 1;
}

std::size_t last_of(const OperatorInput& input) {
  return std::max(input.contents.values.size(), input.floats.size()) - 1;
}

// Returns another number for an attribute, within its range.
double other_number(const AttributeSchema& schema, double value) {
  if (schema.kind == AttributeSchema::Kind::flag) return 1 - value;
  return value + 1 <= schema.high ? value + 1 : value - 1;
}

template <AttributeSchema::Kind... kKinds>
void change_attributes(OperatorCase& c) {
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    const AttributeSchema& schema = c.schema->attributes[i];
    if (((schema.kind != kKinds) && ...)) continue;
    for (double& value : c.attributes[i]) value = other_number(schema, value);
  }
}

// Exchanges the first two dimensions of different extents, of all inputs.
void exchange_dimensions(OperatorCase& c) {
  const Shape shape = c.inputs.front().shape;
  for (std::size_t d = 1; d < shape.size(); ++d) {
    if (shape[d] == shape[d - 1]) continue;
    for (OperatorInput& input : c.inputs) {
      if (input.shape.size() == shape.size()) std::swap(input.shape[d], input.shape[d - 1]);
    }
    return;
  }
}

// Uses another operator that takes as many inputs and has the same attributes.
void exchange_operator(OperatorCase& c) {
  const auto alike = [](const std::vector<AttributeSchema>& a, const std::vector<AttributeSchema>& b) {
    return std::ranges::equal(a, b, {}, &AttributeSchema::name, &AttributeSchema::name);
  };
  for (const OperatorSchema* const schema : operator_schemas()) {
    const bool fits = schema != c.schema && c.inputs.size() >= schema->least_inputs &&
                      c.inputs.size() <= schema->most_inputs && schema->has_float_input == c.schema->has_float_input &&
                      schema->has_float_output == c.schema->has_float_output &&
                      alike(schema->attributes, c.schema->attributes);
    if (!fits) continue;
    c.schema = schema;
    return;
  }
}

constexpr auto kFlag = AttributeSchema::Kind::flag, kInteger = AttributeSchema::Kind::integer,
               kNumber = AttributeSchema::Kind::number, kReal = AttributeSchema::Kind::real,
               kExtents = AttributeSchema::Kind::extents, kNumbers = AttributeSchema::Kind::numbers;

constexpr std::array<std::pair<std::string_view, OperatorChange>, 13> kOperatorTwins{{
    {"zero point of the first input",
     [](OperatorCase& c) {
       auto& of = c.inputs.front().quantization.zero_point;
       of = zero_point_of_twin(of);
     }},
    {"scale of the first input",
     [](OperatorCase& c) {
       auto& of = c.inputs.front().quantization.scale;
       of = scale_of_twin(of);
     }},
    {"zero point of the last input",
     [](OperatorCase& c) {
       auto& of = c.inputs.back().quantization.zero_point;
       of = zero_point_of_twin(of);
     }},
    {"scale of the last input",
     [](OperatorCase& c) {
       auto& of = c.inputs.back().quantization.scale;
       of = scale_of_twin(of);
     }},
    {"output zero point", [](OperatorCase& c) { c.output.zero_point = zero_point_of_twin(c.output.zero_point); }},
    {"output scale", [](OperatorCase& c) { c.output.scale = scale_of_twin(c.output.scale); }},
    {"first value of the first input", [](OperatorCase& c) { change_value(c.inputs.front(), 0); }},
    {"last value of the last input", [](OperatorCase& c) { change_value(c.inputs.back(), last_of(c.inputs.back())); }},
    {"flags", change_attributes<kFlag>},
    {"attributes", change_attributes<kInteger, kNumber, kReal, kNumbers>},
    {"extents of the window", change_attributes<kExtents>},
    {"shape of the same size", exchange_dimensions},
    {"operator", exchange_operator},
}};

}  // namespace

std::size_t operator_twin_kinds() { return kOperatorTwins.size(); }

std::string_view operator_twin_name(std::size_t kind) { return kOperatorTwins[kind].first; }

std::optional<OperatorCase> operator_twin_of(const OperatorCase& c, std::size_t kind) {
  OperatorCase twin = c;
  // Other shapes and contents do not fit the places in memory that are listed.
  for (OperatorInput& input : twin.inputs) input.strides.clear();
  const OperatorCase dense = twin;
  kOperatorTwins[kind].second(twin);
  set_output_parameters(twin);
  if (twin == dense || !validate(twin)) return {};
  return twin;
}

}  // namespace tieout
