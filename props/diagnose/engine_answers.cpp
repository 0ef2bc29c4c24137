#include "props/diagnose/engine_answers.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "kernels/conv_relu.h"
#include "oracle/engines/engine_model.h"
#include "props/verify/departures.h"
#include "props/verify/reference.h"
#include "reports/text/number_text.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

constexpr std::string_view kOwnArithmetic = "the engine computes in another way, which oracle/README.md describes";

// Returns why the engine's values are not the contract's.
std::string reason_of(const ConvProblem& problem, Engine engine, const Hardware& hardware, const Answers& y) {
  if (!is_fbgemm(engine)) return std::string(kOwnArithmetic);
  const Arithmetic arithmetic = fbgemm_arithmetic(problem.spec, hardware);
  const std::vector<ElementTrace> traces = conv_relu_traces(problem, arithmetic);
  const Departure departure =
      departure_from_exact({problem, y, engine, fbgemm_path(problem.spec, hardware), arithmetic, traces}, hardware);
  return departure.elements > 0 ? departure.cause : std::string(kOwnArithmetic);
}

}  // namespace

KernelAnswer beyond_prediction(KernelAnswer kernel, Engine engine, const LibTorch& libtorch, EngineTally& tally) {
  return [kernel = std::move(kernel), engine, &libtorch,
          &tally](const ConvProblem& problem) -> std::optional<std::vector<std::uint8_t>> {
    auto y = kernel(problem);
    if (!y) return {};
    ++tally.cases;
    const Hardware hardware = libtorch.hardware();
    ConvProblem run = problem;
    run.spec.execution = {.engine = engine};
    run.spec = as_run(std::move(run.spec), libtorch);
    const Engine computing = computing_engine(run.spec, hardware);
    run.spec.execution.engine = computing;
    const Answers answered = as_answers({output_shape(problem.spec), *y});
    const Answers predicted = nearest_prediction(run, computing, hardware, answered);
    const std::vector<ElementTrace> contract = conv_relu_traces(problem, Arithmetic{});
    if (predicted.values.size() != y->size() || contract.size() != y->size()) return y;
    std::int64_t departing = 0;
    for (std::size_t i = 0; i < y->size(); ++i) {
      if ((*y)[i] != predicted.values[i]) continue;
      departing += (*y)[i] != contract[i].result ? 1 : 0;
      (*y)[i] = static_cast<std::uint8_t>(contract[i].result);
    }
    if (departing > 0) tally.departures[reason_of(run, computing, hardware, predicted)] += {1, departing};
    return y;
  };
}

std::string departures_text(const EngineTally& tally) {
  std::string text;
  for (const auto& [reason, counts] : tally.departures) {
    text += wrapped(fmt::format("On {} of {} cases, {} of its values are not the contract's, as predicted: {}.",
                                grouped(counts.cases), grouped(tally.cases), grouped(counts.elements), reason),
                    kTextColumns, 2) +
            "\n";
  }
  return text.empty() ? text : "\n" + text;
}

}  // namespace tieout
