#include "props/generate/strategy.h"

#include <algorithm>
#include <array>

#include "cases/case_predicates.h"
#include "cases/random.h"
#include "cases/validate.h"
#include "oracle/engines/engine_model.h"
#include "oracle/engines/fbgemm_path.h"
#include "props/generate/boundary_targeting.h"
#include "props/generate/conform.h"

namespace tieout {
namespace {

using enum Strategy;

// Assigns a strategy to each of twenty cases. Implementations differ most often at ties; the limits are rarer, and
// their cases more expensive.
constexpr std::array kRound{everything, cells,        ties,       everything,   cells,      everything,  int16_limits,
                            ties,       cells,        everything, int32_limits, everything, ties,        everything,
                            cells,      int16_limits, everything, ties,         everything, int32_limits};
constexpr std::uint64_t kCellsARound = 4;

// Describes a cell. Cells follow one another by path first, so that twenty cases cover all paths.
struct Target {
  FbgemmPath path;
  Execution execution;
  Granularity granularity;
  bool bias;
};

Target target_of(std::uint64_t number) {
  constexpr std::array kIsas{Isa::avx2, Isa::avx512, Isa::avx512_256, Isa::avx512_vnni, Isa::avx512_vnni_256};
  constexpr std::array kOthers{Engine::onednn, Engine::x86, Engine::qnnpack, Engine::fbgemm_direct,
                               Engine::onednn_pointwise};
  const auto take = [&](std::uint64_t choices) {
    const std::uint64_t taken = number % choices;
    number /= choices;
    return taken;
  };
  constexpr std::array kPaths{FbgemmPath::depthwise, FbgemmPath::groupwise, FbgemmPath::pointwise, FbgemmPath::im2col};
  Target target{.path = kPaths[take(kPaths.size())], .execution = {}, .granularity = {}, .bias = false};
  const std::uint64_t how = take(kIsas.size() + kOthers.size());
  if (how < kIsas.size()) {
    target.execution.isa = kIsas[how];
  } else {
    target.execution.engine = kOthers[how - kIsas.size()];
  }
  target.granularity = take(2) == 0 ? Granularity::per_tensor : Granularity::per_channel;
  target.bias = take(2) == 0;
  return target;
}

ConvCase draw_in(const Target& target, Random& random, const GeneratorOptions& options) {
  ConvCase c;
  draw_shape_on(options.call == Call::linear ? FbgemmPath::linear : target.path, c, random, options);
  const bool limited = options.where != nullptr;
  draw_quantization(c, random, limited ? conform_granularity(target.granularity, *options.where) : target.granularity);
  if (!target.bias) c.bias.clear();
  if (target.bias && c.bias.empty()) {
    for (std::int64_t k = 0; k < c.out_channels; ++k) {
      c.bias.push_back(static_cast<float>((random.unit() - 0.5) * 100 * c.output_scale));
    }
  }
  const std::vector<float> bias = c.bias;
  draw_execution(c, random, options.audience);
  if (options.audience == Audience::engines) {
    const bool exists = !is_linear(c) || target.execution.engine != Engine::fbgemm_direct;
    c.execution.engine = exists ? target.execution.engine : Engine::fbgemm;
    c.execution.isa = target.execution.isa;
    c.int32_bias.clear();
    c.bias = bias;
    if (c.execution.engine == Engine::fbgemm_direct && target.bias && random.chance(1, 2)) {
      c.bias.clear();
      draw_int32_bias(c, random);
    }
  }
  if (c.execution.engine == Engine::onednn_pointwise) draw_byte_types(c, random);
  // ONEDNN refuses weight zero points, and X86 would pass such a case to FBGEMM.
  if (is_onednn(c.execution.engine) || c.execution.engine == Engine::x86) {
    std::ranges::fill(c.weight_zero_points, 0);
  }
  if (refuses_relu(c)) c.relu = Relu::off;
  draw_contents(c, random);
  conform_parameters(c, random, options);
  if (random.chance(1, 2)) move_to_boundary(Boundary::tie, c, random);
  return c;
}

// True if a linear layer can satisfy the conditions.
bool allows_linear(const Domain::Alternative& where) {
  Random random(0);
  const ConvCase c = draw_case(random, {.products = 1'000, .call = Call::linear, .where = &where});
  return std::ranges::all_of(where, [&](const Condition& condition) { return holds(condition, c); });
}

ConvCase draw_for_index(std::uint64_t index, Random& random, const GeneratorOptions& options) {
  switch (strategy_of(index)) {
    case everything: break;
    case cells: {
      const auto place = static_cast<std::ptrdiff_t>(index % kRound.size());
      const auto before = static_cast<std::uint64_t>(std::ranges::count(kRound.begin(), kRound.begin() + place, cells));
      return draw_in(target_of(index / kRound.size() * kCellsARound + before), random, options);
    }
    case ties: {
      ConvCase c = draw_case(random, options);
      move_to_boundary(Boundary::tie, c, random);
      return c;
    }
    case int16_limits: {
      ConvCase c = draw_case(random, options);
      if (random.chance(1, 2)) draw_pair_limits(c, random);
      if (random.chance(2, 3)) move_to_boundary(Boundary::int16, c, random);
      return c;
    }
    case int32_limits: {
      ConvCase c;
      if (random.chance(1, 4)) {
        c = draw_long_case(random, options);
        draw_growing_sums(c, random, options);
      } else {
        c = draw_case(random, options);
      }
      move_to_boundary(random.chance(1, 2) ? Boundary::int32 : Boundary::tie, c, random);
      return c;
    }
  }
  return draw_case(random, options);
}

}  // namespace

std::string_view name(Strategy strategy) {
  constexpr std::array<std::string_view, kStrategies> kNames{"everything", "cells", "ties", "int16 limits",
                                                             "int32 limits"};
  return kNames[static_cast<std::size_t>(strategy)];
}

Call call_of(std::uint64_t index, const GeneratorOptions& options) {
  // The share has no divisor in common with the round, so that every strategy draws linear layers.
  constexpr std::uint64_t kEvery = 13;
  const bool named = options.where != nullptr && mentions(Parameter::call, *options.where);
  const bool due = options.audience == Audience::engines && index % kEvery == kEvery / 2;
  if (!named && !due) return Call::conv;
  ConvCase conv;
  const auto allows = [&](const Condition& condition) {
    return condition.left.parameter != Parameter::call || holds(condition, conv);
  };
  if (named && !due && std::ranges::all_of(*options.where, allows)) return Call::conv;
  return options.where == nullptr || allows_linear(*options.where) ? Call::linear : Call::conv;
}

Strategy strategy_of(std::uint64_t index) { return kRound[index % kRound.size()]; }

ConvCase draw_within(const Domain& domain, std::uint64_t seed, std::uint64_t index, std::uint64_t attempt,
                     const GeneratorOptions& options, const DrawCase& draw) {
  constexpr std::uint64_t kMostDraws = 100;
  for (std::uint64_t number = attempt * kMostDraws;; ++number) {
    // The first draw is the same with and without a domain.
    const std::uint64_t of_number = number == 0 ? seed : Random(seed, ~number).next();
    Random random(of_number, index);
    Random choice(of_number, ~index);
    GeneratorOptions within = options;
    within.where = pick_alternative(domain, choice);
    within.call = call_of(index, within);
    ConvCase c = draw(random, within);
    const bool last = number + 1 == (attempt + 1) * kMostDraws;
    if (last || domain.is_everything() || (domain.contains(c) && validate(c))) return c;
  }
}

ConvCase case_of(std::uint64_t seed, std::uint64_t index, const GeneratorOptions& options, const Domain& domain,
                 std::uint64_t attempt) {
  return draw_within(domain, seed, index, attempt, options, [&](Random& random, const GeneratorOptions& within) {
    return draw_for_index(index, random, within);
  });
}

}  // namespace tieout
