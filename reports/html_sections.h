#pragma once
// The parts of the page, as data for its templates.

#include <kainjow/mustache.hpp>

#include "reports/report.h"

namespace tieout {

// html/coverage.mustache: engine x instruction set x path, by class, as a heat map.
[[nodiscard]] kainjow::mustache::data coverage_section(const RunSummary& run);

// html/layers.mustache: layer x who differs, as a heat map.
[[nodiscard]] kainjow::mustache::data layers_section(const ReportedLayers& model);
[[nodiscard]] kainjow::mustache::data table_section(const ReportedTable& table);

// html/trend.mustache: findings and verified cases by run. report: of two runs or more.
[[nodiscard]] kainjow::mustache::data trend_section(const Report& report);

// html/page.mustache: the cases by how they ended, as one bar with its table.
[[nodiscard]] kainjow::mustache::data outcome_section(const CaseCounts& cases);

}  // namespace tieout
