#pragma once
// The messages between tieout and the process that hosts a library, as bytes. A message is a frame: its size as uint64, then
// its bytes. The host sends a HostHello, then one answer to each problem, which repeats the problem's number.
//
// What comes from the host may come from the library in it. Nothing in it is trusted: every read here checks lengths and values,
// and gives nothing where the bytes cannot be such a message.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cases/conv_case.h"
#include "kernels/subject.h"

namespace tieout {

constexpr std::size_t kLongestText = 4096;  // bytes of every text in a message

// What the library says of itself once it is loaded; or why it cannot be.
struct HostHello {
  std::string error;         // empty: it is loaded
  std::string name, domain;  // as KernelTraits has them
};

struct HostedProblem {
  std::uint64_t number = 0;
  ConvProblem problem;  // without Contents, seed and Execution, which no kernel reads
  Conditions conditions;
};

[[nodiscard]] std::string pack(const HostHello& hello);
[[nodiscard]] std::string pack(std::uint64_t number, const ConvProblem& problem, const Conditions& conditions);
[[nodiscard]] std::string pack(std::uint64_t number, const SubjectAnswer& answer);

[[nodiscard]] std::optional<HostHello> unpack_hello(std::string_view bytes);
[[nodiscard]] std::optional<HostedProblem> unpack_problem(std::string_view bytes);
// number: of the problem that was asked last. shape: of its output.
[[nodiscard]] std::optional<SubjectAnswer> unpack_answer(std::string_view bytes, std::uint64_t number,
                                                         const Shape& shape);

}  // namespace tieout
