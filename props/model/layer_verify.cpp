#include "props/model/layer_verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "cases/case_predicates.h"
#include "cases/text/case_text.h"
#include "cases/validate.h"
#include "kernels/packed/packed_conv.h"
#include "oracle/engines/engine_model.h"
#include "oracle/engines/known_defects.h"
#include "oracle/hypotheses/mismatch_class.h"
#include "props/model/cpu_forecast.h"
#include "props/model/layer_walk.h"

namespace tieout {
namespace {

// Adds the processor time of its lifetime to a part's. Wall time would include other programs on a shared machine.
class Timed {
 public:
  Timed(SecondsByPart& seconds, const char* part) : sum_(seconds[part]) {}
  ~Timed() { sum_ += processor_seconds() - start_; }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  double& sum_;
  double start_ = processor_seconds();
};

Answers kernel_answer(const ConvProblem& problem, int threads, const LibTorch& reference) {
  const ConvCase& c = problem.spec;
  const Engine engine = c.execution.engine;
  if (engine != Engine::fbgemm) return predict(problem, engine, reference.hardware());
  const PackedConv kernel(c, problem.weight, fbgemm_arithmetic(as_run(c, reference), reference.hardware()));
  const auto x = channels_last(problem.activation.data(), c.batch, c.in_channels, volume(c.input));
  std::vector<std::uint8_t> y(static_cast<std::size_t>(element_count(output_shape(c))));
  kernel.run(x.data(), y.data(), threads);
  return as_answers({output_shape(c), channels_first(y.data(), c.batch, c.out_channels, volume(output_size(c)))});
}

Mismatches compared(const Tensor<std::uint8_t>& expected, const Answers& actual) {
  MismatchCollector found;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    found.note(static_cast<std::int64_t>(i), static_cast<std::uint8_t>(actual.values[i]), expected.values[i]);
  }
  return found.sorted();
}

std::string extents(const Spatial& s, int dims) { return fmt::format("{}", fmt::join(s.end() - dims, s.end(), "x")); }

// Determines the class of a column's differences from the first of them, because there may be too many to examine all.
// known_: the classes of columns by their first elements. Many columns begin with the same elements.
class Classes {
 public:
  Classes(const CapturedConv& captured, const LibTorch& reference) : captured_(captured) {
    if (captured.spec.execution.engine == Engine::fbgemm) {
      arithmetic_ = fbgemm_arithmetic(as_run(captured.spec, reference), reference.hardware());
    }
  }

  std::map<std::string, std::int64_t> of(const Mismatches& column) {
    if (column.differing == 0) return {};
    const std::vector<Mismatches::Element>& first = column.first;
    auto found = std::find_if(known_.begin(), known_.end(), [&](const auto& entry) { return entry.first == first; });
    if (found == known_.end()) found = known_.emplace(known_.end(), first, class_of(first));
    return {{std::string(name(found->second)), column.differing}};
  }

 private:
  [[nodiscard]] MismatchClass class_of(const std::vector<Mismatches::Element>& first) const {
    if (!arithmetic_) return MismatchClass::unexplained;
    std::vector<ComparedElement> elements;
    for (const Mismatches::Element& element : first) {
      elements.push_back({element.offset, answer_at(element.offset), element.value});
    }
    // Up to the last of the first differing elements, all other elements are equal. The prediction must also hold for
    // some of these.
    constexpr std::int64_t kEqual = 256;
    const std::int64_t end = first.back().offset;
    for (std::int64_t i = 0; i < kEqual; ++i) {
      const std::int64_t offset = end * i / kEqual;
      const auto same = [&](const Mismatches::Element& element) { return element.offset == offset; };
      if (std::any_of(first.begin(), first.end(), same)) continue;
      elements.push_back({offset, answer_at(offset), answer_at(offset)});
    }
    return classify_mismatches(captured_.view(), *arithmetic_, elements).cls;
  }

  [[nodiscard]] std::uint8_t answer_at(std::int64_t offset) const {
    const OutputElement at = element_at(offset, captured_.spec);
    return captured_.output[static_cast<std::size_t>(at.position * captured_.spec.out_channels + at.k)];
  }

  const CapturedConv& captured_;
  std::optional<Arithmetic> arithmetic_;
  std::vector<std::pair<std::vector<Mismatches::Element>, MismatchClass>> known_;
};

LayerReport describe(const CapturedConv& captured, const Hardware& hardware) {
  const ConvCase& c = captured.spec;
  return {.name = captured.name,
          .op = captured.op,
          .geometry = geometry_of(c),
          .input = activation_shape(c),
          .output = output_shape(c),
          .engine = std::string(name(c.execution.engine)),
          .path = std::string(name(fbgemm_path(c, hardware))),
          .elements = static_cast<std::int64_t>(captured.output.size())};
}

// Returns why the captured operator cannot be compared; empty if it can.
std::string invalidity(const CapturedConv& captured) {
  if (const auto valid = validate(captured.spec); !valid) {
    return "its parameters are none that the kernel knows: " + valid.error().text();
  }
  if (captured.output_shape != output_shape(captured.spec)) {
    return "the operator answered in another shape than its parameters say";
  }
  return {};
}

// Returns the differences of the hypothesis of that name, or nullptr if it was not requested.
const Mismatches* mismatches_of(std::string_view name, const LayerOptions& options, const ComputedLayer& walked) {
  const auto found = std::find_if(options.hypotheses.begin(), options.hypotheses.end(),
                                  [&](const Hypothesis* hypothesis) { return hypothesis->name == name; });
  const auto place = static_cast<std::size_t>(found - options.hypotheses.begin());
  return found == options.hypotheses.end() ? nullptr : &walked.mismatches.hypotheses[place];
}

// True if the operator's answer is the other one that the engine's model predicts. This is slow, because it works
// element by element, and is done only if the first prediction does not hold.
bool is_other_prediction(const CapturedConv& captured, const Hardware& hardware) {
  const auto other = predict_other(problem_of(captured.view()), captured.spec.execution.engine, hardware);
  return other && other->values == as_answers(answer_of(captured)).values;
}

// Runs a subject and appends its column. answer: the operator's.
void add_subject(const LayerSubject& subject, const ConvProblem& problem, const Tensor<std::uint8_t>& answer,
                 LayerResult& result) {
  const LayerAnswer output = subject.run(problem);
  const bool shaped = output && output->shape == answer.shape;
  result.declined.push_back(!output ? output.error() : shaped ? "" : "answered in another shape");
  result.columns.push_back(shaped ? compared(answer, *output) : Mismatches{});
}

}  // namespace

std::string geometry_of(const ConvCase& c) {
  if (is_linear(c)) return "linear";
  std::string text = "k" + extents(c.kernel, c.dims);
  if (c.stride != Spatial{1, 1, 1}) text += " s" + extents(c.stride, c.dims);
  if (c.padding != Spatial{}) text += " p" + extents(c.padding, c.dims);
  if (c.dilation != Spatial{1, 1, 1}) text += " d" + extents(c.dilation, c.dims);
  if (c.groups != 1) text += fmt::format(" g{}", c.groups);
  return text;
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<Column> columns_of(const LayerOptions& options) {
  std::vector<Column> columns{{Column::Kind::kernel, "kernel"}};
  for (const Hypothesis* h : options.hypotheses) columns.push_back({Column::Kind::hypothesis, std::string(h->name)});
  for (const LayerSubject& subject : options.subjects) columns.push_back({Column::Kind::subject, subject.name});
  return columns;
}

const LayerSubject* subject_of(std::size_t column, const LayerOptions& options) {
  const std::size_t first = 1 + options.hypotheses.size();
  return column < first ? nullptr : &options.subjects[column - first];
}

LayerAnswer answer_of(std::size_t column, const ConvProblem& problem, const LayerOptions& options,
                      LibTorch& reference) {
  if (column == 0) return kernel_answer(problem, options.threads, reference);
  --column;
  if (column < options.hypotheses.size()) return evaluate(*options.hypotheses[column], problem);
  return options.subjects[column - options.hypotheses.size()].run(problem);
}

Tensor<std::uint8_t> answer_of(const CapturedConv& captured) {
  const ConvCase& c = captured.spec;
  return {captured.output_shape,
          channels_first(captured.output.data(), c.batch, c.out_channels, volume(output_size(c)))};
}

LayerResult verify_layer(const CapturedConv& captured, LayerWalks& walks, const LayerOptions& options,
                         LibTorch& reference, SecondsByPart& seconds) {
  const ConvCase& c = captured.spec;
  const bool fbgemm = c.execution.engine == Engine::fbgemm;
  const Hardware hardware = reference.hardware();
  const ConvCase named = as_run(c, reference);
  LayerResult result{.report = describe(captured, hardware)};
  LayerReport& report = result.report;
  const auto refuse = [&](std::string why) {
    report.not_compared = std::move(why);
    report.elements = 0;
    return std::move(result);
  };
  if (std::string why = invalidity(captured); !why.empty()) return refuse(std::move(why));
  // The hypotheses start from exact sums, whether or not FBGEMM computed the layer.
  const Arithmetic arithmetic = fbgemm ? fbgemm_arithmetic(named, hardware) : Arithmetic{};
  ComputedLayer walked = walks.walk(captured, arithmetic, options.threads, seconds);
  // The problem in its own layout, for code that needs it; else empty.
  ConvProblem problem;
  Tensor<std::uint8_t> answer;
  const SaidBy said = [&](std::string_view name) { return mismatches_of(name, options, walked); };
  const Mismatches* const model =
      fbgemm ? nullptr : said(hypothesis_of(c.execution.engine, c.execution.call, hardware));
  if ((!fbgemm && model == nullptr) || !options.subjects.empty()) {
    const Timed timed(seconds, "subjects");
    problem = problem_of(captured.view());
    answer = answer_of(captured);
  }
  if (!fbgemm) {
    const Timed timed(seconds, "kernel");
    walked.kernel = model != nullptr ? *model : compared(answer, predict(problem, c.execution.engine, hardware));
    if (walked.kernel.differing > 0 && is_other_prediction(captured, hardware)) walked.kernel = {};
  }
  const KnownDefect* const defect = known_defect(named, hardware);
  if (defect != nullptr && (defect->memory || walked.kernel.differing > 0)) {
    return refuse(text_of(*defect, "its answer is wrong, or it reads or writes outside of its tensors"));
  }
  report.largest_activation = walked.range.highest;
  report.wrong_sums = static_cast<std::int64_t>(walked.mismatches.wrong_sums.size());
  {
    const Timed timed(seconds, "classes and saturation");
    report.saturation = pair_saturation(walked);
    report.forecasts = cpu_forecasts(captured, walked, {options.engine, hardware, arithmetic}, options.threads, said);
  }
  result.columns.push_back(std::move(walked.kernel));
  std::move(walked.mismatches.hypotheses.begin(), walked.mismatches.hypotheses.end(),
            std::back_inserter(result.columns));
  result.declined.resize(result.columns.size());
  if (!options.subjects.empty()) {
    const Timed timed(seconds, "subjects");
    for (const LayerSubject& subject : options.subjects) add_subject(subject, problem, answer, result);
  }
  const Timed timed(seconds, "classes and saturation");
  Classes classes(captured, reference);
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    const Mismatches& column = result.columns[i];
    report.columns.push_back({column.differing, column.largest, {}});
    // The causes of a subject's differences are diagnosed later.
    if (subject_of(i, options) == nullptr) report.columns.back().by_class = classes.of(column);
  }
  return result;
}

}  // namespace tieout
