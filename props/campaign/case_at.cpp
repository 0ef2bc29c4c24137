#include "props/campaign/case_at.h"

#include "props/generate/generator.h"
#include "props/generate/strategy.h"
#include "props/operators/operator_draw.h"

namespace tieout {

ConvCase draw(const CampaignOptions& options, std::int64_t index, std::int64_t attempt) {
  const auto position = static_cast<std::uint64_t>(index);
  const bool for_engines = options.subject == nullptr || options.subject->reads_execution();
  GeneratorOptions drawn = for_engines ? GeneratorOptions{} : kForSubjects;
  drawn.products = options.products.value_or(drawn.products);
  const auto number = static_cast<std::uint64_t>(attempt);
  if (options.sampling == Sampling::by_strategy) return case_of(options.seed, position, drawn, options.domain, number);
  return draw_within(options.domain, options.seed, position, number, drawn, draw_uniform_case);
}

namespace {

// Of as many cases, the last one is one of an operator, if there are convolutions as well.
constexpr std::int64_t kRound = 4;

// The place of a case in the sequence of its kind.
struct Place {
  bool is_operator = false;
  std::int64_t number = 0;
};

Place place_of(const CampaignOptions& options, std::int64_t index) {
  if (options.operators.empty()) return {.number = index};
  if (!options.convolutions) return {.is_operator = true, .number = index};
  const std::int64_t round = index / kRound;
  const std::int64_t within = index % kRound;
  if (within == kRound - 1) return {.is_operator = true, .number = round};
  return {.number = round * (kRound - 1) + within};
}

}  // namespace

AnyCase draw_any(const CampaignOptions& options, std::int64_t index, std::int64_t attempt) {
  const Place place = place_of(options, index);
  if (!place.is_operator) return draw(options, place.number, attempt);
  const auto number = static_cast<std::uint64_t>(place.number);
  Random random(options.seed, number);
  return draw_operator_case(*options.operators[number % options.operators.size()], random);
}

std::string_view strategy_name(const CampaignOptions& options, std::int64_t index) {
  const Place place = place_of(options, index);
  if (place.is_operator) return "operators";
  index = place.number;
  return options.sampling == Sampling::by_strategy ? name(strategy_of(static_cast<std::uint64_t>(index))) : "uniform";
}

}  // namespace tieout
