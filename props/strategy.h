#pragma once
// What a case of a sequence is drawn for. The share of each is fixed and known: case `index` of seed `seed` is the same
// whatever was found before it, on whatever machine, and by however many workers.

#include <cstdint>
#include <functional>
#include <string_view>

#include "cases/conv_case.h"
#include "props/generator.h"

namespace tieout {

enum class Strategy {
  everything,    // draw_case(): all classes, as often as they come
  cells,         // one cell after the other, so that none is left behind
  ties,          // an element on a tie or beside it
  int16_limits,  // sums of pairs, and values before rounding, at the limits of int16
  int32_limits,  // sums at 2^24 and 2^31, and values before rounding at the limits of int32
};
inline constexpr std::size_t kStrategies = 5;

[[nodiscard]] std::string_view name(Strategy strategy);

[[nodiscard]] Strategy strategy_of(std::uint64_t index);

// Case `index` of the sequence that `seed` names: what fuzz and campaigns run. The sequence lies within the domain, as far
// as cases within it are found. attempt: how many cases for this index the subject has declined; each attempt is another
// case, drawn for the same. options.where is replaced by an alternative of the domain.
[[nodiscard]] ConvCase case_of(std::uint64_t seed, std::uint64_t index, const GeneratorOptions& options = {},
                               const Domain& domain = {}, std::uint64_t attempt = 0);

// The same by any function of random numbers and options.
using DrawCase = std::function<ConvCase(Random&, const GeneratorOptions&)>;
[[nodiscard]] ConvCase draw_within(const Domain& domain, std::uint64_t seed, std::uint64_t index, std::uint64_t attempt,
                                   const GeneratorOptions& options, const DrawCase& draw);

}  // namespace tieout
