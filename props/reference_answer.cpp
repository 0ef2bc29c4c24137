#include "props/reference_answer.h"

#include <cstring>
#include <utility>

#include "props/isolated.h"

namespace tieout {
namespace {

// ---- an answer as bytes, for the way from one process to another

std::string pack(const ReferenceAnswer& answer) {
  if (!answer) return "-" + std::string(1, static_cast<char>(answer.error().kind)) + answer.error().text;
  std::string bytes = "+" + std::string(1, static_cast<char>(answer->picked));
  bytes += static_cast<char>(answer->y.shape.size());
  const auto& [shape, values] = answer->y;
  bytes.append(reinterpret_cast<const char*>(shape.data()), shape.size() * sizeof(shape.front()));
  return bytes.append(reinterpret_cast<const char*>(values.data()), values.size());
}

ReferenceAnswer unpack(const std::string& bytes) {
  if (bytes.front() == '-')
    return tl::unexpected(ReferenceFailure{static_cast<ReferenceFailure::Kind>(bytes[1]), bytes.substr(2)});
  EngineAnswer answer{{}, static_cast<Engine>(bytes[1])};
  answer.y.shape.resize(static_cast<std::size_t>(bytes[2]));
  const std::size_t shape_bytes = answer.y.shape.size() * sizeof(answer.y.shape.front());
  std::memcpy(answer.y.shape.data(), bytes.data() + 3, shape_bytes);
  answer.y.values.assign(bytes.begin() + 3 + static_cast<std::ptrdiff_t>(shape_bytes), bytes.end());
  return answer;
}

}  // namespace

ReferenceAnswer ask_here(const ConvProblem& problem, LibTorch& reference) {
  reference.guard_tensors(true);
  auto answer = reference.conv(problem);
  if (answer) return std::move(*answer);
  switch (answer.error().kind) {
    case EngineError::Kind::absent:
      return tl::unexpected(ReferenceFailure{ReferenceFailure::Kind::absent, answer.error().message});
    case EngineError::Kind::unsupported:
      return tl::unexpected(ReferenceFailure{ReferenceFailure::Kind::unsupported, answer.error().message});
    case EngineError::Kind::refused: break;
  }
  return tl::unexpected(ReferenceFailure{ReferenceFailure::Kind::refused, answer.error().message});
}

ReferenceAnswer ask_alone(const ConvProblem& problem, LibTorch& reference, double seconds) {
  const auto bytes = run_alone([&] { return pack(ask_here(problem, reference)); }, seconds);
  if (!bytes) return tl::unexpected(ReferenceFailure{ReferenceFailure::Kind::died, bytes.error().text()});
  return unpack(*bytes);
}

}  // namespace tieout
