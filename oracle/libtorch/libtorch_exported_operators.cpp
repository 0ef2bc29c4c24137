// Calls the operators of an exported program: those of LibTorch by their names, and those that exist in python only.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/round.h>
#include <ATen/ops/scalar_tensor.h>

#include <array>
#include <string_view>
#include <utility>

#include "oracle/exported/exported_operators.h"
#include "oracle/libtorch/libtorch_exported_parts.h"

namespace tieout {
namespace {

constexpr std::array<std::pair<ElementType, at::ScalarType>, 10> kElementTypes{
    {{ElementType::uint8, at::kByte},
     {ElementType::int8, at::kChar},
     {ElementType::int16, at::kShort},
     {ElementType::int32, at::kInt},
     {ElementType::int64, at::kLong},
     {ElementType::float16, at::kHalf},
     {ElementType::float32, at::kFloat},
     {ElementType::float64, at::kDouble},
     {ElementType::boolean, at::kBool},
     {ElementType::bfloat16, at::kBFloat16}}};

c10::IValue ivalue_of(const Whole& whole, const ExportedValues& values) {
  const auto* const number = std::get_if<std::int64_t>(&whole);
  return number != nullptr ? c10::IValue(*number) : find_value(values, std::get<ValueName>(whole).name);
}

// A number where the operator takes a tensor becomes a tensor without dimensions that does not promote the others'
// type, as in python.
c10::IValue wrapped_number(const c10::IValue& number) {
  at::Tensor scalar = at::scalar_tensor(number.toScalar(), number.isDouble() ? at::kDouble
                                                           : number.isBool() ? at::kBool
                                                                             : at::kLong);
  scalar.unsafeGetTensorImpl()->set_wrapped_number(true);
  return scalar;
}

c10::IValue whole_list(const std::vector<Whole>& wholes, const ExportedValues& values) {
  c10::List<std::int64_t> list;
  for (const Whole& whole : wholes) list.push_back(ivalue_of(whole, values).toInt());
  return list;
}

c10::IValue tensor_list(const std::vector<std::variant<NoValue, ValueName>>& names, const c10::Type& element,
                        const ExportedValues& values) {
  if (element.kind() == c10::TypeKind::OptionalType) {
    c10::List<std::optional<at::Tensor>> list;
    for (const auto& one : names) {
      const auto* const name = std::get_if<ValueName>(&one);
      list.push_back(name == nullptr ? std::optional<at::Tensor>() : tensor_value(values, name->name));
    }
    return list;
  }
  c10::List<at::Tensor> list;
  for (const auto& one : names) {
    const auto* const name = std::get_if<ValueName>(&one);
    TORCH_CHECK(name != nullptr, "a list of tensors has a gap");
    list.push_back(tensor_value(values, name->name));
  }
  return list;
}

// Returns the argument as the operator's schema has it.
c10::IValue ivalue_of(const Argument& argument, const c10::Argument& formal, const ExportedValues& values) {
  const c10::Type* type = formal.type().get();
  if (type->kind() == c10::TypeKind::OptionalType) {
    if (std::holds_alternative<NoValue>(argument)) return {};
    type = type->containedType(0).get();
  }
  c10::IValue value;
  if (const auto* const name = std::get_if<ValueName>(&argument)) value = find_value(values, name->name);
  if (const auto* const number = std::get_if<std::int64_t>(&argument)) value = *number;
  if (const auto* const number = std::get_if<double>(&argument)) value = *number;
  if (const auto* const flag = std::get_if<bool>(&argument)) value = *flag;
  if (const auto* const text = std::get_if<std::string>(&argument)) value = *text;
  if (const auto* const element = std::get_if<ElementType>(&argument)) {
    value = static_cast<std::int64_t>(scalar_type(*element));
  }
  if (const auto* const format = std::get_if<ExportedMemoryFormat>(&argument)) {
    constexpr std::array kFormats{at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast,
                                  at::MemoryFormat::ChannelsLast3d, at::MemoryFormat::Preserve};
    value = static_cast<std::int64_t>(kFormats.at(static_cast<std::size_t>(*format) - 1));
  }
  if (const auto* const wholes = std::get_if<std::vector<Whole>>(&argument)) value = whole_list(*wholes, values);
  if (const auto* const reals = std::get_if<std::vector<double>>(&argument)) value = c10::List<double>(*reals);
  if (const auto* const flags = std::get_if<std::vector<bool>>(&argument)) {
    c10::List<bool> list;
    for (const bool flag : *flags) list.push_back(flag);
    value = list;
  }
  if (const auto* const names = std::get_if<std::vector<std::variant<NoValue, ValueName>>>(&argument)) {
    TORCH_CHECK(type->kind() == c10::TypeKind::ListType, "argument '", formal.name(), "' is no list");
    value = tensor_list(*names, *type->containedType(0), values);
  }
  const bool number = value.isInt() || value.isDouble() || value.isBool();
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
      if (number) return wrapped_number(value);
      TORCH_CHECK(value.isTensor(), "argument '", formal.name(), "' is no tensor");
      return value;
    case c10::TypeKind::FloatType:
      TORCH_CHECK(number, "argument '", formal.name(), "' is no number");
      return value.toScalar().toDouble();
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      TORCH_CHECK(value.isInt(), "argument '", formal.name(), "' is no whole number");
      return value;
    case c10::TypeKind::BoolType:
      TORCH_CHECK(value.isBool(), "argument '", formal.name(), "' is neither true nor false");
      return value;
    case c10::TypeKind::NumberType: TORCH_CHECK(number, "argument '", formal.name(), "' is no number"); return value;
    case c10::TypeKind::StringType:
      TORCH_CHECK(value.isString(), "argument '", formal.name(), "' is no text");
      return value;
    case c10::TypeKind::ListType: {
      const c10::TypeKind element = type->containedType(0)->kind();
      const bool reals = element == c10::TypeKind::FloatType;
      if (value.isInt() && !reals) {  // "int[2] stride=1" takes one number for all
        return c10::List<std::int64_t>(
            std::vector<std::int64_t>(static_cast<std::size_t>(formal.N().value_or(1)), value.toInt()));
      }
      if (reals && value.isIntList()) {
        c10::List<double> list;
        for (const std::int64_t one : value.toIntVector()) list.push_back(static_cast<double>(one));
        return list;
      }
      const bool tensors = element == c10::TypeKind::TensorType || element == c10::TypeKind::OptionalType;
      const bool fits = tensors ? value.isTensorList() || value.isList()
                        : reals ? value.isDoubleList()
                                : value.isList();
      TORCH_CHECK(fits, "argument '", formal.name(), "' is no list of the right kind");
      return value;
    }
    default: break;
  }
  TORCH_CHECK(false, "argument '", formal.name(), "' has the type ", type->str(), ", which is not passed on");
}

// ---- Operators.

// Appends the tensors of an operator's result, a list's one by one.
void flatten(const c10::IValue& result, std::vector<c10::IValue>& flat) {
  if (result.isTensorList()) {
    for (const at::Tensor& one : result.toTensorVector()) flat.emplace_back(one);
  } else {
    flat.push_back(result);
  }
}

// Calls an operator of the dispatcher. op: "aten.conv2d.default".
std::vector<c10::IValue> call_by_name(const ExportedNode& node, const ExportedValues& values) {
  const std::size_t first = node.op.find('.'), last = node.op.rfind('.');
  const std::string base = node.op.substr(0, first) + "::" + node.op.substr(first + 1, last - first - 1);
  const std::string overload = node.op.substr(last + 1);
  const auto handle = c10::Dispatcher::singleton().findSchema({base, overload == "default" ? "" : overload});
  TORCH_CHECK(handle.has_value(), "this LibTorch does not have the operator");
  torch::jit::Stack stack;
  for (const c10::Argument& formal : handle->schema().arguments()) {
    const Argument* const given = node.find(formal.name());
    if (given != nullptr) {
      stack.push_back(ivalue_of(*given, formal, values));
    } else {
      TORCH_CHECK(formal.default_value().has_value() || formal.type()->kind() == c10::TypeKind::OptionalType,
                  "argument '", formal.name(), "' is missing");
      stack.push_back(formal.default_value().value_or(c10::IValue()));
    }
  }
  handle->callBoxed(&stack);
  std::vector<c10::IValue> results;
  for (const c10::IValue& result : stack) flatten(result, results);
  return results;
}

// The arguments of an operator that is computed here.
class Given {
 public:
  Given(const ExportedNode& node, const ExportedValues& values) : node_(node), values_(values) {}

  const at::Tensor& tensor(const char* name) const { return tensor_value(values_, node_.value(name)); }

  template <typename T>
  T of(const char* name) const {
    const Argument* const found = node_.find(name);
    const T* const value = found == nullptr ? nullptr : std::get_if<T>(found);
    TORCH_CHECK(value != nullptr, "argument '", name, "' is missing or of another type");
    return *value;
  }

  // Returns a number that is given as itself, or as a tensor of one element.
  double real(const char* name) const {
    const Argument* const found = node_.find(name);
    if (found != nullptr && std::holds_alternative<std::int64_t>(*found))
      return static_cast<double>(of<std::int64_t>(name));
    return found != nullptr && std::holds_alternative<ValueName>(*found) ? tensor(name).item().toDouble()
                                                                         : of<double>(name);
  }
  std::int64_t whole(const char* name) const {
    const Argument* const found = node_.find(name);
    return found != nullptr && std::holds_alternative<ValueName>(*found) ? tensor(name).item().toLong()
                                                                         : of<std::int64_t>(name);
  }

 private:
  const ExportedNode& node_;
  const ExportedValues& values_;
};

// Returns t as float32 if it is a half type, as the operators of quantized_decomposed do.
at::Tensor as_float(const at::Tensor& t) {
  const bool half = t.scalar_type() == at::kHalf || t.scalar_type() == at::kBFloat16;
  at::Tensor single = half ? t.to(at::kFloat) : t;
  TORCH_CHECK(single.scalar_type() == at::kFloat, "what is quantized is ", c10::toString(t.scalar_type()));
  return single;
}

// The operators of quantized_decomposed exist in python only. They are computed here as torch/ao/quantization/fx/
// _decomposed.py states them, by the same operators of LibTorch:
//   quantize     clamp(rint(fl(x * fl(1 / s))) + z), the quotient in double
//   dequantize   fl(fl(q - z) * fl(s))
at::Tensor quantize_per_tensor(const Given& given) {
  const double inverse = 1.0 / given.real("scale");
  const at::Tensor x = as_float(given.tensor("input"));
  return at::clamp(at::round(x * inverse) + given.whole("zero_point"), given.whole("quant_min"),
                   given.whole("quant_max"))
      .to(scalar_type(given.of<ElementType>("dtype")));
}

at::Tensor dequantize_per_tensor(const Given& given) {
  return (given.tensor("input").to(at::kFloat) - given.whole("zero_point")) * given.real("scale");
}

// Returns the parameters of one channel each, shaped so that they act along the axis.
at::Tensor along(const at::Tensor& parameters, std::int64_t axis, std::int64_t dims) {
  TORCH_CHECK(axis >= 0 && axis < dims && parameters.dim() == 1, "axis ", axis, " of a tensor with ", dims,
              " dimensions");
  std::vector<std::int64_t> shape(static_cast<std::size_t>(dims), 1);
  shape[static_cast<std::size_t>(axis)] = parameters.size(0);
  return parameters.view(shape);
}

at::Tensor quantize_per_channel(const Given& given) {
  const at::Tensor x = as_float(given.tensor("input"));
  const auto axis = given.of<std::int64_t>("axis");
  const at::Tensor scales = along(given.tensor("scales"), axis, x.dim());
  const at::Tensor zero_points = along(given.tensor("zero_points"), axis, x.dim());
  return at::clamp(at::round(x * scales.reciprocal()) + zero_points, given.whole("quant_min"), given.whole("quant_max"))
      .to(scalar_type(given.of<ElementType>("dtype")));
}

at::Tensor dequantize_per_channel(const Given& given) {
  const at::Tensor& q = given.tensor("input");
  const auto axis = given.of<std::int64_t>("axis");
  const at::Tensor scales = along(given.tensor("scales"), axis, q.dim());
  const std::string& zero_points = "zero_points";
  const at::Tensor steps = q.to(at::kFloat);
  return ((steps - along(given.tensor(zero_points.c_str()), axis, q.dim())) * scales).to(at::kFloat);
}

// Returns the result of arithmetic on extents that the program does in python.
c10::IValue python_operator(const ExportedNode& node, const ExportedValues& values) {
  TORCH_CHECK(node.inputs.size() == 2, "two operands are expected");
  std::array<std::int64_t, 2> operands{};
  for (std::size_t i = 0; i < 2; ++i) {
    const Argument& argument = node.inputs[i].value;
    const auto* const number = std::get_if<std::int64_t>(&argument);
    const auto* const name = std::get_if<ValueName>(&argument);
    TORCH_CHECK(number != nullptr || name != nullptr, "an operand is no whole number");
    const c10::IValue value = number != nullptr ? c10::IValue(*number) : find_value(values, name->name);
    TORCH_CHECK(value.isInt(), "an operand is no whole number");
    operands[i] = value.toInt();
  }
  const auto [a, b] = operands;
  std::int64_t result = 0;
  const std::string_view op = std::string_view(node.op).substr(std::string_view("_operator.").size());
  if (op == "add" && !__builtin_add_overflow(a, b, &result)) return result;
  if (op == "sub" && !__builtin_sub_overflow(a, b, &result)) return result;
  if (op == "mul" && !__builtin_mul_overflow(a, b, &result)) return result;
  if (op == "floordiv" && b > 0) return a / b - (a % b < 0 ? 1 : 0);
  if (op == "mod" && b > 0) return (a % b + b) % b;
  if (op == "eq") return a == b;
  if (op == "ne") return a != b;
  if (op == "lt") return a < b;
  if (op == "le") return a <= b;
  if (op == "gt") return a > b;
  if (op == "ge") return a >= b;
  TORCH_CHECK(false, "cannot be computed of ", a, " and ", b);
}

}  // namespace

at::ScalarType scalar_type(ElementType type) {
  for (const auto& [ours, theirs] : kElementTypes) {
    if (ours == type) return theirs;
  }
  TORCH_CHECK(false, "a type of elements that is not known");
}

const c10::IValue& find_value(const ExportedValues& values, const std::string& name) {
  const auto found = values.find(name);
  TORCH_CHECK(found != values.end(), "no operator before it computes '", name, "'");
  return found->second;
}

const at::Tensor& tensor_value(const ExportedValues& values, const std::string& name) {
  const c10::IValue& value = find_value(values, name);
  TORCH_CHECK(value.isTensor(), "'", name, "' is no tensor");
  return value.toTensor();
}

std::vector<c10::IValue> compute_node(const ExportedNode& node, const ExportedValues& values) {
  const std::string& op = node.op;
  const Given given(node, values);
  constexpr std::string_view kDecomposed = "quantized_decomposed.";
  if (op.starts_with(kDecomposed)) {
    const std::string_view name = std::string_view(op).substr(kDecomposed.size());
    if (name.starts_with("quantize_per_tensor.")) return {quantize_per_tensor(given)};
    if (name.starts_with("dequantize_per_tensor.")) return {dequantize_per_tensor(given)};
    if (name.starts_with("quantize_per_channel.")) return {quantize_per_channel(given)};
    if (name.starts_with("dequantize_per_channel.")) return {dequantize_per_channel(given)};
  }
  if (op == "aten.sym_size.int") {
    const at::Tensor& x = given.tensor("self");
    return {x.size(given.of<std::int64_t>("dim"))};
  }
  if (op.starts_with("_operator.")) return {python_operator(node, values)};
  if (asserts_only(op)) return {};
  TORCH_CHECK(is_known_operator(op), kUnknownOperator);
  TORCH_CHECK(!op.ends_with("dropout.default") || !given.of<bool>("train"),
              "it draws random numbers: export the model in eval mode (move_exported_model_to_eval)");
  return call_by_name(node, values);
}

}  // namespace tieout
