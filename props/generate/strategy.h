#pragma once
// Determines what each case of a sequence is drawn for. The share of each strategy is fixed: case `index` of seed
// `seed` is the same regardless of earlier findings, the machine and the number of workers.

#include <cstdint>
#include <functional>
#include <string_view>

#include "cases/conv_case.h"
#include "props/generate/generator.h"

namespace tieout {

enum class Strategy {
  // Draws from draw_case(), so that classes occur as often as they do there.
  everything,
  // Takes one cell after the other, so that all of them are covered.
  cells,
  // Moves an element onto a tie or beside it.
  ties,
  // Moves sums of pairs, and values before rounding, to the limits of int16.
  int16_limits,
  // Moves sums to 2^24 and 2^31, and values before rounding to the limits of int32.
  int32_limits,
};
inline constexpr std::size_t kStrategies = 5;

[[nodiscard]] std::string_view name(Strategy strategy);

[[nodiscard]] Strategy strategy_of(std::uint64_t index);

// Returns case `index` of the sequence that `seed` names, which fuzz and campaigns run. The sequence lies within the
// domain, as far as cases within it are found. attempt: how many cases for this index the subject has declined; each
// attempt gives another case with the same strategy. options.where is replaced by an alternative of the domain.
[[nodiscard]] ConvCase case_of(std::uint64_t seed, std::uint64_t index, const GeneratorOptions& options = {},
                               const Domain& domain = {}, std::uint64_t attempt = 0);

// Returns the operator that case `index` of a sequence is drawn for: for LibTorch itself every thirteenth case is a
// linear layer, and where options.where has a condition on the operator, the one that it names.
[[nodiscard]] Call call_of(std::uint64_t index, const GeneratorOptions& options);

// Does the same with any function of random numbers and options.
using DrawCase = std::function<ConvCase(Random&, const GeneratorOptions&)>;
[[nodiscard]] ConvCase draw_within(const Domain& domain, std::uint64_t seed, std::uint64_t index, std::uint64_t attempt,
                                   const GeneratorOptions& options, const DrawCase& draw);

}  // namespace tieout
