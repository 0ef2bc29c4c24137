#include "reports/formats/model_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cases/strings/printable.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

// Returns the classes or causes, with their numbers of elements if there are several.
std::string classes_text(const std::map<std::string, std::int64_t>& by_class) {
  if (by_class.size() == 1) return by_class.begin()->first;
  std::vector<std::string> parts;
  for (const auto& [cls, count] : by_class) parts.push_back(fmt::format("{} {}", cls, count));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Returns how many calls a subject did not answer, because calls without an answer do not count as equal; "" if none.
std::string not_answered(const ModelReport& report, std::size_t column) {
  // A case is a call of a layer; calls on which a subject fails count as crashed.
  const CaseCounts& cases = report.run.cases;
  const std::int64_t calls = cases.verified() + cases.crashed - report.columns[column].answered;
  if (report.columns[column].kind != Column::Kind::subject || calls <= 0) return {};
  return fmt::format(" ({} not answered)", calls);
}

struct ColumnTotals {
  std::int64_t differing = 0, elements = 0, layers = 0, differing_layers = 0;
};

ColumnTotals column_totals(const ModelReport& report, std::size_t column) {
  ColumnTotals totals;
  for (const LayerReport& layer : report.layers) {
    ++totals.layers;
    totals.elements += layer.elements;
    if (column >= layer.columns.size()) continue;
    totals.differing += layer.columns[column].differing;
    totals.differing_layers += layer.columns[column].differing > 0 ? 1 : 0;
  }
  return totals;
}

}  // namespace

const char* text_of(PairSaturation saturation) {
  switch (saturation) {
    case PairSaturation::never: return "no";
    case PairSaturation::unused: return "unused";
    case PairSaturation::possible: break;
  }
  return "possible";
}

std::string shape_text(const Shape& shape) { return fmt::format("{}", fmt::join(shape, "x")); }

bool any_of_fbgemm(const std::vector<LayerReport>& layers) {
  return std::any_of(layers.begin(), layers.end(), [](const LayerReport& layer) { return layer.engine == "fbgemm"; });
}

std::string layer_table(const ModelReport& report) {
  std::size_t name_width = 5, shape_width = 6, geometry_width = 6, column_width = 28;
  for (const auto& column : report.columns) column_width = std::max(column_width, column.name.size());
  for (const LayerReport& layer : report.layers) {
    name_width = std::max(name_width, layer.name.size());
    shape_width = std::max(shape_width, shape_text(layer.output).size());
    geometry_width = std::max(geometry_width, layer.geometry.size());
  }
  const bool fbgemm = any_of_fbgemm(report.layers);
  const auto line = [&](std::string_view name, std::string_view output, std::string_view kernel, std::string_view path,
                        std::string_view saturates, const auto& elements) {
    const std::string of_fbgemm = fbgemm ? fmt::format("{:<9} {:<9} ", path, saturates) : "";
    return fmt::format("{:<{}} {:<{}} {:<{}} {}{:>10}\n", name, name_width, output, shape_width, kernel, geometry_width,
                       of_fbgemm, elements);
  };
  std::string text = line("layer", "output", "kernel", "path", "saturates", "elements");
  for (const LayerReport& layer : report.layers) {
    text += line(layer.name, shape_text(layer.output), layer.geometry, layer.path, text_of(layer.saturation),
                 layer.elements);
    if (!layer.not_compared.empty()) text += fmt::format("  not compared: {}\n", layer.not_compared);
    if (layer.wrong_sums > 0) {
      text += fmt::format("  {:<{}} {:>10} integer sums are not the sums of products\n", "kernel", column_width,
                          layer.wrong_sums);
    }
    for (std::size_t i = 0; i < layer.columns.size(); ++i) {
      const ColumnCounts& counts = layer.columns[i];
      if (counts.differing == 0) continue;
      text += fmt::format("  {:<{}} {:>10} differ, by up to {}: {}\n", report.columns[i].name, column_width,
                          counts.differing, counts.largest, classes_text(counts.by_class));
    }
  }
  std::int64_t elements = 0;
  for (const LayerReport& layer : report.layers) elements += layer.elements;
  text += line("total", counted(std::ssize(report.layers), "layer"), "", "", "", elements);
  return text;
}

std::string operator_table(const ModelReport& report) {
  if (report.operators.empty()) return {};
  std::size_t name_width = 8, shape_width = 6;
  for (const OperatorReport& op : report.operators) {
    name_width = std::max(name_width, op.name.size());
    shape_width = std::max(shape_width, shape_text(op.output).size());
  }
  std::string text = fmt::format("{:<{}} {:<{}} {:>10}\n", "operator", name_width, "output", shape_width, "elements");
  std::int64_t elements = 0;
  const auto line = [&](const char* what, const ValueDifferences& found) {
    if (found.elements == 0) return;
    text += fmt::format("  {} at {} of the elements, by up to {}\n", what, found.elements, found.largest);
  };
  for (const OperatorReport& op : report.operators) {
    elements += op.elements;
    text += fmt::format("{:<{}} {:<{}} {:>10}\n", op.name, name_width, shape_text(op.output), shape_width, op.elements);
    if (op.shape_differs) text += "  differs from the prediction in its shape\n";
    line("differs from the prediction", op.prediction);
    if (op.prediction.elements > 0) {
      text += fmt::format("    the first: element {} is {}, predicted {}\n", op.prediction.first_offset,
                          op.prediction.first_expected, op.prediction.first_actual);
    }
    line("differs from the exact contract", op.specification);
    for (const auto& [threads, change] : op.with_threads) {
      line(fmt::format("with {} threads would differ", threads).c_str(), change);
    }
  }
  text += fmt::format("{:<{}} {:<{}} {:>10}\n", "total", name_width, counted(std::ssize(report.operators), "operator"),
                      shape_width, elements);
  return text;
}

std::string recorded_text(const ModelReport& report) {
  if (!report.recorded) return {};
  const ComparedTensors& recorded = *report.recorded;
  std::string text =
      fmt::format("recorded outputs: {} compared, {} differ\n", recorded.compared, std::ssize(recorded.differing));
  constexpr std::size_t kMost = 10;
  const auto list = [&](const char* what, const std::vector<std::string>& files) {
    if (files.empty()) return;
    text += fmt::format("  {}: {}\n", what, counted(std::ssize(files), "file"));
    for (std::size_t i = 0; i < std::min(kMost, files.size()); ++i)
      text += fmt::format("    {}\n", printable(files[i]));
    if (files.size() > kMost) text += fmt::format("    and {} more\n", files.size() - kMost);
  };
  list("missing", recorded.missing);
  list("not compared", recorded.unreadable);
  if (recorded.differing.empty()) return text;
  const ComparedCall& first = recorded.differing.front();
  text += fmt::format(
      "The first operator that differs is {} ({}): at {} of {} elements, by up to {}\n"
      "  element {}: LibTorch {}, recorded {}\n",
      first.name, first.op, first.found.elements, first.elements, first.found.largest, first.found.first_offset,
      first.found.first_expected, first.found.first_actual);
  text += first.equal_to.empty()
              ? "  for LibTorch's input, no implementation that was compared gives the recorded output\n"
              : fmt::format("  the recorded output is, for LibTorch's input, that of {}\n",
                            fmt::join(first.equal_to, ", "));
  for (std::size_t i = 1; i < std::min(kMost, recorded.differing.size()); ++i) {
    const ComparedCall& call = recorded.differing[i];
    text += fmt::format("  then {}: {} of {} elements, by up to {}\n", call.name, call.found.elements, call.elements,
                        call.found.largest);
  }
  return text;
}

std::string replay_text(const ModelReport& report) {
  if (!report.unverified.empty() || report.layers.size() + report.operators.size() == 0) return {};
  for (const LayerReport& layer : report.layers) {
    if (!layer.not_compared.empty()) return {};
    if (!layer.columns.empty() && layer.columns.front().differing > 0) {
      return fmt::format("Replayed by Tieout's kernels, the network parts from LibTorch at {}.\n", layer.name);
    }
  }
  for (const OperatorReport& op : report.operators) {
    if (op.differs()) {
      return fmt::format("Replayed by Tieout's kernels, the network parts from LibTorch at {}.\n", op.name);
    }
  }
  return "Replayed by Tieout's kernels from its input, the network gives the same bytes at every operator and at its "
         "end.\n";
}

std::string forecast_text(const ModelReport& report) {
  const bool alike = std::all_of(report.layers.begin(), report.layers.end(),
                                 [](const LayerReport& layer) { return layer.engine == "qnnpack"; });
  if (alike) return {};  // QNNPACK computes the same everywhere
  std::string text;
  for (const LayerReport& layer : report.layers) {
    for (const CpuForecast& forecast : layer.forecasts) {
      text += forecast.defect.empty()
                  ? fmt::format("  {}: on {} {} of {} elements would differ, by up to {}\n", layer.name, forecast.isa,
                                forecast.elements, layer.elements, forecast.largest)
                  : fmt::format("  {}: on {} LibTorch has the known defect {}\n", layer.name, forecast.isa,
                                forecast.defect);
    }
  }
  text = text.empty() ? "With these activations, no layer's output would change on another CPU.\n"
                      : "With these activations, the output of these layers would change on another CPU:\n" + text;
  const bool onednn = std::any_of(report.layers.begin(), report.layers.end(),
                                  [](const LayerReport& layer) { return layer.engine == "onednn"; });
  if (onednn) text += "What ONEDNN computes on AVX-512 without VNNI is not predicted.\n";
  const bool beyond = std::any_of(report.layers.begin(), report.layers.end(),
                                  [](const LayerReport& layer) { return layer.largest_activation > 127; });
  if (beyond) {
    text +=
        "Activations go beyond 127: the model was calibrated without reduce_range, as for QNNPACK or ONEDNN, or\n"
        "the input leaves the range that it was calibrated for.\n";
  }
  return text;
}

std::string spread_text(const ModelReport& report) {
  std::string text;
  for (const Spread& spread : report.spreads) {
    text += fmt::format(
        "  {} in {}: {} replaced; at the end {} of {} differ, by up to {:.6g}; top-1 changes in {} of {} "
        "rows\n",
        spread.column, spread.layer, counted(spread.replaced, "element"), spread.differing, spread.elements,
        spread.largest, spread.top1_changed, spread.rows);
  }
  return text.empty() ? text : "How differences spread, the model run on with them in the layer's place:\n" + text;
}

std::string unverified_text(const ModelReport& report) {
  std::string text;
  for (const auto& [name, calls] : report.unverified) text += fmt::format("  {:>6} {}\n", calls, name);
  if (!text.empty()) text = "Not verified (calls):\n" + text;
  for (const auto& [reason, count] : report.run.reasons)
    text += fmt::format("not verified: {}: {}\n", counted(count, "layer"), reason);
  return text;
}

std::string totals_text(const ModelReport& report) {
  if (report.layers.empty()) return {};
  std::string text;
  for (const bool hypotheses : {false, true}) {
    for (std::size_t i = 0; i < report.columns.size(); ++i) {
      if ((report.columns[i].kind == Column::Kind::hypothesis) != hypotheses) continue;
      const ColumnTotals totals = column_totals(report, i);
      text += fmt::format("{} differs at {} of {} elements in {} of {} layers{}\n", report.columns[i].name,
                          totals.differing, totals.elements, totals.differing_layers, totals.layers,
                          not_answered(report, i));
    }
  }
  return text;
}

std::string timing_text(const ModelReport& report) {
  double verification = 0;
  std::string text;
  for (const auto& [part, seconds] : report.seconds_by_part) {
    verification += seconds;
    text +=
        fmt::format("  {:<24} {:>8.1f} ms {:>6.1f}\n", part, 1e3 * seconds,
                    seconds / report.forward_seconds / static_cast<double>(std::max<std::int64_t>(1, report.inputs)));
  }
  return fmt::format("Processor time, and as a multiple of the model's own forward pass, {:.1f} ms on one thread:\n",
                     1e3 * report.forward_seconds) +
         text +
         fmt::format(
             "  {:<24} {:>8.1f} ms {:>6.1f}\n", "all", 1e3 * verification,
             verification / report.forward_seconds / static_cast<double>(std::max<std::int64_t>(1, report.inputs)));
}

}  // namespace tieout
