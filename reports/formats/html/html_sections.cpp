#include "reports/formats/html/html_sections.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "reports/data/coverage.h"
#include "reports/data/trend.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/model_text.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

using kainjow::mustache::data;

constexpr int kHeatLevels = 8;  // the classes heat1..heat8 of style.css

// The smallest and the largest count of a matrix, without those that are 0.
struct HeatRange {
  std::int64_t least = std::numeric_limits<std::int64_t>::max(), most = 0;
};

// Returns 0 for a count of 0, else 1..kHeatLevels on a logarithmic scale, because counts span orders of magnitude.
int heat_level(std::int64_t count, const HeatRange& range) {
  if (count == 0) return 0;
  if (range.least == range.most) return kHeatLevels / 2;
  const auto ratio = [&](std::int64_t n) {
    return std::log(static_cast<double>(n) / static_cast<double>(range.least));
  };
  return 1 + static_cast<int>(std::lround((kHeatLevels - 1) * ratio(count) / ratio(range.most)));
}

std::int64_t count_of(const CellCounts& counts, const std::string& cls) {
  const auto found = counts.classes.find(cls);
  return found == counts.classes.end() ? 0 : found->second;
}

data heat_cell(std::int64_t count, const HeatRange& range) {
  data cell;
  cell.set("level", std::to_string(heat_level(count, range)));
  cell.set("count", short_number(count));
  return cell;
}

data coverage_line(const CoverageRow& row, const std::vector<std::string>& classes, const HeatRange& range) {
  data line;
  line.set("path", row.path);
  line.set("unreached", row.counts.cases == 0);
  line.set("cases", short_number(row.counts.cases));
  line.set("elements", short_number(row.counts.elements));
  line.set("differed", grouped(row.counts.differed));
  line.set("differs", row.counts.differed > 0);
  data cells(data::type::list);
  for (const std::string& cls : classes) cells.push_back(heat_cell(count_of(row.counts, cls), range));
  line.set("cells", cells);
  return line;
}

// A part of a stacked bar: its class in style.css, and its value.
struct Bar {
  std::string cls;
  std::int64_t value = 0;
};

// Returns the rectangles of a stacked bar from the bottom up. A chart is one unit wide per slot and 1000 high, which
// corresponds to `most`.
data stacked(std::size_t slot, const std::vector<Bar>& bars, std::int64_t most) {
  constexpr double kHeight = 1000;
  data list(data::type::list);
  double top = kHeight;
  for (const Bar& bar : bars) {
    if (bar.value == 0) continue;
    const double height = kHeight * static_cast<double>(bar.value) / static_cast<double>(most);
    top -= height;
    data item;
    item.set("class", bar.cls);
    item.set("x", fmt::format("{:.1f}", static_cast<double>(slot) + 0.1));
    item.set("y", fmt::format("{:.1f}", top));
    item.set("height", fmt::format("{:.1f}", height));
    list.push_back(item);
  }
  return list;
}

// Returns the range of the counts that are not 0.
HeatRange heat_range(const std::vector<CoverageRow>& rows) {
  HeatRange range;
  for (const CoverageRow& row : rows) {
    for (const auto& [cls, count] : row.counts.classes) {
      if (count > 0) range = {std::min(range.least, count), std::max(range.most, count)};
    }
  }
  return range;
}

// Returns the heads of the columns, one for each class.
data class_columns(const RunSummary& run) {
  data classes(data::type::list);
  for (const std::string& cls : run.classes) {
    data item;
    item.set("name", cls);
    item.set("missing", std::ranges::find(run.missing_classes, cls) != run.missing_classes.end());
    item.set("count", short_number(run.reached(cls)));
    classes.push_back(item);
  }
  return classes;
}

// Returns the lines, grouped by engine and instruction set.
data coverage_groups(const std::vector<CoverageRow>& rows, const std::vector<std::string>& classes, HeatRange range) {
  data groups(data::type::list);
  for (auto first = rows.begin(); first != rows.end();) {
    const auto last = std::find_if(first, rows.end(), [&](const CoverageRow& row) {
      return row.engine != first->engine || row.isa != first->isa;
    });
    data lines(data::type::list);
    for (auto row = first; row != last; ++row) {
      data line = coverage_line(*row, classes, range);
      line.set("opens", row == first);
      lines.push_back(line);
    }
    data group;
    group.set("engine", first->engine);
    group.set("isa", first->isa);
    group.set("span", std::to_string(last - first));
    group.set("rows", lines);
    groups.push_back(group);
    first = last;
  }
  return groups;
}

data all_cells(const RunSummary& run) {
  data all(data::type::list);
  for (const auto& [cell, counts] : run.cells) {
    data item;
    item.set("engine", cell.engine);
    item.set("isa", cell.isa);
    item.set("path", cell.path);
    item.set("granularity", cell.granularity);
    item.set("bias", cell.bias);
    item.set("cases", grouped(counts.cases));
    item.set("elements", grouped(counts.elements));
    item.set("differed", grouped(counts.differed));
    all.push_back(item);
  }
  return all;
}

}  // namespace

data coverage_section(const RunSummary& run) {
  const std::vector<CoverageRow> rows = coverage(run);
  const HeatRange range = heat_range(rows);
  data section;
  section.set("classes", class_columns(run));
  section.set("all_cases", grouped(run.cases.verified()));
  section.set("all_elements", short_number(run.elements()));
  section.set("all_differed", grouped(run.cases.differed));
  section.set("groups", coverage_groups(rows, run.classes, range));
  section.set("all", all_cells(run));
  section.set("cells", std::to_string(run.cells.size()));
  if (range.most > 0) {
    data scale;
    scale.set("least", grouped(range.least));
    scale.set("most", grouped(range.most));
    section.set("scale", scale);
  }
  return section;
}

// Returns the rows of the model's other operators; empty cells stand for no differences.
data operator_rows(const std::vector<OperatorReport>& operators) {
  const auto count = [](std::int64_t elements) { return elements == 0 ? "" : grouped(elements); };
  data rows(data::type::list);
  for (const OperatorReport& op : operators) {
    std::string threads;
    for (const auto& [number, change] : op.with_threads) {
      threads += fmt::format("{}{} with {}", threads.empty() ? "" : ", ", grouped(change.elements), number);
    }
    data row;
    row.set("name", op.name);
    row.set("op", op.op);
    row.set("output", shape_text(op.output));
    row.set("elements", short_number(op.elements));
    row.set("prediction", op.shape_differs ? "its shape" : count(op.prediction.elements));
    row.set("specification", count(op.specification.elements));
    row.set("threads", threads);
    rows.push_back(row);
  }
  return rows;
}

data layers_section(const ReportedModel& model) {
  const auto differing = [](const LayerReport& layer, std::size_t column) {
    return column < layer.columns.size() ? layer.columns[column].differing : 0;
  };
  HeatRange range;
  std::vector<std::size_t> shown;
  for (std::size_t column = 0; column < model.columns.size(); ++column) {
    std::int64_t all = 0;
    for (const LayerReport& layer : model.layers) {
      const std::int64_t count = differing(layer, column);
      all += count;
      if (count > 0) range = {std::min(range.least, count), std::max(range.most, count)};
    }
    if (all > 0) shown.push_back(column);
  }
  data section;
  data columns(data::type::list);
  for (const std::size_t column : shown) columns.push_back(data{"name", model.columns[column].name});
  data rows(data::type::list);
  for (const LayerReport& layer : model.layers) {
    data row;
    row.set("name", layer.name);
    row.set("output", shape_text(layer.output));
    row.set("kernel", layer.geometry);
    row.set("path", layer.path);
    row.set("saturates", text_of(layer.saturation));
    row.set("elements", short_number(layer.elements));
    if (!layer.not_compared.empty()) row.set("not_compared", layer.not_compared);
    data cells(data::type::list);
    for (const std::size_t column : shown) cells.push_back(heat_cell(differing(layer, column), range));
    row.set("cells", cells);
    rows.push_back(row);
  }
  section.set("columns", columns);
  section.set("rows", rows);
  section.set("fbgemm", any_of_fbgemm(model.layers));
  section.set("all_equal", shown.empty());
  if (!model.operators.empty()) section.set("operators", data{"operator_rows", operator_rows(model.operators)});
  return section;
}

data table_section(const ReportedTable& table) {
  const auto texts = [](const std::vector<std::string>& cells) {
    data list(data::type::list);
    for (const std::string& cell : cells) list.push_back(data{"text", cell});
    return list;
  };
  data section;
  section.set("title", table.title);
  section.set("columns", texts(table.columns));
  data rows(data::type::list);
  for (const std::vector<std::string>& cells : table.rows) rows.push_back(data{"cells", texts(cells)});
  section.set("rows", rows);
  return section;
}

data causes_section(const Report& report) {
  const RunSummary& total = report.total;
  const auto text_of = [](const std::vector<std::string>& lines, char sign) {
    std::string text;
    for (const std::string& line : lines) {
      if (sign == 0) text += line + "\n";
      // A line without a sign, such as a comment, belongs to both.
      if (sign != 0 && (line.starts_with(sign) || line.starts_with(' ')))
        text += line.substr(std::min<std::size_t>(2, line.size())) + "\n";
    }
    return text;
  };
  data list(data::type::list);
  for (std::size_t i = 0; i < total.causes.size(); ++i) {
    const ReportedCause& cause = total.causes[i];
    data item;
    item.set("number", std::to_string(i + 1));
    item.set("text", cause.text);
    item.set("where", where_text(cause));
    item.set("known", is_known(report, cause));
    item.set("count",
             fmt::format("{} of {}", grouped(cause.cases), grouped(total.cases.differed + total.cases.crashed)));
    item.set("has_diff", !cause.diff.empty());
    item.set("contract", text_of(cause.diff, '-'));
    item.set("subject", text_of(cause.diff, '+'));
    item.set("picture", text_of(cause.picture, 0));
    item.set("has_picture", !cause.picture.empty());
    item.set("has_proof", cause.fresh > 0);
    item.set("proof", proof_text(cause));
    item.set("has_case", !cause.case_line.empty());
    item.set("has_values", cause.expected != cause.actual);
    item.set("expected", std::to_string(cause.expected));
    item.set("actual", std::to_string(cause.actual));
    item.set("replay", cause.replay);
    list.push_back(item);
  }
  data section;
  section.set("cause_list", list);
  section.set("subject_name", report.runs.back().subject);
  return section;
}

data trend_section(const Report& report) {
  const std::vector<TrendPoint> points = trend(report);
  std::int64_t most_findings = 1;
  std::int64_t most_cases = 1;
  for (std::size_t i = 0; i < points.size(); ++i) {
    most_findings = std::max({most_findings, points[i].first + points[i].again, points[i].resolved});
    most_cases = std::max(most_cases, report.runs[i].cases.verified());
  }
  data section;
  data runs(data::type::list);
  data findings(data::type::list);
  data resolved(data::type::list);
  data cases(data::type::list);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const RunSummary& run = report.runs[i];
    const TrendPoint& point = points[i];
    findings.push_back(data{"bars", stacked(i, {{"again", point.again}, {"first", point.first}}, most_findings)});
    resolved.push_back(data{"bars", stacked(i, {{"resolved", point.resolved}}, most_findings)});
    cases.push_back(data{"bars", stacked(i, {{"cases", run.cases.verified()}}, most_cases)});
    data item;
    item.set("number", std::to_string(i + 1));
    item.set("started", utc_text(run.started));
    item.set("seed", std::to_string(run.seed));
    item.set("verified", grouped(run.cases.verified()));
    item.set("differed", grouped(run.cases.differed + run.cases.crashed));
    item.set("first", grouped(point.first));
    item.set("again", grouped(point.again));
    item.set("resolved", grouped(point.resolved));
    item.set("unfinished", !run.finished);
    runs.push_back(item);
  }
  section.set("runs", runs);
  section.set("count", std::to_string(points.size()));
  section.set("findings", findings);
  section.set("resolved", resolved);
  section.set("cases", cases);
  section.set("most_findings", grouped(most_findings));
  section.set("most_cases", short_number(most_cases));
  section.set("from", utc_text(report.runs.front().started).substr(0, 10));
  section.set("to", utc_text(report.runs.back().started).substr(0, 10));
  return section;
}

data outcome_section(const CaseCounts& cases) {
  constexpr double kWidth = 1000;
  constexpr double kLeast = 4;  // minimum width, so that one case among a million is visible
  // The cases without a verdict come last.
  constexpr std::array<std::int64_t CaseCounts::*, 7> kOrder{
      &CaseCounts::passed,  &CaseCounts::differed,    &CaseCounts::crashed,     &CaseCounts::known_defect,
      &CaseCounts::skipped, &CaseCounts::unavailable, &CaseCounts::no_resources};
  const auto all = static_cast<double>(std::max<std::int64_t>(1, cases.all()));
  data list(data::type::list);
  double x = 0;
  for (const auto member : kOrder) {
    const std::int64_t count = cases.*member;
    if (count == 0) continue;
    const StatusName& status = *std::ranges::find(kStatusNames, member, &StatusName::count);
    const double width = std::max(kLeast, kWidth * static_cast<double>(count) / all);
    std::string style(status.text);
    std::ranges::replace(style, ' ', '_');
    data item;
    item.set("name", std::string(status.text));
    item.set("class", style);
    item.set("count", grouped(count));
    item.set("meaning", std::string(status.meaning));
    item.set("x", fmt::format("{:.1f}", x));
    item.set("width", fmt::format("{:.1f}", width));
    x += width;
    list.push_back(item);
  }
  data section;
  section.set("list", list);
  section.set("extent", fmt::format("{:.1f}", std::max(x, 1.0)));
  return section;
}

}  // namespace tieout
