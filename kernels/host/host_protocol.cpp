#include "kernels/host/host_protocol.h"

#include <cstdint>
#include <cstring>
#include <utility>

#include "cases/strings/bytes.h"
#include "cases/strings/printable.h"
#include "kernels/subject/kernel_call.h"

namespace tieout {
namespace {

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
  field(conditions.placement), field(conditions.output_fill), field(conditions.memory_fill), field(conditions.caller);
}

template <typename Types, typename Field>
void visit(Types& types, Field field) {
  field(types.activation), field(types.output), field(types.int32_bias), field(types.end_padding);
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
  return bytes.take();
}

std::string pack(std::uint64_t number, const ConvProblem& problem, const Conditions& conditions) {
  ByteWriter bytes;
  bytes.put(number);
  visit(problem, conditions, [&](const auto& value) { bytes.put(value); });
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
  reader.get(asked.number);
  visit(asked.problem, asked.conditions, [&](auto& value) { reader.get(value); });
  if (!reader.complete()) return {};
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
