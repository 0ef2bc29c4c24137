#pragma once
// The messages between tieout and the process that hosts a library, packed to bytes. A message travels in a frame: its
// size as uint64, then its bytes. The host sends a HostHello, then one answer to each problem, which repeats the
// problem's number.
//
// The bytes that arrive from the host may have been written by the library inside of it, so that nothing in them is
// trusted: each unpack function checks lengths and values, and returns nothing if the bytes cannot be such a message.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>

#include "cases/conv_case.h"
#include "cases/operators/operator_case.h"
#include "kernels/subject/subject.h"

namespace tieout {

constexpr std::size_t kLongestText = 4096;  // maximum size of a text in a message, in bytes

// The first message: the library's name and domain once it is loaded, or the reason why it cannot be loaded.
struct HostHello {
  std::string error;         // empty if the library is loaded
  std::string name, domain;  // as KernelTraits has them
  KernelTypes types = {};
  SubjectScope scope = {};
};

struct HostedProblem {
  std::uint64_t number = 0;
  // Without what kernels do not read: Contents, seed and Execution of a convolution; layout, seed and threads of
  // another operator.
  std::variant<ConvProblem, OperatorCase> problem;
  Conditions conditions;
};

// Returns the message in its frame.
[[nodiscard]] std::string frame(const std::string& message);
// Returns the size of the message, from the kFrameHead bytes before it.
[[nodiscard]] std::uint64_t frame_size(std::string_view head);
inline constexpr std::size_t kFrameHead = sizeof(std::uint64_t);

[[nodiscard]] std::string pack(const HostHello& hello);
[[nodiscard]] std::string pack(std::uint64_t number, const ConvProblem& problem, const Conditions& conditions);
[[nodiscard]] std::string pack(std::uint64_t number, const OperatorCase& c, const Conditions& conditions);
[[nodiscard]] std::string pack(std::uint64_t number, const SubjectAnswer& answer);

[[nodiscard]] std::optional<HostHello> unpack_hello(std::string_view bytes);
[[nodiscard]] std::optional<HostedProblem> unpack_problem(std::string_view bytes);
// number: the number of the problem that was sent last. shape: the shape of its output.
[[nodiscard]] std::optional<SubjectAnswer> unpack_answer(std::string_view bytes, std::uint64_t number,
                                                         const Shape& shape);

}  // namespace tieout
