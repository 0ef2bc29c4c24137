#include "props/verify/reference_answer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "cases/strings/bytes.h"

namespace tieout {
namespace {

// ---- conversion of an answer to bytes and back, to pass it between processes

std::string pack_reference_answer(const ReferenceAnswer& answer) {
  ByteWriter bytes;
  bytes.put(static_cast<std::uint8_t>(answer ? 1 : 0));
  if (answer) {
    bytes.put(answer->picked);
    bytes.put(answer->y.shape);
    bytes.put(answer->y.values);
  } else {
    bytes.put(answer.error().kind);
    bytes.put(answer.error().text);
  }
  return bytes.take();
}

ReferenceAnswer unpack_reference_answer(const std::string& bytes) {
  ByteReader reader(bytes);
  std::uint8_t answered = 0;
  EngineAnswer answer{};
  ReferenceFailure failure{};
  reader.get(answered);
  if (answered == 1) {
    reader.get(answer.picked);
    reader.get(answer.y.shape);
    reader.get(answer.y.values);
  } else {
    reader.get(failure.kind);
    reader.get(failure.text);
  }
  const auto is_size = [](std::int64_t extent) { return extent >= 0; };
  const bool whole = answered != 1 || (std::ranges::all_of(answer.y.shape, is_size) &&
                                       element_count(answer.y.shape) == std::ssize(answer.y.values));
  if (!reader.complete() || !whole) {
    return tl::unexpected(ReferenceFailure{ReferenceFailure::Kind::died, "wrote over its own answer"});
  }
  if (answered != 1) return tl::unexpected(failure);
  return answer;
}

// True if an engine refuses a case for lack of memory. LibTorch has one type of error for everything, so that the text
// decides.
bool lacks_memory(std::string_view text) {
  constexpr std::array<std::string_view, 5> kWords{"no memory for a guarded tensor",
                                                   "cannot open a guarded tensor's pages", "bad_alloc",
                                                   "can't allocate memory", "out of memory"};
  return std::ranges::any_of(kWords,
                             [&](std::string_view words) { return text.find(words) != std::string_view::npos; });
}

}  // namespace

ReferenceFailure failure_of(const EngineError& error) {
  switch (error.kind) {
    case EngineError::Kind::absent: return {ReferenceFailure::Kind::absent, error.message};
    case EngineError::Kind::unsupported: return {ReferenceFailure::Kind::unsupported, error.message};
    case EngineError::Kind::refused: break;
  }
  return {lacks_memory(error.message) ? ReferenceFailure::Kind::no_resources : ReferenceFailure::Kind::refused,
          error.message};
}

ReferenceFailure failure_of(const ExitReason& reason) {
  return {reason.by_machine ? ReferenceFailure::Kind::no_resources : ReferenceFailure::Kind::died, reason.text()};
}

ReferenceAnswer run_reference(const ConvProblem& problem, LibTorch& reference) {
  reference.guard_tensors(true);
  auto answer = reference.conv(problem);
  if (answer) return std::move(*answer);
  return tl::unexpected(failure_of(answer.error()));
}

ReferenceAnswer run_reference_alone(const ConvProblem& problem, LibTorch& reference, double seconds) {
  const auto ask = [&] {
    return run_alone([&] { return pack_reference_answer(run_reference(problem, reference)); }, seconds);
  };
  auto bytes = ask();
  // What another process or the kernel caused may not happen again.
  if (!bytes && bytes.error().by_machine) bytes = ask();
  if (bytes) return unpack_reference_answer(*bytes);
  return tl::unexpected(failure_of(bytes.error()));
}

}  // namespace tieout
