#pragma once
// Defines OperatorCase, one call of a quantized operator other than a convolution or a linear layer, and
// OperatorSchema, which states the inputs and attributes of an operator. A case of any operator has the same parts, so
// that its text, its contents, its capture from a model and its shrinking are written once; what is particular to an
// operator is in its schema, in its kernel (kernels/operators/) and in the model of LibTorch's code
// (oracle/operators/).
//
// Values are uint8. A stored value q stands for the real number scale * (q - zero_point). Tensors of floats occur as
// the input of `quantize` and the output of `dequantize` only.

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "cases/conv_case.h"
#include "cases/tensor.h"
#include "cases/validate.h"

namespace tieout {

struct Quantization {
  double scale = 1;
  std::int64_t zero_point = 0;  // 0..255

  bool operator==(const Quantization&) const = default;
};

// One input tensor.
struct OperatorInput {
  Shape shape;
  Quantization quantization;
  // The values in row-major order if fill is Fill::listed; others are drawn from the case's seed.
  Contents<std::uint8_t> contents;
  // The values of an input of floats, which are always listed. None is NaN.
  std::vector<float> floats;
  // The distances in memory between neighbours along each dimension, in elements; empty: dense, in the case's format.
  // Elements at the same place, such as those along a dimension of distance 0, are equal. Views that a model makes of a
  // tensor have other distances than dense ones.
  Shape strides;

  bool operator==(const OperatorInput&) const = default;
};

struct OperatorSchema;

struct OperatorCase {
  const OperatorSchema* schema = nullptr;
  std::vector<OperatorInput> inputs;
  // One list of numbers for each attribute of the schema, in its order.
  std::vector<std::vector<double>> attributes;
  // The output's. Operators that determine the output's parameters have these here (set_output_parameters()).
  Quantization output;

  std::uint64_t seed = 0;  // decides the contents that are not listed
  // How the reference runs: the layout of dense inputs, and the number of threads.
  MemoryFormat memory_format = MemoryFormat::contiguous;
  int threads = 1;

  bool operator==(const OperatorCase&) const = default;
};

// An attribute of an operator, such as the kernel of a pooling.
struct AttributeSchema {
  enum class Kind {
    flag,     // 0 or 1; in text the word alone
    integer,  // one whole number
    number,   // one number that float32 holds
    real,     // one number that float64 holds
    extents,  // one whole number for each spatial dimension, in text HxW or one number for all
    numbers,  // a list of numbers that float32 holds, in text in brackets
  };
  std::string_view name{};
  Kind kind = Kind::integer;
  // Value of each number if the text does not give the attribute.
  double default_value = 0;
  double low = 0, high = 0;
  std::string_view help{};
};

// States where an operator's output has its scale and zero point from: the call, the first input, a constant, or a
// formula of the first input's and the attributes.
enum class OutputParameters { own, first_input, fixed, computed };

struct OperatorSchema {
  std::string_view name;  // the first word of a case
  std::string_view help;  // one sentence: what the operator computes
  std::size_t least_inputs = 1, most_inputs = 1;
  bool has_float_input = false, has_float_output = false;
  OutputParameters output_parameters = OutputParameters::own;
  Quantization fixed_output{};
  // Returns the computed parameters. c: as for output_shape.
  Quantization (*computed_output)(const OperatorCase& c) = nullptr;
  std::vector<AttributeSchema> attributes{};
  // Returns the shape of the output. c: its inputs and attributes are in range.
  Shape (*output_shape)(const OperatorCase& c) = nullptr;
  // Returns what is wrong with the shapes and attributes of a case beyond their ranges, or nothing.
  tl::expected<void, CaseError> (*check)(const OperatorCase& c) = nullptr;
};

// Returns the schemas of all operators, in the order in which texts list them. They live as long as the program.
[[nodiscard]] const std::vector<const OperatorSchema*>& operator_schemas();

// Returns the schema of that name, or nullptr.
[[nodiscard]] const OperatorSchema* find_operator(std::string_view name);

// Returns a case with `inputs` inputs of one element and with the attributes' default values.
[[nodiscard]] OperatorCase default_case(const OperatorSchema& schema, std::size_t inputs);

// Return the attribute of that name, which the schema has.
[[nodiscard]] const std::vector<double>& attribute(const OperatorCase& c, std::string_view name);
[[nodiscard]] std::vector<double>& attribute(OperatorCase& c, std::string_view name);
[[nodiscard]] bool flag(const OperatorCase& c, std::string_view name);
[[nodiscard]] double number(const OperatorCase& c, std::string_view name);
[[nodiscard]] std::int64_t integer(const OperatorCase& c, std::string_view name);
[[nodiscard]] Shape extents(const OperatorCase& c, std::string_view name);

// Sets the output's parameters where the schema determines them.
void set_output_parameters(OperatorCase& c);

[[nodiscard]] tl::expected<void, CaseError> validate(const OperatorCase& c);

// Returns the case with the contents of all inputs listed.
[[nodiscard]] OperatorCase with_contents(OperatorCase c);

[[nodiscard]] Shape output_shape(const OperatorCase& c);

// Returns the distances in memory of a dense tensor of that shape. channels_last applies to tensors of 4 and 5
// dimensions; others are contiguous.
[[nodiscard]] Shape dense_strides(const Shape& shape, MemoryFormat format);
// Returns the distances in memory of an input.
[[nodiscard]] Shape strides_of(const OperatorCase& c, std::size_t input);

// The output of an operator: bytes, or the bits of float32 numbers.
struct OperatorOutput {
  Answers values;
  bool is_float = false;

  bool operator==(const OperatorOutput&) const = default;
};

}  // namespace tieout
