#include "reports/formats/explanation_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "cases/strings/printable.h"

namespace tieout {
namespace {

constexpr std::size_t kTableWidth = 80;
constexpr std::size_t kMaxColumns = 4;

// A window with more products than kMaxProducts is cut in its middle, between pairs.
constexpr std::size_t kMaxProducts = 20;
constexpr std::size_t kFirstProducts = 12;
constexpr std::size_t kLastProducts = 4;

// ---- the window

std::string product_row(const Explanation& e, std::size_t i) {
  const ExplainedProduct& p = e.products[i];
  std::string row = fmt::format("{:>8} {:>4} {:>5} {:>7}", i, p.x, p.w, p.x * p.w);
  if (e.activation_zero_point != 0 || e.weight_zero_point != 0) {
    row += fmt::format(" {:>20}", (p.x - e.activation_zero_point) * (p.w - e.weight_zero_point));
  }
  const bool ends_pair = i % 2 == 1 || i + 1 == e.products.size();
  const ExplainedPair& pair = e.pairs[i / 2];
  const bool saturates = pair.sum != pair.saturated;
  if (ends_pair) row += fmt::format(" {:>9}", pair.sum);
  if (ends_pair && saturates) row += fmt::format(" -> {} in int16", pair.saturated);
  if (p.place == ExplainedProduct::Place::padding) row += "  padding";
  return row + "\n";
}

// Returns a line that states how int8 values are shown; empty if there are none.
std::string type_text(const Explanation& e) {
  const bool activation = e.case_line.find(" xtype=int8") != std::string::npos;
  const bool output = e.case_line.find(" ytype=int8") != std::string::npos;
  if (!activation && !output) return {};
  return fmt::format("int8 {} shown as uint8, 128 higher, as FBGEMM reads {}\n",
                     activation && output ? "activations and outputs are"
                     : activation         ? "activations are"
                                          : "outputs are",
                     activation ? "them" : "and writes them");
}

std::string window_text(const Explanation& e) {
  const std::size_t count = e.products.size();
  const auto saturating =
      std::count_if(e.pairs.begin(), e.pairs.end(), [](const ExplainedPair& p) { return p.sum != p.saturated; });
  std::string text = fmt::format("window: {} product{}, xz = {}, wz = {}; {} of {} pair{} int16 in FBGEMM's order\n",
                                 count, count == 1 ? "" : "s", e.activation_zero_point, e.weight_zero_point, saturating,
                                 e.pairs.size(), e.pairs.size() == 1 ? " saturates" : "s saturate");
  const bool shifted = e.activation_zero_point != 0 || e.weight_zero_point != 0;
  text += fmt::format("{:>8} {:>4} {:>5} {:>7}{} {:>9}\n", "", "x", "w", "x * w",
                      shifted ? fmt::format(" {:>20}", "(x - xz) * (w - wz)") : "", "pair");
  const bool cut = count > kMaxProducts;
  const std::size_t resume = cut ? (count - kLastProducts) / 2 * 2 : count;
  for (std::size_t i = 0; i < (cut ? kFirstProducts : count); ++i) text += product_row(e, i);
  if (cut) text += fmt::format("     ... {} more ...\n", resume - kFirstProducts);
  for (std::size_t i = resume; i < count; ++i) text += product_row(e, i);
  return text;
}

// ---- the table

// Returns the names of all steps, in an order that keeps each column's own order as far as the columns before it allow.
std::vector<std::string> step_names(const std::vector<ExplainedColumn>& columns) {
  std::vector<std::string> names;
  for (const ExplainedColumn& column : columns) {
    auto at = names.begin();
    for (const ExplainedStep& step : column.steps) {
      const auto found = std::find(names.begin(), names.end(), step.name);
      at = (found == names.end() ? names.insert(at, step.name) : found) + 1;
    }
  }
  return names;
}

const ExplainedStep* find_step(const ExplainedColumn& column, const std::string& name) {
  const auto found =
      std::find_if(column.steps.begin(), column.steps.end(), [&](const ExplainedStep& s) { return s.name == name; });
  return found == column.steps.end() ? nullptr : &*found;
}

std::string decimal(double value) { return std::isnan(value) ? "nan" : fmt::format("{}", value); }

std::string hexadecimal(double value) {
  // fmt has no hexadecimal form of "nan" and "inf".
  return std::isfinite(value) ? fmt::format("{:a}", value) : decimal(value);
}

constexpr std::string_view kNoStep = "-  ";  // two spaces, where other cells may have a mark

std::string distance(const ExplainedColumn& column, double TieDistance::* unit) {
  return column.tie ? fmt::format("{:.7g}  ", (*column.tie).*unit) : std::string(kNoStep);
}

// A row of the table: its label, and a cell for each column.
struct Row {
  std::string label;
  std::vector<std::string> cells;
};

std::vector<Row> rows_of(const std::vector<ExplainedColumn>& columns) {
  std::vector<Row> rows;
  const auto add = [&](const std::string& label, const auto& cell_of) {
    Row& row = rows.emplace_back();
    row.label = label;
    for (const ExplainedColumn& column : columns) row.cells.push_back(cell_of(column));
  };
  add("step", [](const ExplainedColumn& column) { return column.name + "  "; });
  for (const std::string& name : step_names(columns)) {
    add(name, [&](const ExplainedColumn& column) {
      const ExplainedStep* const step = find_step(column, name);
      if (step == nullptr) return std::string(kNoStep);
      const bool parts = column.parted && &column.steps[*column.parted] == step;
      return decimal(step->value) + (parts ? " *" : "  ");
    });
    if (name != "scaled") continue;
    add("  hex", [&](const ExplainedColumn& column) {
      const ExplainedStep* const step = find_step(column, name);
      return step == nullptr ? std::string(kNoStep) : hexadecimal(step->value) + "  ";
    });
    add("  to tie, lsb", [](const ExplainedColumn& column) { return distance(column, &TieDistance::lsb); });
    add("  to tie, ulp", [](const ExplainedColumn& column) { return distance(column, &TieDistance::ulp); });
  }
  return rows;
}

std::string block_text(const std::vector<Row>& rows, std::size_t label_width, const std::vector<std::size_t>& widths,
                       const std::vector<std::size_t>& shown) {
  std::string text;
  for (const Row& row : rows) {
    const auto lacks = [&](std::size_t i) { return row.cells[i] == kNoStep; };
    if (std::all_of(shown.begin(), shown.end(), lacks)) continue;
    std::string line = fmt::format("{:<{}}", row.label, label_width);
    for (const std::size_t i : shown) line += fmt::format(" {:>{}}", row.cells[i], widths[i]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

// Formats the table in blocks of columns, one below the other. Each block begins with the first column, because the
// others are compared with it.
std::string table_in_blocks(const std::vector<ExplainedColumn>& columns) {
  const std::vector<Row> rows = rows_of(columns);
  std::size_t label_width = 0;
  std::vector<std::size_t> widths(columns.size());
  for (const Row& row : rows) {
    label_width = std::max(label_width, row.label.size());
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row.cells[i].size());
  }
  std::string text;
  std::vector<std::size_t> shown;
  std::size_t used = 0;
  const auto begin_block = [&] {
    shown = {0};
    used = label_width + 1 + widths[0];
  };
  begin_block();
  for (std::size_t i = 1; i < columns.size(); ++i) {
    const bool full = shown.size() == kMaxColumns || used + 1 + widths[i] > kTableWidth + 2;  // 2: width of a mark
    if (full && shown.size() > 1) {
      text += block_text(rows, label_width, widths, shown) + "\n";
      begin_block();
    }
    shown.push_back(i);
    used += 1 + widths[i];
  }
  return text + block_text(rows, label_width, widths, shown);
}

// ---- the lines below the table

std::string wrapped_list(const std::string& lead, const std::vector<std::string>& words) {
  std::string text;
  std::string line = lead;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = " " + words[i] + (i + 1 < words.size() ? "," : "");
    if (line.size() + word.size() > kTableWidth) {
      text += line + "\n";
      line = "   ";
    }
    line += word;
  }
  return text + line + "\n";
}

std::string notes_text(const Explanation& e) {
  std::string text;
  const auto parted = [](const ExplainedColumn& column) { return column.parted.has_value(); };
  if (std::any_of(e.columns.begin(), e.columns.end(), parted)) {
    text += fmt::format("* parts here from {}, in the same unit:\n", e.columns.front().name);
  }
  for (const ExplainedColumn& column : e.columns) {
    if (!column.parted) continue;
    const ExplainedStep& step = column.steps[*column.parted];
    text += fmt::format("  {}, {}: {}\n", column.name, step.name, step.note);
  }
  for (const ExplainedColumn& column : e.columns) {
    if (!column.alike.empty())
      text += wrapped_list("equal to " + column.name + " in every step that both have:", column.alike);
  }
  if (!e.same_result.empty()) text += wrapped_list("the same result by other steps:", e.same_result);
  return text;
}

std::string answer_text(const Explanation& e) {
  std::string text;
  for (const auto& [name, value] : e.known_answers) text += fmt::format("{} answers: {}\n", printable(name), value);
  if (e.engine.empty()) return text;
  text += e.answer ? fmt::format("LibTorch's {} answers: {}\n", e.engine, *e.answer)
                   : fmt::format("LibTorch's {} gives no answer\n", e.engine);
  if (!e.remark.empty()) text += "  " + e.remark + "\n";
  return text;
}

}  // namespace

std::string explanation_text(const Explanation& e) {
  return fmt::format("case: {}\nelement: [{}] of [{}]\n", e.case_line, fmt::join(unravel(e.offset, e.shape), ", "),
                     fmt::join(e.shape, ", ")) +
         type_text(e) + window_text(e) + "\n" + steps_text(e) + answer_text(e);
}

std::string steps_text(const Explanation& e) { return table_in_blocks(e.columns) + "\n" + notes_text(e); }

}  // namespace tieout
