#include "props/model/model_spread.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "props/model/cpu_forecast.h"
#include "props/model/layer_walk.h"
#include "props/model/operator_calls.h"

namespace tieout {
namespace {

// Returns the layer's output with the column's values in it, and adds the number of replaced values to `replaced`.
// Returns nothing if the column does not differ.
std::optional<std::vector<std::uint8_t>> replacement(const CapturedConv& captured, const SpreadQuestion& question,
                                                     std::int64_t& replaced) {
  const std::size_t first_subject = 1 + question.options->hypotheses.size();
  const Tensor<std::uint8_t> output = answer_of(captured);
  // A hypothesis is compared by the fast code for layers.
  if (question.column > 0 && question.column < first_subject) {
    const std::array hypothesis{question.options->hypotheses[question.column - 1]};
    SecondsByPart seconds;
    LayerWalks walks(hypothesis, LayerWalks::Weights::dropped, output.values.size());
    const Mismatches d = walks.walk(captured, {}, question.options->threads, seconds).mismatches.hypotheses.front();
    replaced += d.differing;
    if (d.differing == 0) return {};
    std::vector<std::uint8_t> values = output.values;
    for (const auto& element : d.first) values[static_cast<std::size_t>(element.offset)] = element.value;
    return values;
  }
  const auto answer = answer_of(question.column, problem_of(captured.view()), *question.options, *question.reference);
  if (!answer || answer->shape != captured.output_shape) return {};
  std::vector<std::uint8_t> values = as_bytes(*answer).values;
  replaced += count_differing(output.values, values);
  return values;
}

// Returns the position of the largest value of each row of N x classes.
std::vector<std::ptrdiff_t> top1(const Tensor<double>& t) {
  std::vector<std::ptrdiff_t> best;
  const std::int64_t width = t.shape.back();
  for (auto row = t.values.begin(); row != t.values.end(); row += width) {
    best.push_back(std::max_element(row, row + width) - row);
  }
  return best;
}

}  // namespace

Spread compare_outputs(const ModelRun& usual, const ModelRun& run) {
  Spread spread;
  for (std::size_t i = 0; i < std::min(usual.outputs.size(), run.outputs.size()); ++i) {
    const Tensor<double>& a = usual.outputs[i];
    const Tensor<double>& b = run.outputs[i];
    spread.elements += static_cast<std::int64_t>(a.values.size());
    for (std::size_t j = 0; j < std::min(a.values.size(), b.values.size()); ++j) {
      if (a.values[j] == b.values[j]) continue;
      ++spread.differing;
      spread.largest = std::max(spread.largest, std::fabs(a.values[j] - b.values[j]));
    }
    if (i > 0 || a.shape.size() != 2 || a.shape != b.shape || a.values.empty()) continue;
    const auto before = top1(a), after = top1(b);
    spread.rows = static_cast<std::int64_t>(before.size());
    for (std::size_t row = 0; row < before.size(); ++row) spread.top1_changed += before[row] != after[row] ? 1 : 0;
  }
  return spread;
}

namespace {

// Returns the spread of a run in which `replaced` elements were replaced; of a run that failed an empty one.
Spread spread_with(const ModelRun& usual, const ModelResult<ModelRun>& run, std::int64_t replaced) {
  Spread spread = run ? compare_outputs(usual, *run) : Spread{};
  spread.replaced = replaced;
  return spread;
}

}  // namespace

Spread spread_of(Model& model, const ModelInput& input, const ModelRun& usual, const SpreadQuestion& question,
                 std::optional<std::size_t> call) {
  std::int64_t replaced = 0;
  const auto run = model.run(input, {.conv = [&](CapturedConv&& captured) -> std::optional<std::vector<std::uint8_t>> {
                               if (call && static_cast<std::size_t>(captured.call) != *call) return {};
                               return replacement(captured, question, replaced);
                             }});
  return spread_with(usual, run, replaced);
}

Spread spread_of_threads(Model& model, const ModelInput& input, const ModelRun& usual, const Hardware& hardware,
                         int threads) {
  std::int64_t replaced = 0;
  const auto run = model.run(input, {.op = [&](CapturedOperator&& captured) {
                               auto values = output_with_threads(captured, hardware, threads);
                               if (values) replaced += count_differing(captured.output.values.values, *values);
                               return values;
                             }});
  return spread_with(usual, run, replaced);
}

Spread spread_of_recorded(Model& model, const ModelInput& input, const ModelRun& usual, const Recorded& recorded) {
  std::int64_t replaced = 0;
  ModelObserver observer;
  observer.conv = [&](CapturedConv&& captured) -> std::optional<std::vector<std::uint8_t>> {
    if (!recorded.is_conv || captured.call != recorded.call) return {};
    const std::vector<std::uint8_t> usual_values = answer_of(captured).values;
    std::vector<std::uint8_t> values(recorded.values.begin(), recorded.values.end());
    replaced += count_differing(usual_values, values);
    return values;
  };
  observer.op = [&](CapturedOperator&& captured) -> std::optional<std::vector<std::int32_t>> {
    if (recorded.is_conv || captured.call != recorded.call) return {};
    replaced += count_differing(captured.output.values.values, recorded.values);
    return recorded.values;
  };
  const auto run = model.run(input, observer);
  return spread_with(usual, run, replaced);
}

Spread spread_of_cpu(Model& model, const ModelInput& input, const ModelRun& usual, const std::string& cpu,
                     const ModelEngine& engine, int threads) {
  std::int64_t replaced = 0;
  const auto run = model.run(input, {.conv = [&](CapturedConv&& captured) -> std::optional<std::vector<std::uint8_t>> {
                               const auto there = output_on(cpu, captured, engine.engine, engine.reference, threads);
                               if (!there) return {};
                               const ConvCase& c = captured.spec;
                               replaced += count_differing({captured.output.begin(), captured.output.end()}, *there);
                               return channels_first(there->data(), c.batch, c.out_channels, volume(output_size(c)));
                             }});
  return spread_with(usual, run, replaced);
}

std::string counted_threads(int threads) { return std::to_string(threads) + (threads == 1 ? " thread" : " threads"); }

void add_spread(std::vector<Spread>& spreads, const std::string& column, const std::string& layer, Spread spread) {
  spread.column = column;
  spread.layer = layer;
  const auto same = std::find_if(spreads.begin(), spreads.end(),
                                 [&](const Spread& s) { return s.column == column && s.layer == layer; });
  if (same == spreads.end()) {
    spreads.push_back(std::move(spread));
    return;
  }
  same->replaced += spread.replaced;
  same->differing += spread.differing;
  same->elements += spread.elements;
  same->largest = std::max(same->largest, spread.largest);
  same->top1_changed += spread.top1_changed;
  same->rows += spread.rows;
}

}  // namespace tieout
