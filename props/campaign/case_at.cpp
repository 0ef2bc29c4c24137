#include "props/campaign/case_at.h"

#include "props/generate/generator.h"
#include "props/generate/strategy.h"

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

std::string_view strategy_name(const CampaignOptions& options, std::int64_t index) {
  return options.sampling == Sampling::by_strategy ? name(strategy_of(static_cast<std::uint64_t>(index))) : "uniform";
}

}  // namespace tieout
