#include "props/layer_verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "cases/case_text.h"
#include "cases/validate.h"
#include "kernels/conv_fast.h"
#include "oracle/difference_class.h"
#include "oracle/engine_model.h"
#include "oracle/known_defects.h"
#include "props/saturation.h"

namespace tieout {
namespace {

using Answer = tl::expected<Tensor<std::uint8_t>, std::string>;

// Adds the processor seconds of its life to a part's: on a machine that is shared, what a clock on the wall says is not ours.
class Timed {
 public:
  Timed(std::map<std::string, double>& seconds, const char* part) : sum_(seconds[part]) {}
  ~Timed() { sum_ += processor_seconds() - start_; }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  double& sum_;
  double start_ = processor_seconds();
};

// The instruction set that FBGEMM takes by itself: its own environment variable can limit it.
ConvCase as_run(const ConvCase& c, const LibTorch& reference) {
  ConvCase named = c;
  if (named.execution.isa == Isa::native) named.execution.isa = reference.native_isa();
  return named;
}

Tensor<std::uint8_t> kernel_answer(const ConvProblem& problem, int threads, const LibTorch& reference) {
  const Engine engine = problem.spec.execution.engine;
  if (engine != Engine::fbgemm) return predict(problem, engine, reference.hardware());
  return conv_relu_fast(problem, fbgemm_arithmetic(as_run(problem.spec, reference), reference.hardware()), threads);
}

Disagreement compared(const Tensor<std::uint8_t>& expected, const Tensor<std::uint8_t>& actual) {
  Disagreement found;
  if (expected.values == actual.values) return found;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const int distance = std::abs(int{actual.values[i]} - int{expected.values[i]});
    if (distance == 0) continue;
    ++found.differing;
    found.largest = std::max(found.largest, distance);
    if (found.first.size() < Disagreement::kMost) {
      found.first.push_back({static_cast<std::int64_t>(i), actual.values[i]});
    }
  }
  return found;
}

std::string extents(const Spatial& s, int dims) { return fmt::format("{}", fmt::join(s.end() - dims, s.end(), "x")); }

// Kernel, and what is not the default of stride, padding, dilation and groups.
std::string geometry_of(const ConvCase& c) {
  std::string text = "k" + extents(c.kernel, c.dims);
  if (c.stride != Spatial{1, 1, 1}) text += " s" + extents(c.stride, c.dims);
  if (c.padding != Spatial{}) text += " p" + extents(c.padding, c.dims);
  if (c.dilation != Spatial{1, 1, 1}) text += " d" + extents(c.dilation, c.dims);
  if (c.groups != 1) text += fmt::format(" g{}", c.groups);
  return text;
}

// The class of a column's differences: of the first of them, where there are too many to look at each.
std::map<std::string, std::int64_t> classes_of(const CapturedConv& captured, const Disagreement& column,
                                               const LibTorch& reference) {
  if (column.differing == 0) return {};
  const ConvProblem& problem = captured.problem;
  if (problem.spec.execution.engine != Engine::fbgemm) {
    return {{std::string(name(DifferenceClass::unexplained)), column.differing}};
  }
  constexpr std::size_t kLookedAt = 16;
  std::vector<DifferingElement> elements;
  for (const auto& element : column.first) {
    if (elements.size() == kLookedAt) break;
    elements.push_back(
        {element.offset, captured.output.values[static_cast<std::size_t>(element.offset)], element.says});
  }
  const Arithmetic arithmetic = fbgemm_arithmetic(as_run(problem.spec, reference), reference.hardware());
  const Difference difference = classify_difference(problem, arithmetic, elements);
  return {{std::string(name(difference.cls)), column.differing}};
}

LayerReport describe(const CapturedConv& captured, const Hardware& hardware) {
  const ConvCase& c = captured.problem.spec;
  return {.name = captured.name,
          .op = captured.op,
          .geometry = geometry_of(c),
          .input = activation_shape(c),
          .output = output_shape(c),
          .engine = std::string(name(c.execution.engine)),
          .path = std::string(name(fbgemm_path(c, hardware))),
          .largest_activation =
              captured.problem.activation.empty()
                  ? 0
                  : int{*std::max_element(captured.problem.activation.begin(), captured.problem.activation.end())},
          .elements = static_cast<std::int64_t>(captured.output.values.size())};
}

}  // namespace

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<Column> columns_of(const LayerOptions& options) {
  std::vector<Column> columns{{Column::Kind::kernel, "kernel"}};
  for (const Hypothesis* h : options.hypotheses) columns.push_back({Column::Kind::hypothesis, std::string(h->name)});
  for (const LayerSubject& subject : options.subjects) columns.push_back({Column::Kind::subject, subject.name});
  return columns;
}

Answer answer_of(std::size_t column, const ConvProblem& problem, const LayerOptions& options, LibTorch& reference) {
  if (column == 0) return kernel_answer(problem, options.threads, reference);
  --column;
  if (column < options.hypotheses.size()) return evaluate(*options.hypotheses[column], problem);
  return options.subjects[column - options.hypotheses.size()].run(problem);
}

LayerResult verify_layer(const CapturedConv& captured, const LayerOptions& options, LibTorch& reference,
                         std::map<std::string, double>& seconds) {
  const ConvProblem& problem = captured.problem;
  const Hardware hardware = reference.hardware();
  const ConvCase named = as_run(problem.spec, reference);
  LayerResult result{.report = describe(captured, hardware)};
  LayerReport& report = result.report;
  if (const auto valid = validate(problem.spec); !valid) {
    report.mistrusted = "its parameters are none that the kernel knows: " + valid.error().text();
    report.elements = 0;
    return result;
  }
  if (captured.output.shape != output_shape(problem.spec)) {
    report.mistrusted = "the operator answered in another shape than its parameters say";
    report.elements = 0;
    return result;
  }
  {
    const Timed timed(seconds, "kernel");
    result.columns.push_back(compared(captured.output, kernel_answer(problem, options.threads, reference)));
  }
  const KnownDefect* const defect = known_defect(named, hardware);
  if (defect != nullptr && (defect->memory || result.columns.front().differing > 0)) {
    report.mistrusted = "known defect " + std::string(defect->id);
    report.elements = 0;
    return result;
  }
  {
    const Timed timed(seconds, "hypotheses");
    auto disagreements = compare(options.hypotheses, problem, captured.output, options.threads);
    std::move(disagreements.begin(), disagreements.end(), std::back_inserter(result.columns));
  }
  result.declined.resize(result.columns.size());
  {
    const Timed timed(seconds, "subjects");
    for (const LayerSubject& subject : options.subjects) {
      Answer answer = subject.run(problem);
      const bool shaped = answer && answer->shape == captured.output.shape;
      result.declined.push_back(!answer ? answer.error() : shaped ? "" : "answered in another shape");
      result.columns.push_back(shaped ? compared(captured.output, *answer) : Disagreement{});
    }
  }
  const Timed timed(seconds, "classes and saturation");
  for (const Disagreement& column : result.columns) {
    report.columns.push_back({column.differing, column.largest, classes_of(captured, column, reference)});
  }
  report.saturation = pair_saturation(problem);
  if (problem.spec.execution.engine == Engine::fbgemm) {
    report.forecasts =
        cpu_forecasts(problem, captured.output, fbgemm_arithmetic(named, hardware), report.saturation, options.threads);
  }
  return result;
}

}  // namespace tieout
