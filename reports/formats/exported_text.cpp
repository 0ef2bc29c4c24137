#include "reports/formats/exported_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/formats/model_text.h"
#include "reports/text/number_text.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

constexpr std::array kWays{"exported", "lowered", "eager"};  // by ExportedWay

std::string change_text(const AnswerDifference& difference) {
  if (difference.elements == 0) return "-";
  if (difference.differing == 0) return "equal";
  return fmt::format("{} of {}, by up to {:.3g}", difference.differing, difference.elements, difference.largest);
}

std::string cause_lines(const ExportedLayerReport& layer) {
  std::string text;
  for (const auto& [cause, elements] : layer.lowered.causes) text += fmt::format("    {:>8}  {}\n", elements, cause);
  return text;
}

// Returns which hypotheses equal an answer, and how many equal all three.
std::string equal_hypotheses(const ExportedReport& report) {
  std::int64_t all = 0;
  std::array<std::string, kExportedWays> names;
  for (const ExportedColumn& column : report.columns) {
    if (column.kind != Column::Kind::hypothesis) continue;
    const auto equal = static_cast<std::size_t>(std::ranges::count(column.differing, 0));
    all += equal == kExportedWays ? 1 : 0;
    for (std::size_t way = 0; way < kExportedWays && equal < kExportedWays; ++way) {
      if (column.differing[way] == 0) names[way] += (names[way].empty() ? "" : " ") + column.name;
    }
  }
  std::string text = fmt::format("  {} all three answers\n",
                                 all == 1 ? "1 hypothesis equals" : fmt::format("{} hypotheses equal", all));
  for (std::size_t way = 0; way < kExportedWays; ++way) {
    if (names[way].empty()) continue;
    text += wrapped(fmt::format("  equal to {}, but not to all: {}", kWays[way], names[way]), kTextColumns, 4) + "\n";
  }
  return text;
}

}  // namespace

std::string lowering_text(const ExportedReport& report) {
  std::int64_t lowered = 0;
  std::size_t width = 5;
  for (const ExportedLayerReport& layer : report.layers) {
    lowered += layer.not_lowered.empty() ? 1 : 0;
    width = std::max(width, layer.name.size());
  }
  std::string text = fmt::format("Lowered for x86, {} of {} with weights run as int8 operators.\n", lowered,
                                 counted(std::ssize(report.layers), "layer"));
  for (const ExportedLayerReport& layer : report.layers) {
    if (!layer.not_lowered.empty())
      text += fmt::format("  {:<{}}  not int8: {}\n", layer.name, width, layer.not_lowered);
  }
  for (const ExportedLayerReport& layer : report.layers) {
    if (layer.not_lowered.empty() && !layer.remark.empty()) {
      text += fmt::format("  {:<{}}  int8, with a result in float32: {}\n", layer.name, width, layer.remark);
    }
  }
  if (!report.float_operators.empty()) {
    text += "In float32 before and after lowering (operators):\n";
    for (const auto& [op, nodes] : report.float_operators) text += fmt::format("  {:>6} {}\n", nodes, op);
  }
  return text;
}

std::string migration_table(const ExportedReport& report) {
  std::size_t name = 5, op = 8, output = 6, eager = 17, lowered = 19;
  const auto quantized = [](const ExportedLayerReport& layer) { return layer.elements > 0; };
  for (const ExportedLayerReport& layer : report.layers) {
    if (!quantized(layer)) continue;
    name = std::max(name, layer.name.size());
    op = std::max(op, layer.op.size());
    output = std::max(output, shape_text(layer.output).size());
    eager = std::max(eager, change_text(layer.eager).size());
    lowered = std::max(lowered, change_text(layer.lowered).size());
  }
  const auto line = [&](std::string_view a, std::string_view b, std::string_view c, std::string_view d,
                        std::string_view e, std::string_view f, std::string_view g) {
    std::string text = fmt::format("{:<{}}  {:<{}}  {:<{}}  {:<8} {:<{}}  {:<{}}  {}", a, name, b, op, c, output, d, e,
                                   eager, f, lowered, g);
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string text =
      line("layer", "operator", "output", "result", "eager -> exported", "exported -> lowered", "eager -> lowered");
  for (const ExportedLayerReport& layer : report.layers) {
    if (!quantized(layer)) continue;
    text += line(layer.name, layer.op, shape_text(layer.output), layer.result, change_text(layer.eager),
                 change_text(layer.lowered), change_text(layer.migrated));
    if (!layer.not_compared.empty()) text += fmt::format("    not compared: {}\n", layer.not_compared);
    if (!layer.no_eager.empty()) text += fmt::format("    no eager operator: {}\n", layer.no_eager);
    text += cause_lines(layer);
    if (!layer.lowered_bounds.empty()) {
      text += fmt::format("    lowered answer checked by error bounds only: {}\n", layer.lowered_bounds);
    }
    for (std::size_t way = 0; way < kExportedWays; ++way) {
      if (layer.unexplained[way] == 0) continue;
      text += fmt::format("    {:>8}  {} answers are not explained\n", layer.unexplained[way], kWays[way]);
    }
    if (!layer.example.empty()) {
      text += fmt::format("    replay: tieout check --subject engine:exported '{}'\n", layer.example);
    }
    if (layer.without_vnni > 0) {
      text +=
          fmt::format("    {:>8}  elements of the lowered answer change on a CPU without VNNI\n", layer.without_vnni);
    }
  }
  return text;
}

ReportedTable exported_table(const ExportedReport& report) {
  ReportedTable table{.title = "Layers of the exported program",
                      .columns = {"layer", "operator", "result", "lowered to", "eager -> exported",
                                  "exported -> lowered", "eager -> lowered", "unexplained"}};
  for (const ExportedLayerReport& layer : report.layers) {
    const std::int64_t strange = layer.unexplained[0] + layer.unexplained[1] + layer.unexplained[2];
    table.rows.push_back({layer.name, layer.op, layer.result,
                          layer.not_lowered.empty() ? layer.lowered_to : "not lowered: " + layer.not_lowered,
                          change_text(layer.eager), change_text(layer.lowered), change_text(layer.migrated),
                          std::to_string(strange)});
  }
  return table;
}

std::string arithmetic_table(const ExportedReport& report) {
  if (report.columns.empty() || report.columns.front().elements == 0) return {};
  std::size_t width = 8;
  for (const ExportedColumn& column : report.columns) width = std::max(width, column.shown ? column.name.size() : 0);
  std::string text = fmt::format("Elements that differ from each answer, of {} in the layers that have all three:\n",
                                 report.columns.front().elements);
  text += fmt::format("  {:<{}}  {:>10}  {:>10}  {:>10}\n", "", width, "exported", "lowered", "eager");
  for (const ExportedColumn& column : report.columns) {
    if (!column.shown) continue;
    text += fmt::format("  {:<{}}  {:>10}  {:>10}  {:>10}", column.name, width, column.differing[0],
                        column.differing[1], column.differing[2]);
    if (column.not_answered > 0) text += fmt::format("  ({} not answered)", counted(column.not_answered, "layer"));
    text += "\n";
  }
  return text + equal_hypotheses(report);
}

std::string ends_text(const ExportedReport& report) {
  std::string text = "At the end of the program, compared with its output as exported:\n";
  for (const Spread& end : report.ends) {
    text += fmt::format("  {:<8} {} of {} numbers differ, by up to {:.6g}", end.column, end.differing, end.elements,
                        end.largest);
    if (end.rows > 0) text += fmt::format("; top-1 changes in {} of {} rows", end.top1_changed, end.rows);
    text += "\n";
  }
  return text;
}

std::string exported_totals_text(const ExportedReport& report) {
  AnswerDifference lowered, eager;
  std::int64_t elements = 0, predicted = 0, bounded = 0;
  std::array<std::int64_t, kExportedWays> strange{};
  for (const ExportedLayerReport& layer : report.layers) {
    elements += layer.elements;
    lowered.elements += layer.lowered.elements;
    lowered.differing += layer.lowered.differing;
    if (layer.lowered.elements > 0) ++(layer.lowered_bounds.empty() ? predicted : bounded);
    eager.elements += layer.eager.elements;
    eager.differing += layer.eager.differing;
    for (std::size_t way = 0; way < kExportedWays; ++way) strange[way] += layer.unexplained[way];
  }
  return fmt::format(
      "exported: {} elements, {} unexplained\n"
      "lowered: {} of {} elements differ from exported, {} unexplained; {} predicted bit for bit{}\n"
      "eager {}: {} of {} elements differ from exported, {} unexplained\n",
      elements, strange[0], lowered.differing, lowered.elements, strange[1], counted(predicted, "layer"),
      bounded == 0 ? std::string() : ", " + counted(bounded, "layer") + " checked by error bounds", report.eager_engine,
      eager.differing, eager.elements, strange[2]);
}

}  // namespace tieout
