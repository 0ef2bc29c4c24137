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

// Returns the number of input elements that the output is computed from.
std::int64_t work_of(const OperatorCase& c) {
  std::int64_t window = 1;
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    if (c.schema->attributes[i].name != "kernel") continue;
    for (const std::int64_t extent : extents(c, "kernel")) window *= extent;
  }
  return window * element_count(output_shape(c));
}

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
  // A further attempt is of the next operator, because the subject may decline all cases of the first one.
  constexpr std::uint64_t kAttempts = std::uint64_t{1} << 40U;
  const auto tried = static_cast<std::uint64_t>(attempt);
  Random random(options.seed, number + kAttempts * tried);
  const OperatorSchema& schema = *options.operators[(number + tried) % options.operators.size()];
  OperatorCase c = draw_operator_case(schema, random);
  // A plain kernel must answer within its time limit.
  constexpr std::int64_t kMostWork = 1'000'000;
  while (options.subject != nullptr && work_of(c) > kMostWork) c = draw_operator_case(schema, random);
  return c;
}

std::string_view strategy_name(const CampaignOptions& options, std::int64_t index) {
  const Place place = place_of(options, index);
  if (place.is_operator) return "operators";
  index = place.number;
  return options.sampling == Sampling::by_strategy ? name(strategy_of(static_cast<std::uint64_t>(index))) : "uniform";
}

}  // namespace tieout
