#include "cases/operators/operator_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "cases/strings/nearest_word.h"
#include "cases/text/case_words.h"
#include "cases/text/line_words.h"

namespace tieout {
namespace {

using Kind = AttributeSchema::Kind;

// ---- Printing.

template <typename T>
std::string number_text(T value) {
  std::array<char, 64> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

// Most attributes are numbers that float32 holds; they are printed in the shortest form that reads back to the same
// one.
std::string float_text(double value) { return number_text(static_cast<float>(value)); }

std::string joined(const std::vector<std::string>& items, char separator) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) text += separator;
    text += items[i];
  }
  return text;
}

// Returns the list in brackets, in which N*V stands for N times V.
std::string list_text(const std::vector<std::string>& items) {
  std::vector<std::string> runs;
  for (std::size_t i = 0; i < items.size();) {
    std::size_t run = 1;
    while (i + run < items.size() && items[i + run] == items[i]) ++run;
    runs.push_back(run == 1 ? items[i] : std::to_string(run) + "*" + items[i]);
    i += run;
  }
  return "[" + joined(runs, ',') + "]";
}

template <typename T, typename Text>
std::vector<std::string> texts_of(const std::vector<T>& values, Text text) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const T& value : values) texts.push_back(text(value));
  return texts;
}

std::string shape_text(const Shape& shape) {
  return shape.empty() ? "scalar" : joined(texts_of(shape, number_text<std::int64_t>), 'x');
}

std::string contents_text(const OperatorInput& input, bool is_float) {
  if (is_float) return list_text(texts_of(input.floats, number_text<float>));
  if (input.contents.fill != Fill::listed) return std::string(name(input.contents.fill));
  return list_text(texts_of(input.contents.values, [](std::uint8_t v) { return number_text(int{v}); }));
}

// Returns one value for all inputs, or a list.
std::string per_input(const std::vector<std::string>& values) {
  const bool same = std::ranges::all_of(values, [&](const std::string& v) { return v == values.front(); });
  return same ? values.front() : list_text(values);
}

std::string attribute_text(const AttributeSchema& schema, const std::vector<double>& values) {
  switch (schema.kind) {
    case Kind::flag: break;
    case Kind::integer: return number_text(static_cast<std::int64_t>(values.front()));
    case Kind::number: return float_text(values.front());
    case Kind::real: return number_text(values.front());
    case Kind::extents:
      return joined(texts_of(values, [](double v) { return number_text(static_cast<std::int64_t>(v)); }), 'x');
    case Kind::numbers: return list_text(texts_of(values, float_text));
  }
  return {};
}

// ---- Parsing.

class Reader {
 public:
  explicit Reader(const OperatorSchema& schema) : schema_(schema), c_(default_case(schema, schema.least_inputs)) {}

  tl::expected<OperatorCase, CaseError> read_all(std::string_view line) {
    if (auto r = count_inputs(line); !r) return tl::unexpected(r.error());
    while (!line.empty()) {
      std::string_view word = cut_word(line);
      if (word.empty()) continue;
      const bool has_value = word.find('=') != std::string_view::npos;
      const std::string_view key = cut(word, '=');
      if (!seen_.emplace(key).second) return bad(key, "is given twice");
      if (auto r = read(key, word, has_value); !r) return tl::unexpected(r.error());
    }
    for (std::size_t i = 1; i < c_.inputs.size(); ++i) {
      if (!seen_.contains(numbered_word("shape", i))) c_.inputs[i].shape = c_.inputs.front().shape;
    }
    set_output_parameters(c_);
    if (auto r = validate(c_); !r) return tl::unexpected(r.error());
    return std::move(c_);
  }

 private:
  // Sets the number of inputs: the highest number of a word, or the length of a list of scales or zero points.
  ReadResult count_inputs(std::string_view line) {
    std::size_t most = schema_.least_inputs;
    while (!line.empty()) {
      std::string_view word = cut_word(line);
      const std::string_view key = cut(word, '=');
      if ((key == "xs" || key == "xz") && word.starts_with('[')) {
        std::vector<double> values;
        if (auto r = read_list(key, word, values); !r) return r;
        most = std::max(most, values.size());
      }
      for (const std::string_view stem : {"x", "shape", "strides"}) {
        if (const auto input = input_of(key, stem)) most = std::max(most, *input + 1);
      }
    }
    if (most > schema_.most_inputs) {
      return bad(
          schema_.name,
          "takes " +
              (schema_.most_inputs == 1 ? "one input" : "at most " + std::to_string(schema_.most_inputs) + " inputs") +
              ", the line gives " + std::to_string(most));
    }
    c_ = default_case(schema_, most);
    return {};
  }

  // Returns the input that a word names: 1 for x2 of the stem x.
  static std::optional<std::size_t> input_of(std::string_view key, std::string_view stem) {
    if (!key.starts_with(stem)) return {};
    key.remove_prefix(stem.size());
    if (key.empty()) return 0;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    if (error != std::errc{} || end != key.data() + key.size() || number < 2 || number > 99) return {};
    return number - 1;
  }

  ReadResult read(std::string_view key, std::string_view value, bool has_value) {
    for (std::size_t i = 0; i < schema_.attributes.size(); ++i) {
      if (schema_.attributes[i].name == key) return read_attribute(i, value, has_value);
    }
    if (!has_value || value.empty()) return bad(excerpt(key), no_word(key, "has no value"));
    if (key == "xs") return read_per_input(key, value, [](OperatorInput& in, double v) { in.quantization.scale = v; });
    if (key == "xz") {
      return read_per_input(key, value, [](OperatorInput& in, double v) {
        const bool is_byte = v >= 0 && v <= 255 && v == std::floor(v);
        in.quantization.zero_point = is_byte ? static_cast<std::int64_t>(v) : -1;  // validate() refuses -1
      });
    }
    if (key == "os" || key == "oz") return read_output(key, value);
    if (key == "seed") return read_number(key, value, c_.seed);
    if (key == "threads") return read_number(key, value, c_.threads);
    if (key == "format") return read_word(key, value, c_.memory_format);
    if (const auto i = input_of(key, "shape")) return read_shape(key, value, c_.inputs[*i].shape);
    if (const auto i = input_of(key, "strides")) return read_shape(key, value, c_.inputs[*i].strides);
    if (const auto i = input_of(key, "x")) return read_contents(key, value, c_.inputs[*i]);
    return bad(excerpt(key), no_word(key, "is not a word of a case of " + std::string(schema_.name)));
  }

  // Returns the message with advice on a word that was probably meant.
  [[nodiscard]] std::string no_word(std::string_view key, const std::string& message) const {
    std::vector<std::string> words{"shape", "xs", "xz", "os", "oz", "x", "seed", "threads", "format"};
    for (const AttributeSchema& attribute : schema_.attributes) words.emplace_back(attribute.name);
    if (std::ranges::count(words, key) > 0) return message;
    const auto nearest = nearest_word(key, words);
    return nearest ? message + "; did you mean " + *nearest + "?" : message;
  }

  ReadResult read_attribute(std::size_t i, std::string_view value, bool has_value) {
    const AttributeSchema& schema = schema_.attributes[i];
    std::vector<double>& values = c_.attributes[i];
    if (schema.kind == Kind::flag) {
      if (has_value) return bad(schema.name, "takes no value: write the word alone, or leave it out");
      values = {1};
      return {};
    }
    if (!has_value || value.empty()) return bad(schema.name, "has no value");
    if (schema.kind == Kind::numbers) {
      std::vector<float> floats;
      if (auto r = read_list(schema.name, value, floats); !r) return r;
      values.assign(floats.begin(), floats.end());
      return {};
    }
    if (schema.kind == Kind::number) {
      float one = 0;
      if (auto r = read_number(schema.name, value, one); !r) return r;
      values = {one};
      return {};
    }
    if (schema.kind == Kind::real) return read_number(schema.name, value, values.front());
    Shape whole;
    if (auto r = read_shape(schema.name, value, whole); !r) return r;
    if (schema.kind == Kind::integer && whole.size() != 1) return bad(schema.name, "must be one whole number");
    values.assign(whole.begin(), whole.end());
    return {};
  }

  template <typename Set>
  ReadResult read_per_input(std::string_view key, std::string_view value, Set set) {
    std::vector<double> values(1);
    const bool is_list = value.starts_with('[');
    if (is_list) {
      if (auto r = read_list(key, value, values); !r) return r;
      if (values.size() != c_.inputs.size()) {
        return bad(key, "must list one number for each of the " + std::to_string(c_.inputs.size()) + " inputs, lists " +
                            std::to_string(values.size()));
      }
    } else if (auto r = read_number(key, value, values.front()); !r) {
      return r;
    }
    for (std::size_t i = 0; i < c_.inputs.size(); ++i) set(c_.inputs[i], values[is_list ? i : 0]);
    return {};
  }

  ReadResult read_output(std::string_view key, std::string_view value) {
    if (schema_.output_parameters != OutputParameters::own || schema_.has_float_output) {
      return bad(key, "is not given: " + std::string(schema_.name) + " determines it");
    }
    return key == "os" ? read_number(key, value, c_.output.scale) : read_number(key, value, c_.output.zero_point);
  }

  static ReadResult read_shape(std::string_view key, std::string_view value, Shape& shape) {
    shape.clear();
    if (value == "scalar") return {};
    if (value.ends_with('x')) return bad(key, "ends with an x");
    while (!value.empty()) {
      std::int64_t extent = 0;
      if (auto r = read_number(key, cut(value, 'x'), extent); !r) return r;
      shape.push_back(extent);
    }
    return {};
  }

  ReadResult read_contents(std::string_view key, std::string_view value, OperatorInput& input) const {
    if (schema_.has_float_input) return read_list(key, value, input.floats);
    if (value.starts_with('[')) {
      input.contents.fill = Fill::listed;
      return read_list(key, value, input.contents.values);
    }
    return read_word(key, value, input.contents.fill);
  }

  template <typename E>
  static ReadResult read_word(std::string_view key, std::string_view value, E& target) {
    const auto parsed = from_name<E>(key, value);
    if (!parsed) return tl::unexpected(parsed.error());
    target = *parsed;
    return {};
  }

  const OperatorSchema& schema_;
  OperatorCase c_;
  std::set<std::string, std::less<>> seen_;
};

std::string_view first_word(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  return line.substr(0, line.find_first_of(" \t\n\r"));
}

}  // namespace

namespace {

void add_attributes(std::string& out, const OperatorCase& c) {
  for (std::size_t i = 0; i < c.schema->attributes.size(); ++i) {
    const AttributeSchema& attribute = c.schema->attributes[i];
    const std::vector<double>& values = c.attributes[i];
    if (attribute.kind == Kind::flag) {
      if (values.front() != 0) out.append(" ").append(attribute.name);
    } else if (attribute.kind == Kind::numbers || values != std::vector{attribute.default_value}) {
      out.append(" ").append(attribute.name).append("=").append(attribute_text(attribute, values));
    }
  }
}

}  // namespace

std::string numbered_word(std::string_view word, std::size_t input) {
  return std::string(word) + (input == 0 ? "" : std::to_string(input + 1));
}

std::string print(const OperatorCase& c) {
  const OperatorSchema& schema = *c.schema;
  std::string out(schema.name);
  const auto word = [&](std::string_view key, const std::string& value) {
    out.append(" ").append(key).append("=").append(value);
  };
  const OperatorInput& first = c.inputs.front();
  std::vector<std::string> scales, zero_points;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const OperatorInput& input = c.inputs[i];
    if (i == 0 || input.shape != first.shape) word(numbered_word("shape", i), shape_text(input.shape));
    if (!input.strides.empty()) word(numbered_word("strides", i), shape_text(input.strides));
    scales.push_back(number_text(input.quantization.scale));
    zero_points.push_back(number_text(input.quantization.zero_point));
  }
  if (!schema.has_float_input) {
    // A list tells the number of inputs where it is not fixed.
    const bool fixed = schema.least_inputs == schema.most_inputs;
    const auto parameters = [&](std::string_view key, const std::vector<std::string>& values, std::string_view absent) {
      const std::string text = fixed ? per_input(values) : list_text(values);
      if (text != absent) word(key, text);
    };
    parameters("xs", scales, "1");
    parameters("xz", zero_points, "0");
  }
  if (schema.output_parameters == OutputParameters::own && !schema.has_float_output) {
    if (c.output.scale != 1) word("os", number_text(c.output.scale));
    if (c.output.zero_point != 0) word("oz", number_text(c.output.zero_point));
  }
  add_attributes(out, c);
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    word(numbered_word("x", i), contents_text(c.inputs[i], schema.has_float_input));
  }
  if (c.seed != 0) word("seed", number_text(c.seed));
  if (c.memory_format != MemoryFormat::contiguous) word("format", std::string(name(c.memory_format)));
  if (c.threads != 1) word("threads", number_text(c.threads));
  return out;
}

bool names_operator(std::string_view line) { return operator_of_line(line) != nullptr; }

const OperatorSchema* operator_of_line(std::string_view line) { return find_operator(first_word(line)); }

tl::expected<OperatorCase, CaseError> parse_operator(std::string_view line) {
  const std::string plain = plain_line(line);
  std::string_view rest = plain;
  const std::string_view head = cut_word(rest);
  const OperatorSchema* const schema = find_operator(head);
  if (schema == nullptr) return bad("case", "begins with no operator: '" + excerpt(head) + "'");
  return Reader(*schema).read_all(rest);
}

}  // namespace tieout
