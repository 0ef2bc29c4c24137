#pragma once
// Runs a reference in a process of its own, and passes its answer from there as bytes.

#include <algorithm>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "cases/strings/bytes.h"
#include "cases/tensor.h"
#include "props/process/forked_task.h"
#include "props/verify/reference_answer.h"

namespace tieout {

// Writes the fields of an answer.
class AnswerWriter {
 public:
  explicit AnswerWriter(ByteWriter& bytes) : bytes_(bytes) {}
  template <typename Value>
  void operator()(const Tensor<Value>& y) {
    bytes_.put(y.shape), bytes_.put(y.values);
  }
  template <typename T>
  void operator()(const T& field) {
    bytes_.put(field);
  }

 private:
  ByteWriter& bytes_;
};

// Reads the fields that an AnswerWriter wrote, in the same order.
class AnswerReader {
 public:
  explicit AnswerReader(ByteReader& bytes) : bytes_(bytes) {}
  template <typename Value>
  void operator()(Tensor<Value>& y) {
    bytes_.get(y.shape), bytes_.get(y.values);
    const bool sized = std::ranges::all_of(y.shape, [](std::int64_t extent) { return extent >= 0; });
    whole_ = whole_ && sized && element_count(y.shape) == std::ssize(y.values);
  }
  void operator()(bool& field) {
    std::uint8_t byte = 0;
    bytes_.get(byte);
    field = byte == 1;
  }
  template <typename T>
  void operator()(T& field) {
    bytes_.get(field);
  }

  // True if every tensor has as many values as its shape says.
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  ByteReader& bytes_;
  bool whole_ = true;
};

template <typename Answer, typename Visit>
std::string pack_answer(const tl::expected<Answer, ReferenceFailure>& answer, Visit visit) {
  ByteWriter bytes;
  bytes.put(static_cast<std::uint8_t>(answer ? 1 : 0));
  if (answer) {
    visit(*answer, AnswerWriter(bytes));
  } else {
    bytes.put(answer.error().kind);
    bytes.put(answer.error().text);
  }
  return bytes.take();
}

template <typename Answer, typename Visit>
tl::expected<Answer, ReferenceFailure> unpack_answer(const std::string& packed, Visit visit) {
  ByteReader bytes(packed);
  AnswerReader fields(bytes);
  std::uint8_t answered = 0;
  Answer answer{};
  ReferenceFailure failure{};
  bytes.get(answered);
  if (answered == 1) {
    visit(answer, [&](auto& field) { fields(field); });
  } else {
    bytes.get(failure.kind);
    bytes.get(failure.text);
  }
  if (!bytes.complete() || !fields.whole()) {
    return tl::unexpected(ReferenceFailure{ReferenceFailure::Kind::died, "wrote over its own answer"});
  }
  if (answered != 1) return tl::unexpected(failure);
  return answer;
}

// Returns the answer of `run`, called in a process of its own. visit: calls its second argument with each field of its
// first, an answer that is const or not. seconds: time limit.
template <typename Answer, typename Run, typename Visit>
tl::expected<Answer, ReferenceFailure> answer_alone(Run run, Visit visit, double seconds) {
  const auto ask = [&] { return run_alone([&] { return pack_answer<Answer>(run(), visit); }, seconds); };
  auto bytes = ask();
  // What another process or the kernel caused may not happen again.
  if (!bytes && bytes.error().by_machine) bytes = ask();
  if (bytes) return unpack_answer<Answer>(*bytes, visit);
  return tl::unexpected(failure_of(bytes.error()));
}

}  // namespace tieout
