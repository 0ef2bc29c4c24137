#include "cases/operators/operator_case.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "cases/byte_contents.h"
#include "cases/operators/operator_text.h"
#include "cases/text/line_words.h"

namespace tieout {
namespace {

constexpr std::int64_t kMostExtent = std::int64_t{1} << 24;
constexpr std::size_t kMostDimensions = 5;

tl::expected<void, CaseError> check_quantization(const Quantization& q, std::string_view scale,
                                                 std::string_view zero_point) {
  const auto narrow = static_cast<float>(q.scale);
  if (!(narrow > 0) || !std::isfinite(narrow)) return bad(scale, "must be positive and finite in float32");
  if (q.zero_point < 0 || q.zero_point > 255) {
    return bad(zero_point, "must be 0..255, is " + std::to_string(q.zero_point));
  }
  return {};
}

tl::expected<void, CaseError> check_shape(const Shape& shape, const std::string& field) {
  if (shape.size() > kMostDimensions) return bad(field, "must have at most 5 dimensions");
  std::int64_t elements = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 1 || extent > kMostExtent) return bad(field, "extents must be 1..2^24");
    elements *= extent;
    if (elements > kMaxElements) return bad(field, "has more than 2^28 elements");
  }
  return {};
}

tl::expected<void, CaseError> check_strides(const OperatorInput& input, std::size_t i) {
  if (input.strides.empty()) return {};
  const std::string field = numbered_word("strides", i);
  if (input.strides.size() != input.shape.size()) return bad(field, "must have one number for each dimension");
  std::int64_t last = 0;
  for (std::size_t d = 0; d < input.shape.size(); ++d) {
    const std::int64_t stride = input.strides[d];
    if (stride < 0 || stride > kMaxElements) return bad(field, "must be 0..2^28");
    last += stride * (input.shape[d] - 1);
    if (last >= kMaxElements) return bad(field, "spans more than 2^28 elements");
  }
  return {};
}

// True if two elements can be at the same place in memory.
bool repeats_elements(const OperatorInput& input) {
  std::vector<std::pair<std::int64_t, std::int64_t>> dims;  // distance and extent
  for (std::size_t d = 0; d < input.strides.size(); ++d) {
    if (input.shape[d] > 1) dims.emplace_back(input.strides[d], input.shape[d]);
  }
  std::ranges::sort(dims);
  std::int64_t reach = 0;
  for (const auto& [stride, extent] : dims) {
    if (stride <= reach) return true;
    reach += stride * (extent - 1);
  }
  return false;
}

// Returns for each element the first element that is at the same place in memory.
std::vector<std::size_t> first_at_same_place(const OperatorInput& input) {
  std::vector<std::size_t> first(static_cast<std::size_t>(element_count(input.shape)));
  std::unordered_map<std::int64_t, std::size_t> places;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::vector<std::int64_t> index = unravel(static_cast<std::int64_t>(i), input.shape);
    std::int64_t place = 0;
    for (std::size_t d = 0; d < index.size(); ++d) place += index[d] * input.strides[d];
    first[i] = places.emplace(place, i).first->second;
  }
  return first;
}

// Checks that elements at the same place in memory are equal.
template <typename T>
tl::expected<void, CaseError> check_repeated(const OperatorInput& input, const std::vector<T>& values, std::size_t i) {
  if (!repeats_elements(input)) return {};
  const std::vector<std::size_t> first = first_at_same_place(input);
  for (std::size_t at = 0; at < first.size(); ++at) {
    if (values[at] == values[first[at]]) continue;
    return bad(numbered_word("x", i),
               "lists different values for elements that have the same place in memory by strides");
  }
  return {};
}

tl::expected<void, CaseError> check_input(const OperatorCase& c, std::size_t i) {
  const OperatorInput& input = c.inputs[i];
  if (auto r = check_shape(input.shape, numbered_word("shape", i)); !r) return r;
  if (auto r = check_strides(input, i); !r) return r;
  const std::int64_t elements = element_count(input.shape);
  const auto counted = [&](std::int64_t given) -> tl::expected<void, CaseError> {
    if (given == elements) return {};
    return bad(numbered_word("x", i), "must list one value for each of the " + std::to_string(elements) +
                                          " elements, lists " + std::to_string(given));
  };
  if (c.schema->has_float_input) {
    if (std::ranges::any_of(input.floats, [](float value) { return std::isnan(value); })) {
      return bad(numbered_word("x", i), "must not list NaN");
    }
    if (auto r = counted(std::ssize(input.floats)); !r) return r;
    return check_repeated(input, input.floats, i);
  }
  if (auto r = check_quantization(input.quantization, "xs", "xz"); !r) return r;
  if (input.contents.fill != Fill::listed) return {};
  if (auto r = counted(std::ssize(input.contents.values)); !r) return r;
  return check_repeated(input, input.contents.values, i);
}

tl::expected<void, CaseError> check_attributes(const OperatorCase& c) {
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    const AttributeSchema& attribute = c.schema->attributes[i];
    for (const double value : c.attributes[i]) {
      if (value >= attribute.low && value <= attribute.high) continue;
      const auto bound = [](double v) {
        std::string text = std::to_string(v);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.ends_with('.')) text.pop_back();
        return text;
      };
      return bad(attribute.name, "must be " + bound(attribute.low) + ".." + bound(attribute.high));
    }
  }
  return {};
}

std::size_t index_of(const OperatorCase& c, std::string_view name) {
  const auto& all = c.schema->attributes;
  return static_cast<std::size_t>(std::ranges::find(all, name, &AttributeSchema::name) - all.begin());
}

}  // namespace

OperatorCase default_case(const OperatorSchema& schema, std::size_t inputs) {
  OperatorCase c;
  c.schema = &schema;
  c.inputs.assign(inputs, {.shape = {1}, .quantization = {}, .contents = {}, .floats = {}, .strides = {}});
  for (const AttributeSchema& attribute : schema.attributes) {
    const bool is_list = attribute.kind == AttributeSchema::Kind::numbers;
    c.attributes.push_back(is_list ? std::vector<double>{} : std::vector{attribute.default_value});
  }
  set_output_parameters(c);
  return c;
}

const std::vector<double>& attribute(const OperatorCase& c, std::string_view name) {
  return c.attributes[index_of(c, name)];
}
std::vector<double>& attribute(OperatorCase& c, std::string_view name) { return c.attributes[index_of(c, name)]; }
bool flag(const OperatorCase& c, std::string_view name) { return attribute(c, name).front() != 0; }
double number(const OperatorCase& c, std::string_view name) { return attribute(c, name).front(); }
std::int64_t integer(const OperatorCase& c, std::string_view name) {
  return static_cast<std::int64_t>(attribute(c, name).front());
}

Shape extents(const OperatorCase& c, std::string_view name) {
  const std::vector<double>& given = attribute(c, name);
  const std::size_t dims = c.inputs.front().shape.size() < 2 ? 0 : c.inputs.front().shape.size() - 2;
  if (given.size() == 1) return Shape(dims, static_cast<std::int64_t>(given.front()));
  return {given.begin(), given.end()};
}

void set_output_parameters(OperatorCase& c) {
  switch (c.schema->output_parameters) {
    case OutputParameters::own: break;
    case OutputParameters::first_input: c.output = c.inputs.front().quantization; break;
    case OutputParameters::fixed: c.output = c.schema->fixed_output; break;
    case OutputParameters::computed: c.output = c.schema->computed_output(c); break;
  }
  if (c.schema->has_float_output) c.output = {};
}

tl::expected<void, CaseError> validate(const OperatorCase& c) {
  if (c.inputs.size() < c.schema->least_inputs || c.inputs.size() > c.schema->most_inputs) {
    return bad(c.schema->name, "takes " + std::to_string(c.schema->least_inputs) + " to " +
                                   std::to_string(c.schema->most_inputs) + " inputs, has " +
                                   std::to_string(c.inputs.size()));
  }
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    if (auto r = check_input(c, i); !r) return r;
  }
  if (auto r = check_attributes(c); !r) return r;
  if (c.threads < 1 || c.threads > 1024) return bad("threads", "must be 1..1024");
  if (auto r = c.schema->check(c); !r) return r;
  if (auto r = check_quantization(c.output, "os", "oz"); !r) return r;
  return check_shape(c.schema->output_shape(c), "shape");
}

OperatorCase with_contents(OperatorCase c) {
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    OperatorInput& input = c.inputs[i];
    if (input.contents.fill == Fill::listed || c.schema->has_float_input) continue;
    input.contents.values =
        bytes_of(input.contents, element_count(input.shape), input.quantization.zero_point, c.seed, i);
    input.contents.fill = Fill::listed;
    if (!repeats_elements(input)) continue;
    const std::vector<std::size_t> first = first_at_same_place(input);
    for (std::size_t at = 0; at < first.size(); ++at) input.contents.values[at] = input.contents.values[first[at]];
  }
  return c;
}

Shape output_shape(const OperatorCase& c) { return c.schema->output_shape(c); }

Shape dense_strides(const Shape& shape, MemoryFormat format) {
  Shape strides(shape.size());
  std::int64_t next = 1;
  const bool last = format == MemoryFormat::channels_last && (shape.size() == 4 || shape.size() == 5);
  if (last) {
    strides[1] = next;
    next *= shape[1];
  }
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (last && d == 1) continue;
    strides[d] = next;
    next *= shape[d];
  }
  return strides;
}

Shape strides_of(const OperatorCase& c, std::size_t input) {
  const OperatorInput& of = c.inputs[input];
  return of.strides.empty() ? dense_strides(of.shape, c.memory_format) : of.strides;
}

}  // namespace tieout
