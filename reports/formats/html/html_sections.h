#pragma once
// Computes the parts of the HTML page as data for its templates.

#include <kainjow/mustache.hpp>

#include "reports/data/report.h"

namespace tieout {

// Returns data for coverage.mustache: engine x instruction set x path, by class, as a heat map.
[[nodiscard]] kainjow::mustache::data coverage_section(const RunSummary& run);

// Returns data for layers.mustache: layer x column that differs, as a heat map.
[[nodiscard]] kainjow::mustache::data layers_section(const ReportedModel& model);
[[nodiscard]] kainjow::mustache::data table_section(const ReportedTable& table);

// Returns data for causes.mustache: a card per cause.
[[nodiscard]] kainjow::mustache::data causes_section(const Report& report);

// Returns data for trend.mustache: findings and verified cases by run. report: of at least two runs.
[[nodiscard]] kainjow::mustache::data trend_section(const Report& report);

// Returns data for page.mustache: the cases by outcome, as one bar with its table.
[[nodiscard]] kainjow::mustache::data outcome_section(const CaseCounts& cases);

}  // namespace tieout
