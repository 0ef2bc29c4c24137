#include "props/explain/explain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "cases/contents.h"
#include "cases/operators/any_case.h"
#include "cases/text/case_text.h"
#include "oracle/engines/known_defects.h"
#include "oracle/libtorch/libtorch.h"
#include "props/explain/operator_explanation.h"
#include "props/process/forked_task.h"

namespace tieout {
namespace {

constexpr std::array<std::string_view, 3> kShownFirst{"integer_float32", "manual_output_1", "manual_output_2"};

tl::unexpected<CaseError> bad_at(std::string message) { return tl::unexpected(CaseError{"--at", std::move(message)}); }

// Names the unit of a step's value.
enum class Unit {
  // xs * ws, for sums of integers.
  products,
  real,
  // os, without the zero point.
  output,
  // os, with the zero point.
  stored,
  // os, with the zero point, before rounding.
  before_rounding,
};

std::size_t position(const std::vector<ExplainedStep>& steps, std::string_view name) {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const ExplainedStep& s) { return s.name == name; });
  return static_cast<std::size_t>(found - steps.begin());
}

// Determines the unit from the order of a hypothesis' own steps. Sums of integers have a step "raw"; values from the
// step "real" on, or without any step "raw", are in real units; the zero point is added before rounding or after it.
Unit unit_of(const std::vector<ExplainedStep>& steps, std::size_t i) {
  const std::string& name = steps[i].name;
  const std::size_t zero_point_added = position(steps, "with zero point");
  const bool before_rounding = zero_point_added < position(steps, "rounded");
  if (name == "result") return Unit::stored;
  if (name == "with zero point") return before_rounding ? Unit::before_rounding : Unit::stored;
  if (name == "rounded") return before_rounding ? Unit::stored : Unit::output;
  if (i >= position(steps, "scaled")) return Unit::output;
  const bool integers = position(steps, "raw") < steps.size();
  return integers && i < position(steps, "real") && i < position(steps, "by activation scale") ? Unit::products
                                                                                               : Unit::real;
}

// True if both have the same value in every step that they share, and the same result.
bool alike(const ExplainedColumn& a, const ExplainedColumn& b) {
  return std::all_of(a.steps.begin(), a.steps.end(), [&](const ExplainedStep& step) {
    const std::size_t at = position(b.steps, step.name);
    return at == b.steps.size() || same_step_value(b.steps[at].value, step.value);
  });
}

std::optional<std::size_t> parting(const ExplainedColumn& column, const ExplainedColumn& reference) {
  for (std::size_t i = 0; i < column.steps.size(); ++i) {
    const std::size_t at = position(reference.steps, column.steps[i].name);
    if (at == reference.steps.size() || unit_of(column.steps, i) != unit_of(reference.steps, at)) continue;
    if (!same_step_value(column.steps[i].value, reference.steps[at].value)) return i;
  }
  return {};
}

// Returns the distance to the nearest tie. From 2^23 on float32 holds integers only, so that there are no ties.
std::optional<TieDistance> tie_distance(double value) {
  if (!(std::fabs(value) < 0x1p23)) return {};
  const double tie = std::floor(value) + 0.5;
  const double ulp = std::ldexp(1.0, std::ilogb(tie) - 23);
  return TieDistance{value - tie, (value - tie) / ulp};
}

ExplainedColumn hypothesis_column(const Hypothesis& hypothesis, const Window& window) {
  Trace trace;
  const std::int32_t result = output_of(hypothesis, window, &trace);
  ExplainedColumn column{.name = std::string(hypothesis.name)};
  for (const Step& s : trace.steps()) column.steps.push_back({std::string(s.name), s.value, std::string(s.note)});
  if (position(column.steps, "result") == column.steps.size()) column.steps.push_back({"result", double(result), ""});
  const std::size_t scaled = position(column.steps, "scaled");
  if (scaled < column.steps.size()) column.tie = tie_distance(column.steps[scaled].value);
  return column;
}

double result_of(const ExplainedColumn& column) { return column.steps[position(column.steps, "result")].value; }

void fill_window(const Window& window, Explanation& e) {
  e.activation_zero_point = window.xz;
  e.weight_zero_point = window.wz;
  for (std::size_t i = 0; i < window.x.size(); ++i) {
    using Place = ExplainedProduct::Place;
    e.products.push_back({window.x[i], window.w[i], window.inside[i] != 0 ? Place::input : Place::padding});
    if (i % 2 == 0) e.pairs.emplace_back();
    e.pairs.back().sum += std::int64_t{window.x[i]} * window.w[i];
  }
  for (ExplainedPair& pair : e.pairs) pair.saturated = std::clamp<std::int64_t>(pair.sum, -32768, 32767);
}

bool always_shown(const std::string& name) {
  return std::find(kShownFirst.begin(), kShownFirst.end(), name) != kShownFirst.end();
}

}  // namespace

tl::expected<std::int64_t, CaseError> offset_at(std::string_view at, const ConvCase& c) {
  constexpr std::array<std::string_view, 3> kAxes{"z", "y", "x"};
  const Shape shape = output_shape(c);
  std::vector<std::string> axes{"n", "c"};
  std::string form = "n,c";
  for (auto d = static_cast<std::size_t>(3 - c.dims); d < 3; ++d) {
    axes.emplace_back(kAxes[d]);
    form.append(",").append(kAxes[d]);
  }
  const std::string wanted = "integers " + form + ", is '" + std::string(at) + "'";
  std::vector<std::int64_t> index;
  for (bool more = true; more;) {
    const std::size_t comma = at.find(',');
    more = comma != std::string_view::npos;
    const std::string_view item = at.substr(0, comma);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (error != std::errc{} || end != item.data() + item.size()) {
      return bad_at("must be " + wanted);
    }
    index.push_back(value);
    if (more) at.remove_prefix(comma + 1);
  }
  if (index.size() != shape.size()) {
    return bad_at("must be " + std::to_string(shape.size()) + " " + wanted);
  }
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (index[d] < 0 || index[d] >= shape[d]) {
      return bad_at(axes[d] + " must be 0.." + std::to_string(shape[d] - 1) + ", is " + std::to_string(index[d]));
    }
    offset = offset * shape[d] + index[d];
  }
  return offset;
}

HypothesisList explained_order() {
  HypothesisList list;
  for (const std::string_view name : kShownFirst) {
    if (const Hypothesis* const hypothesis = find_hypothesis(name)) list.push_back(hypothesis);
  }
  for (const Hypothesis& hypothesis : hypotheses()) {
    if (!always_shown(std::string(hypothesis.name))) list.push_back(&hypothesis);
  }
  return list;
}

std::int64_t most_disputed(const ConvProblem& problem, const HypothesisList& hypotheses) {
  const std::int64_t count = element_count(output_shape(problem.spec));
  const bool is_sum = problem.spec.output_type == OutputType::int32;
  const std::int64_t possible = is_sum ? UINT32_MAX : UINT8_MAX;  // difference of two outputs
  std::int64_t most = 0;
  std::int64_t widest = -1;
  Window window;
  for (std::int64_t offset = 0; offset < count && widest < possible; ++offset) {
    gather(problem, offset, window);
    std::int64_t low = INT32_MAX;
    std::int64_t high = INT32_MIN;
    for (const Hypothesis* const hypothesis : hypotheses) {
      if (!applies_to(*hypothesis, problem.spec)) continue;
      const std::int64_t y = output_of(*hypothesis, window, nullptr);
      low = std::min(low, y);
      high = std::max(high, y);
    }
    if (high - low > widest) {
      widest = high - low;
      most = offset;
    }
  }
  return most;
}

Explanation explain(const ConvProblem& problem, std::int64_t offset, const HypothesisList& hypotheses,
                    Columns columns) {
  Window window;
  gather(problem, offset, window);
  Explanation e{.case_line = print(problem.spec),
                .offset = offset,
                .shape = output_shape(problem.spec),
                .engine = std::string(name(problem.spec.execution.engine))};
  fill_window(window, e);
  HypothesisList applicable;
  for (const Hypothesis* const hypothesis : hypotheses) {
    if (applies_to(*hypothesis, problem.spec)) applicable.push_back(hypothesis);
  }
  explain_steps(window, applicable, columns, e);
  return e;
}

void explain_steps(const Window& window, const HypothesisList& hypotheses, Columns columns, Explanation& e) {
  std::vector<ExplainedColumn> groups;
  for (const Hypothesis* const hypothesis : hypotheses) {
    ExplainedColumn column = hypothesis_column(*hypothesis, window);
    const auto group =
        std::find_if(groups.begin(), groups.end(), [&](const ExplainedColumn& other) { return alike(other, column); });
    if (group != groups.end()) {
      group->alike.push_back(column.name);
    } else {
      groups.push_back(std::move(column));
    }
  }
  for (ExplainedColumn& group : groups) {
    const bool shown = columns == Columns::all || e.columns.empty() || always_shown(group.name) ||
                       result_of(group) != result_of(e.columns.front());
    if (shown) {
      if (!e.columns.empty()) group.parted = parting(group, e.columns.front());
      e.columns.push_back(std::move(group));
    } else {
      e.same_result.push_back(group.name);
      e.same_result.insert(e.same_result.end(), group.alike.begin(), group.alike.end());
    }
  }
}

std::string explanation_of(const Finding& finding) {
  const auto any = parse_any_case(finding.case_line);
  if (!any || !has_tensors(finding)) return {};
  std::size_t worst = 0;
  std::int64_t largest = -1;
  for (std::size_t i = 0; i < finding.expected.values.size(); ++i) {
    const std::int64_t off = std::abs(std::int64_t{finding.actual.values[i]} - finding.expected.values[i]);
    if (off > largest) worst = i;
    largest = std::max(largest, off);
  }
  if (const auto* const c = std::get_if<OperatorCase>(&*any)) {
    const auto reference = libtorch();
    return operator_explanation(*c, static_cast<std::int64_t>(worst), reference ? (*reference)->hardware() : Hardware{},
                                finding.subject.empty()
                                    ? KnownAnswers{{finding.expected_name, finding.expected.values[worst]}}
                                    : KnownAnswers{{finding.expected_name, finding.expected.values[worst]},
                                                   {finding.actual_name, finding.actual.values[worst]}});
  }
  Explanation explanation = explain(with_contents(std::get<ConvCase>(*any)), static_cast<std::int64_t>(worst),
                                    explained_order(), Columns::deciding);
  // No engine is run here, because both answers are known.
  explanation.engine.clear();
  explanation.known_answers = {{finding.expected_name, finding.expected.values[worst]},
                               {finding.actual_name, finding.actual.values[worst]}};
  return explanation_text(explanation);
}

void ask_engine(const ConvProblem& problem, LibTorch& reference, Explanation& explanation, double seconds) {
  if (problem.spec.output_type == OutputType::int32) {
    explanation.remark = "no operator of LibTorch returns int32 sums";
    return;
  }
  const auto at = static_cast<std::size_t>(explanation.offset);
  if (const auto can = reference.available(problem.spec.execution); !can) {
    explanation.remark = can.error().message;
    return;
  }
  // The process returns "=" and the value, or the reason why there is none.
  const auto answer = run_alone(
      [&] {
        reference.guard_tensors(true);
        const auto y = reference.conv(problem);
        if (!y) return std::string("refused: ").append(y.error().message);
        if (at >= y->y.values.size()) return std::string("answered in another shape");
        return std::string("=").append(std::to_string(y->y.values[at]));
      },
      seconds);
  if (!answer) {
    explanation.remark = "died: " + answer.error().text();
  } else if (answer->starts_with('=')) {
    explanation.answer = std::stoi(answer->substr(1));
  } else {
    explanation.remark = *answer;
  }
  const KnownDefect* const defect = known_defect(problem.spec, reference.hardware());
  if (defect == nullptr) return;
  if (!explanation.remark.empty()) explanation.remark += "; ";
  explanation.remark += "known defect " + std::string(defect->id) + ": " + std::string(defect->cause);
}

}  // namespace tieout
