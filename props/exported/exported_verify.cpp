#include "props/exported/exported_verify.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "cases/text/case_words.h"
#include "cases/validate.h"
#include "kernels/packed/packed_conv.h"
#include "oracle/engines/engine_model.h"
#include "props/exported/exact_layer.h"
#include "props/exported/lowered_prediction.h"
#include "props/model/layer_finding.h"
#include "props/model/layer_walk.h"
#include "props/model/model_spread.h"
#include "props/verify/exported_subject.h"
#include "props/verify/run_head.h"
#include "props/verify/verify.h"

namespace tieout {
namespace {

constexpr std::string_view kNearTie = "near a tie, where the roundings of each arithmetic decide";
constexpr std::string_view kFloatSums = "rounding of float32 sums";
constexpr std::string_view kPairs = "pairs of products saturate in 16 bits, because the CPU has no VNNI";
constexpr std::string_view kClamp =
    "the program clamps the result to a part of the type's range, the operator does not";
constexpr std::string_view kEngine = "as predicted for the eager engine";
constexpr std::string_view kNoCause = "unexplained";
// Time limit for making an example small.
constexpr double kSecondsToShrink = 0.5;
// The hypothesis of what the lowered operator computes without VNNI.
constexpr std::string_view kWithoutVnni = "onednn_int16_pairs";

// The answers of a layer in bytes, by way; empty: there is none.
using Answers3 = std::array<std::vector<std::uint8_t>, kExportedWays>;
std::size_t at(ExportedWay way) { return static_cast<std::size_t>(way); }

void note(AnswerDifference& difference, double distance, std::string_view cause) {
  ++difference.differing;
  difference.largest = std::max(difference.largest, distance);
  ++difference.causes[std::string(cause)];
}

void add(AnswerDifference& sum, const AnswerDifference& part) {
  sum.elements += part.elements;
  sum.differing += part.differing;
  sum.largest = std::max(sum.largest, part.largest);
  for (const auto& [cause, elements] : part.causes) sum.causes[cause] += elements;
}

std::string lowered_name(const ExportedLayer& layer) {
  if (!layer.not_lowered.empty()) return {};
  std::string name = layer.dims == 0 ? "qlinear_pointwise" : "qconv_pointwise";
  if (!layer.summand.empty()) name += " sum";
  if (layer.relu) name += " relu";
  return name;
}

bool whole_range(const ValueQuantization& q) {
  return q.type == ElementType::int8 ? q.lowest == -128 && q.highest == 127 : q.lowest == 0 && q.highest == 255;
}

// Returns why eager quantization has no operator for the layer; empty if it has one.
std::string no_eager_counterpart(const ExportedLayer& layer) {
  if (!layer.summand.empty()) return "eager quantization quantizes the sum of the products before the addition";
  if (!layer.y_quantization) return "its result is float32, and eager quantization quantizes it";
  if (!whole_range(*layer.y_quantization)) return "its result is clamped to a part of the type's range";
  return {};
}

// Returns the options with the hypothesis of what the lowered operator computes without VNNI.
LayerOptions with_forecast(LayerOptions options) {
  const Hypothesis* const forecast = find_hypothesis(kWithoutVnni);
  std::vector<const Hypothesis*>& all = options.hypotheses;
  if (std::ranges::find(all, forecast) == all.end()) all.push_back(forecast);
  return options;
}

class Verification {
 public:
  Verification(const ExportedProblem& problem, const LayerOptions& options, LibTorch& reference,
               const std::function<void(std::int64_t)>& progress)
      : problem_(problem),
        options_(with_forecast(options)),
        reference_(reference),
        progress_(progress),
        walks_(options_.hypotheses, LayerWalks::Weights::dropped) {
    report_.torch_version = problem.program->torch_version;
    report_.eager_engine = std::string(name(options.engine));
    report_.vnni = onednn_has_vnni(problem.onednn);
    for (const Column& column : columns_of(options_)) {
      const bool asked = column.name != kWithoutVnni || options_.hypotheses.size() == options.hypotheses.size();
      report_.columns.push_back({.kind = column.kind, .name = column.name, .shown = asked});
    }
    for (const ExportedLayer& layer : *problem.layers) {
      report_.layers.push_back({.name = layer.name,
                                .op = layer.op,
                                .result = layer.y_quantization ? name(layer.y_quantization->type) : "float32",
                                .lowered_to = lowered_name(layer),
                                .not_lowered = layer.not_lowered,
                                .remark = layer.remark,
                                .no_eager = layer.quantized ? no_eager_counterpart(layer) : ""});
    }
    report_.float_operators = count_float_operators(*problem.program, *problem.layers);
  }

  ModelResult<void> verify(const ModelInput& input) {
    ExportedModel& model = *problem_.model;
    const auto usual = model.run_layers(input, {}, [&](const ExportedCall& call) {
      see(call);
      progress_(++calls_);
      return std::nullopt;
    });
    if (!usual) return tl::unexpected(usual.error());
    ++report_.inputs;
    // Layers whose operator has refused them stay as exported.
    std::vector<LayerWay> lowered;
    for (const ExportedLayerReport& layer : report_.layers) {
      lowered.push_back(layer.lowered_to.empty() ? LayerWay::exported : LayerWay::lowered);
    }
    const auto run_lowered = model.run_layers(input, lowered, {});
    if (!run_lowered) return tl::unexpected(run_lowered.error());
    add_spread(report_.ends, "lowered", "all layers", compare_outputs(*usual, *run_lowered));
    const auto run_eager = model.run_layers(input, {}, [&](const ExportedCall& call) { return eager_bytes(call); });
    if (!run_eager) return tl::unexpected(run_eager.error());
    add_spread(report_.ends, "eager", "all layers", compare_outputs(*usual, *run_eager));
    return {};
  }

  ExportedReport finish() {
    RunSummary& run = report_.run;
    run.subject = "exported program";
    run.machine = machine_of(reference_);
    run.reference = "LibTorch " + reference_.version() + ", " + std::string(name(reference_.native_isa()));
    for (const ExportedLayerReport& layer : report_.layers) {
      const std::string& why = layer.not_lowered.empty() ? layer.not_compared : layer.not_lowered;
      if (!why.empty()) ++run.reasons[why];
    }
    for (const ExportedColumn& column : report_.columns) {
      if (column.kind != Column::Kind::subject) continue;
      run.subject = column.name;
      if (column.reproduces_one()) continue;
      ++run.cases.differed;
      ++run.differences[column.name + " reproduces none of the answers"];
    }
    return std::move(report_);
  }

 private:
  const ExportedLayer& layer_of(const ExportedCall& call) const { return (*problem_.layers)[call.layer]; }

  // Returns the eager engine's answer as in LayerValues; nullopt if eager quantization has no counterpart.
  std::optional<std::vector<std::uint8_t>> eager_bytes(const ExportedCall& call) {
    if (!call.no_case.empty() || !no_eager_counterpart(layer_of(call)).empty()) return std::nullopt;
    auto answer = ask_eager(call);
    return answer ? std::optional(std::move(*answer)) : std::nullopt;
  }

  [[nodiscard]] Execution eager_execution(const ExportedCall& call) const {
    const bool fbgemm = options_.engine == Engine::fbgemm;
    return {.engine = options_.engine, .call = call.spec.execution.call, .isa = fbgemm ? problem_.fbgemm : Isa::native};
  }

  tl::expected<std::vector<std::uint8_t>, std::string> ask_eager(const ExportedCall& call) {
    ConvProblem problem = problem_of({&call.spec, call.activation.data(), call.weight.data()});
    problem.spec.execution = eager_execution(call);
    const auto answer = reference_.conv(problem);
    if (!answer) return tl::unexpected(answer.error().message);
    const ConvCase& c = call.spec;
    return channels_last(answer->y.values.data(), c.batch, c.out_channels, volume(output_size(c)));
  }

  // Returns a call's layer in the form that the comparison of hypotheses takes, with one of the answers as output.
  CapturedConv captured(const ExportedCall& call, const std::vector<std::uint8_t>& answer) const {
    const ExportedLayer& layer = layer_of(call);
    return {.name = layer.name,
            .op = layer.op,
            .spec = call.spec,
            .activation = call.activation,
            .weight = call.weight,
            .output = answer,
            .output_shape = output_shape(call.spec)};
  }

  void see(const ExportedCall& call) {
    ExportedLayerReport& report = report_.layers[call.layer];
    const ExportedLayer& layer = layer_of(call);
    report.output = call.output_shape;
    report.elements += static_cast<std::int64_t>(call.exported.size());
    if (!call.lowered_error.empty()) {
      report.not_lowered = "the operator refuses it: " + call.lowered_error;
      report.lowered_to.clear();
    }
    report.not_compared = call.no_case;
    if (report.not_compared.empty()) {
      if (const auto valid = validate(call.spec); !valid) report.not_compared = valid.error().text();
    }
    if (!report.not_compared.empty()) return;
    if (layer.dims > 0) report.geometry = geometry_of(call.spec);
    const ExactLayer exact(call, layer, problem_.onednn);
    LayerValues predicted;
    if (call.lowered && call.lowered->size() == call.exported.size()) {
      LoweredPrediction prediction = predict_lowered(call, layer, problem_.onednn);
      report.lowered_bounds = std::move(prediction.unknown);
      predicted = std::move(prediction.values);
    }
    ExportedLayerReport part;
    if (call.exported.bytes.empty()) {
      compare_floats(call, exact, predicted.floats, part);
    } else {
      compare_bytes(call, layer, exact, predicted.bytes, part, report);
    }
    add(report.lowered, part.lowered);
    add(report.eager, part.eager);
    add(report.migrated, part.migrated);
    report.without_vnni += part.without_vnni;
    bool explained = true;
    for (std::size_t way = 0; way < kExportedWays; ++way) {
      report.unexplained[way] += part.unexplained[way];
      explained = explained && part.unexplained[way] == 0;
    }
    count_case(call, explained);
  }

  void count_case(const ExportedCall& call, bool explained) {
    RunSummary& run = report_.run;
    ++(explained ? run.cases.passed : run.cases.differed);
    if (!explained) ++run.differences[std::string(kNoCause)];
    const ConvCase& c = call.spec;
    CellCounts& cell = run.cells[cell_of(c, fbgemm_path(c, reference_.hardware()), options_.engine, reference_)];
    ++cell.cases;
    cell.elements += static_cast<std::int64_t>(call.exported.size());
    cell.differed += explained ? 0 : 1;
  }

  // ---- Results in float32.

  // Every element that differs is examined, and of the others one of some.
  static constexpr std::size_t kEvery = 61;

  // predicted: the lowered answer; empty: it is checked by error bounds.
  static void compare_floats(const ExportedCall& call, const ExactLayer& exact, const std::vector<float>& predicted,
                             ExportedLayerReport& part) {
    const std::vector<float>& ours = call.exported.floats;
    const std::vector<float>* const lowered = call.lowered ? &call.lowered->floats : nullptr;
    const bool comparable = lowered != nullptr && lowered->size() == ours.size();
    if (comparable) part.lowered.elements = std::ssize(ours);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const bool differs = comparable && (*lowered)[i] != ours[i];
      const bool wrong = comparable && !predicted.empty() && !is_predicted((*lowered)[i], predicted[i]);
      if (!differs && !wrong && i % kEvery != 0) continue;
      const ExactElement element = exact.at(i);
      const bool ours_fits = exact.can_be(ours[i], element.value, element.float_bound);
      const bool theirs_fits =
          predicted.empty() ? !comparable || exact.can_be((*lowered)[i], element.saturated, element.integer_bound)
                            : !wrong;
      part.unexplained[at(ExportedWay::exported)] += ours_fits ? 0 : 1;
      part.unexplained[at(ExportedWay::lowered)] += theirs_fits ? 0 : 1;
      if (!differs) continue;
      const double distance = std::abs(static_cast<double>((*lowered)[i]) - static_cast<double>(ours[i]));
      note(part.lowered, distance, !ours_fits || !theirs_fits ? kNoCause : element.saturates() ? kPairs : kFloatSums);
    }
  }

  // ---- Results in bytes.

  // predicted: the lowered answer; empty: it is checked by error bounds.
  void compare_bytes(const ExportedCall& call, const ExportedLayer& layer, const ExactLayer& exact,
                     const std::vector<std::uint8_t>& predicted, ExportedLayerReport& part,
                     ExportedLayerReport& whole) {
    Answers3 answers;
    answers[at(ExportedWay::exported)] = call.exported.bytes;
    const std::size_t elements = call.exported.bytes.size();
    if (call.lowered && call.lowered->bytes.size() == elements) answers[at(ExportedWay::lowered)] = call.lowered->bytes;
    if (whole.no_eager.empty()) {
      auto eager = ask_eager(call);
      if (eager && eager->size() == elements) answers[at(ExportedWay::eager)] = std::move(*eager);
      if (!eager) whole.no_eager = eager.error();
    }
    // The kernel's exact integer arithmetic, from which the others may differ near ties only. Without it, as behind an
    // addition, the elements at which the answers differ are examined, and of the others one of some.
    const bool plain = call.summand.empty();
    std::vector<std::uint8_t> kernel;
    if (plain) {
      kernel.resize(elements);
      PackedConv(call.spec, call.weight, Arithmetic{}).run(call.activation.data(), kernel.data(), options_.threads);
    }
    examine(layer, exact, answers, kernel, predicted, part);
    if (!plain) return;
    compare_columns(call, answers, part);
    if (whole.example.empty() && part.eager.differing > 0) whole.example = example(call, answers);
  }

  // Returns a small case on which the exported program's arithmetic and the eager engine differ, or "".
  std::string example(const ExportedCall& call, const Answers3& answers) {
    const std::vector<std::uint8_t>& exported = answers[at(ExportedWay::exported)];
    const std::vector<std::uint8_t>& eager = answers[at(ExportedWay::eager)];
    const auto [ours, theirs] = std::ranges::mismatch(exported, eager);
    const auto place = ours - exported.begin();
    const ConvCase& c = call.spec;
    const std::int64_t offset = offset_of({place / c.out_channels, place % c.out_channels}, c);
    ConvProblem problem = problem_of({&c, call.activation.data(), call.weight.data()});
    problem.spec.execution = eager_execution(call);
    const std::unique_ptr<Subject> subject = exported_subject();
    const LayerSubject exported_program{.name = subject->name(), .run = [&](const ConvProblem& asked) -> LayerAnswer {
                                          auto answer = subject->run(asked, Conditions{});
                                          if (!answer) return tl::unexpected(answer.error().message);
                                          return std::move(*answer);
                                        }};
    const LayerOptions options{.subjects = {exported_program}, .engine = options_.engine, .threads = 1};
    const auto finding = reduce(crop(problem, offset, reference_.hardware()), 1, options, reference_, kSecondsToShrink);
    return finding ? finding->case_line : std::string();
  }

  void examine(const ExportedLayer& layer, const ExactLayer& exact, const Answers3& answers,
               const std::vector<std::uint8_t>& kernel, const std::vector<std::uint8_t>& predicted,
               ExportedLayerReport& part) {
    const std::vector<std::uint8_t>& exported = answers[at(ExportedWay::exported)];
    const std::vector<std::uint8_t>& lowered = answers[at(ExportedWay::lowered)];
    const std::vector<std::uint8_t>& eager = answers[at(ExportedWay::eager)];
    if (!lowered.empty()) part.lowered.elements = std::ssize(exported);
    if (!eager.empty()) part.eager.elements = std::ssize(exported);
    if (!lowered.empty() && !eager.empty()) part.migrated.elements = std::ssize(exported);
    const bool clamps = !whole_range(layer.y_quantization.value_or(ValueQuantization{}));
    for (std::size_t i = 0; i < exported.size(); ++i) {
      const int e = exported[i], l = lowered.empty() ? e : lowered[i], g = eager.empty() ? e : eager[i];
      const bool due = kernel.empty() ? i % kEvery == 0 : kernel[i] != e || kernel[i] != l;
      const bool wrong = !predicted.empty() && predicted[i] != l;
      if (!due && !wrong && l == e && g == e) continue;
      const ExactElement element = exact.at(i);
      const bool e_fits = exact.can_be(exported[i], element.value, element.float_bound, true);
      const bool l_fits = predicted.empty() ? lowered.empty() || exact.can_be(lowered[i], element.saturated,
                                                                              element.integer_bound, false)
                                            : !wrong;
      part.unexplained[at(ExportedWay::exported)] += e_fits ? 0 : 1;
      part.unexplained[at(ExportedWay::lowered)] += l_fits ? 0 : 1;
      if (l != e) {
        const bool both = exact.can_be(lowered[i], element.value, element.float_bound, true);
        note(part.lowered, std::abs(l - e),
             !e_fits || !l_fits             ? kNoCause
             : element.saturates() && !both ? kPairs
             : clamps && !both              ? kClamp
                                            : kNearTie);
      }
      // The eager engine's answers are verified as a whole, by compare_columns().
      if (g != e) note(part.eager, std::abs(g - e), kEngine);
      if (!lowered.empty() && !eager.empty() && l != g) note(part.migrated, std::abs(l - g), kEngine);
    }
  }

  void compare_columns(const ExportedCall& call, const Answers3& answers, ExportedLayerReport& part) {
    const bool all = std::ranges::none_of(answers, [](const auto& answer) { return answer.empty(); });
    SecondsByPart seconds;
    for (std::size_t way = 0; way < kExportedWays; ++way) {
      if (answers[way].empty()) continue;
      const CapturedConv one = captured(call, answers[way]);
      const bool eager = way == at(ExportedWay::eager);
      const ComputedLayer walked =
          walks_.walk(one, eager ? eager_arithmetic(call) : Arithmetic{}, options_.threads, seconds);
      if (eager) part.unexplained[way] += unpredicted(call, walked, answers[way]);
      if (way == at(ExportedWay::lowered) && report_.vnni) part.without_vnni = without_vnni(walked);
      if (!all) continue;
      std::size_t column = 0;
      report_.columns[column].elements += std::ssize(answers[way]) * (way == 0 ? 1 : 0);
      report_.columns[column++].differing[way] += walked.kernel.differing;
      for (const Mismatches& hypothesis : walked.mismatches.hypotheses) {
        report_.columns[column].elements += std::ssize(answers[way]) * (way == 0 ? 1 : 0);
        report_.columns[column++].differing[way] += hypothesis.differing;
      }
    }
    if (all) compare_subjects(call, answers);
  }

  void compare_subjects(const ExportedCall& call, const Answers3& answers) {
    if (options_.subjects.empty()) return;
    const ConvProblem problem = problem_of({&call.spec, call.activation.data(), call.weight.data()});
    const ConvCase& c = call.spec;
    std::size_t column = 1 + options_.hypotheses.size();
    for (const LayerSubject& subject : options_.subjects) {
      ExportedColumn& found = report_.columns[column++];
      const LayerAnswer output = subject.run(problem);
      if (!output || output->shape != output_shape(c)) {
        ++found.not_answered;
        continue;
      }
      const Tensor<std::uint8_t> bytes = as_bytes(*output);
      const auto values = channels_last(bytes.values.data(), c.batch, c.out_channels, volume(output_size(c)));
      found.elements += std::ssize(values);
      for (std::size_t way = 0; way < kExportedWays; ++way)
        found.differing[way] += count_differing(values, answers[way]);
    }
  }

  Arithmetic eager_arithmetic(const ExportedCall& call) const {
    if (options_.engine != Engine::fbgemm) return {};
    ConvCase c = call.spec;
    c.execution = eager_execution(call);
    return fbgemm_arithmetic(as_run(std::move(c), reference_), reference_.hardware());
  }

  // Returns how many elements of the eager engine's answer are not the predicted ones.
  std::int64_t unpredicted(const ExportedCall& call, const ComputedLayer& walked,
                           const std::vector<std::uint8_t>& answer) const {
    if (options_.engine == Engine::fbgemm) return walked.kernel.differing;
    const ConvCase& c = call.spec;
    const ConvProblem problem = problem_of({&c, call.activation.data(), call.weight.data()});
    const Tensor<std::uint8_t> y{output_shape(c),
                                 channels_first(answer.data(), c.batch, c.out_channels, volume(output_size(c)))};
    const Answers wide = as_answers(y);
    return count_differing(nearest_prediction(problem, options_.engine, reference_.hardware(), wide).values,
                           wide.values);
  }

  std::int64_t without_vnni(const ComputedLayer& walked) const {
    for (std::size_t i = 0; i < options_.hypotheses.size(); ++i) {
      if (options_.hypotheses[i]->name == kWithoutVnni) return walked.mismatches.hypotheses[i].differing;
    }
    return 0;
  }

  ExportedProblem problem_;
  LayerOptions options_;
  LibTorch& reference_;
  const std::function<void(std::int64_t)>& progress_;
  LayerWalks walks_;
  std::int64_t calls_ = 0;
  ExportedReport report_;
};

}  // namespace

ModelResult<ExportedReport> verify_exported(const ExportedProblem& problem, const ModelInputs& inputs,
                                            const LayerOptions& options, LibTorch& reference,
                                            const std::function<void(std::int64_t)>& progress) {
  const auto start = std::chrono::steady_clock::now();
  Verification verification(problem, options, reference, progress);
  for (std::size_t i = 0; i < inputs.count(); ++i) {
    const auto input = inputs.read(i);
    if (!input) return tl::unexpected(input.error());
    const auto done = verification.verify(*input);
    if (done) continue;
    const std::string hint = hint_of(*input);
    return tl::unexpected(
        ModelError{done.error().kind, input->name + ": " + (hint.empty() ? "" : hint + "; ") + done.error().message});
  }
  ExportedReport report = verification.finish();
  report.run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

int exit_status(const ExportedReport& report) {
  if (unexplained(report) > 0) return 1;
  bool compared = false, answered = true;
  for (const ExportedLayerReport& layer : report.layers) {
    compared = compared || layer.lowered.elements + layer.eager.elements > 0;
  }
  for (const ExportedColumn& column : report.columns) {
    if (column.kind != Column::Kind::subject) continue;
    if (!column.reproduces_one()) return 1;
    answered = answered && column.elements > 0;
  }
  return compared && answered ? 0 : 3;
}

}  // namespace tieout
