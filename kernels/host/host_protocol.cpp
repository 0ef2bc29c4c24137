#include "kernels/host/host_protocol.h"

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "cases/strings/bytes.h"
#include "cases/strings/printable.h"
#include "kernels/subject/kernel_call.h"

namespace tieout {
namespace {

template <typename Conditions, typename Field>
void visit_conditions(Conditions& conditions, Field field) {
  field(conditions.placement), field(conditions.output_fill), field(conditions.memory_fill), field(conditions.caller);
}

// Calls `field` with each part of a problem that a kernel reads, in the order of the message.
template <typename Problem, typename Conditions, typename Field>
void visit(Problem& problem, Conditions& conditions, Field field) {
  auto& c = problem.spec;
  field(c.dims), field(c.batch), field(c.in_channels), field(c.out_channels), field(c.groups);
  field(c.input), field(c.kernel), field(c.stride), field(c.padding), field(c.dilation);
  field(c.extra_end_padding), field(c.activation_type), field(c.output_type), field(c.int32_bias);
  field(c.activation_scale), field(c.activation_zero_point);
  field(c.granularity), field(c.weight_scales), field(c.weight_zero_points);
  field(c.output_scale), field(c.output_zero_point);
  field(c.bias), field(c.relu);
  field(problem.activation), field(problem.weight);
  visit_conditions(conditions, field);
}

// The first byte of a problem.
enum class ProblemKind : std::uint8_t { conv, of_operator };

// Does the same for a call of another operator, whose numbers of inputs and of attributes are known.
template <typename Case, typename Conditions, typename Field>
void visit_operator(Case& c, Conditions& conditions, Field field) {
  for (auto& input : c.inputs) {
    field(input.shape), field(input.quantization.scale), field(input.quantization.zero_point);
    field(input.contents.values), field(input.floats);
  }
  for (auto& numbers : c.attributes) field(numbers);
  field(c.output.scale), field(c.output.zero_point);
  visit_conditions(conditions, field);
}

// Returns the operator's case, or nothing if it is not valid.
std::optional<OperatorCase> read_operator(ByteReader& reader, Conditions& conditions) {
  std::string name;
  std::uint64_t inputs = 0;
  reader.get(name);
  reader.get(inputs);
  const OperatorSchema* const schema = find_operator(name);
  if (schema == nullptr || inputs < schema->least_inputs || inputs > schema->most_inputs) return {};
  OperatorCase c = default_case(*schema, inputs);
  visit_operator(c, conditions, [&](auto& value) { reader.get(value); });
  if (!reader.complete()) return {};
  for (OperatorInput& input : c.inputs) {
    if (!schema->has_float_input) input.contents.fill = Fill::listed;
  }
  if (!validate(c)) return {};
  return c;
}

template <typename Types, typename Field>
void visit(Types& types, Field field) {
  field(types.activation), field(types.output), field(types.int32_bias), field(types.end_padding);
}

// Returns the names of operators that follow, or nothing if there are others.
std::optional<std::vector<std::string>> read_operator_names(ByteReader& reader) {
  std::uint64_t count = 0;
  reader.get(count);
  if (count > operator_schemas().size()) return {};
  std::vector<std::string> names(count);
  for (std::string& name : names) {
    reader.get(name);
    if (find_operator(name) == nullptr) return {};
  }
  return names;
}

constexpr std::uint8_t kAnswered = 255;  // marks an output where errors have a SubjectError::Kind

// Returns true for the errors that a host reports; tieout itself detects the others.
bool is_reported_by_host(SubjectError::Kind kind) {
  return kind == SubjectError::Kind::declined || kind == SubjectError::Kind::misbehaved ||
         kind == SubjectError::Kind::absent;
}

}  // namespace

std::string frame(const std::string& message) {
  const std::uint64_t size = message.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + message;
}

std::uint64_t frame_size(std::string_view head) {
  std::uint64_t size = 0;
  std::memcpy(&size, head.data(), sizeof size);
  return size;
}

std::string pack(const HostHello& hello) {
  ByteWriter bytes;
  bytes.put(hello.error.substr(0, kLongestText));
  bytes.put(hello.name);
  bytes.put(hello.domain);
  visit(hello.types, [&](const auto& value) { bytes.put(value); });
  bytes.put(hello.scope.convolutions);
  bytes.put(hello.scope.operators);
  bytes.put(std::uint64_t{hello.scope.declared.size()});
  for (const std::string& name : hello.scope.declared) bytes.put(name);
  return bytes.take();
}

std::string pack(std::uint64_t number, const ConvProblem& problem, const Conditions& conditions) {
  ByteWriter bytes;
  bytes.put(number);
  bytes.put(ProblemKind::conv);
  visit(problem, conditions, [&](const auto& value) { bytes.put(value); });
  return bytes.take();
}

std::string pack(std::uint64_t number, const OperatorCase& c, const Conditions& conditions) {
  ByteWriter bytes;
  bytes.put(number);
  bytes.put(ProblemKind::of_operator);
  bytes.put(c.schema->name);
  bytes.put(std::uint64_t{c.inputs.size()});
  visit_operator(c, conditions, [&](const auto& value) { bytes.put(value); });
  return bytes.take();
}

std::string pack(std::uint64_t number, const SubjectAnswer& answer) {
  ByteWriter bytes;
  bytes.put(number);
  bytes.put(answer ? kAnswered : static_cast<std::uint8_t>(answer.error().kind));
  if (answer) {
    bytes.put(answer->values);
  } else {
    bytes.put(answer.error().message.substr(0, kLongestText));
  }
  return bytes.take();
}

std::optional<HostHello> unpack_hello(std::string_view bytes) {
  ByteReader reader(bytes);
  HostHello hello;
  reader.get(hello.error);
  reader.get(hello.name);
  reader.get(hello.domain);
  visit(hello.types, [&](auto& value) { reader.get(value); });
  std::uint8_t convolutions = 0;
  std::uint8_t operators = 0;
  reader.get(convolutions);
  reader.get(operators);
  auto declared = read_operator_names(reader);
  if (convolutions > 1 || operators > 1 || !declared) return {};
  hello.scope = {convolutions == 1, operators == 1, std::move(*declared)};
  if (!reader.complete() || hello.error.size() > kLongestText || hello.domain.size() > kLongestDomain ||
      hello.types.activation > ActivationType::int8 || hello.types.output > OutputType::int32) {
    return {};
  }
  hello.error = printable(hello.error, kLongestText);
  hello.name = printable(hello.name, kLongestName);
  return hello;
}

std::optional<HostedProblem> unpack_problem(std::string_view bytes) {
  ByteReader reader(bytes);
  HostedProblem asked;
  ProblemKind kind{};
  reader.get(asked.number);
  reader.get(kind);
  if (kind == ProblemKind::of_operator) {
    auto c = read_operator(reader, asked.conditions);
    if (!c) return {};
    asked.problem = std::move(*c);
    return asked;
  }
  ConvProblem problem;
  visit(problem, asked.conditions, [&](auto& value) { reader.get(value); });
  if (kind != ProblemKind::conv || !reader.complete()) return {};
  asked.problem = std::move(problem);
  return asked;
}

std::optional<SubjectAnswer> unpack_answer(std::string_view bytes, std::uint64_t number, const Shape& shape) {
  ByteReader reader(bytes);
  std::uint64_t answered = 0;
  std::uint8_t kind = 0;
  reader.get(answered);
  reader.get(kind);
  if (answered != number) return {};
  if (kind == kAnswered) {
    Answers y{shape, {}};
    reader.get(y.values);
    if (!reader.complete() || std::ssize(y.values) != element_count(shape)) return {};
    return y;
  }
  SubjectError error{static_cast<SubjectError::Kind>(kind), {}};
  reader.get(error.message);
  if (!reader.complete() || !is_reported_by_host(error.kind) || error.message.size() > kLongestText) return {};
  return tl::unexpected(std::move(error));
}

}  // namespace tieout
