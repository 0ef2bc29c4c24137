#include "props/operators/operator_answer.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "cases/strings/bytes.h"
#include "props/process/forked_task.h"

namespace tieout {
namespace {

// ---- conversion of an answer to bytes and back, to pass it between processes

std::string pack_answer(const OperatorAnswer& answer) {
  ByteWriter bytes;
  bytes.put(static_cast<std::uint8_t>(answer ? 1 : 0));
  if (answer) {
    bytes.put(static_cast<std::uint8_t>(answer->is_float ? 1 : 0));
    bytes.put(answer->values.shape);
    bytes.put(answer->values.values);
  } else {
    bytes.put(answer.error().kind);
    bytes.put(answer.error().text);
  }
  return bytes.take();
}

OperatorAnswer unpack_answer(const std::string& packed) {
  ByteReader reader(packed);
  std::uint8_t answered = 0;
  std::uint8_t is_float = 0;
  OperatorOutput answer;
  ReferenceFailure failure{};
  reader.get(answered);
  if (answered == 1) {
    reader.get(is_float);
    reader.get(answer.values.shape);
    reader.get(answer.values.values);
    answer.is_float = is_float == 1;
  } else {
    reader.get(failure.kind);
    reader.get(failure.text);
  }
  const auto is_size = [](std::int64_t extent) { return extent >= 0; };
  const Shape& shape = answer.values.shape;
  const bool whole = answered != 1 ||
                     (std::ranges::all_of(shape, is_size) && element_count(shape) == std::ssize(answer.values.values));
  if (!reader.complete() || !whole) {
    return tl::unexpected(ReferenceFailure{ReferenceFailure::Kind::died, "wrote over its own answer"});
  }
  if (answered != 1) return tl::unexpected(failure);
  return answer;
}

}  // namespace

OperatorAnswer run_operator_here(const OperatorCase& c, LibTorch& reference) {
  reference.guard_tensors(true);
  auto answer = reference.run_operator(c);
  if (answer) return std::move(*answer);
  return tl::unexpected(failure_of(answer.error()));
}

OperatorAnswer run_operator_alone(const OperatorCase& c, LibTorch& reference, double seconds) {
  const auto ask = [&] { return run_alone([&] { return pack_answer(run_operator_here(c, reference)); }, seconds); };
  auto bytes = ask();
  // What another process or the kernel caused may not happen again.
  if (!bytes && bytes.error().by_machine) bytes = ask();
  if (bytes) return unpack_answer(*bytes);
  return tl::unexpected(failure_of(bytes.error()));
}

}  // namespace tieout
