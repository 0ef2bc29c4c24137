#include "props/model/model_verify.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "cases/text/case_text.h"
#include "props/model/layer_finding.h"
#include "props/model/model_spread.h"
#include "props/model/operator_calls.h"
#include "props/model/recorded_cause.h"
#include "props/model/tensor_folder.h"
#include "props/verify/run_head.h"
#include "props/verify/verify.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

// Holds a difference that is shrunk after the model has run, when its layer's tensors are no longer in memory.
struct Pending {
  ConvCase c;
  std::size_t column;
  std::string layer;
};

class Verification {
 public:
  Verification(Model& model, const ModelOptions& options, LibTorch& reference, LayerWalks::Weights weights,
               const std::function<void(const ModelProgress&)>& progress)
      : model_(model),
        options_(options),
        reference_(reference),
        progress_(progress),
        walks_(options.layers.hypotheses, weights) {
    report_.columns = columns_of(options.layers);
    if (!options.save_tensors.empty()) {
      writer_.emplace(options.save_tensors, TensorManifest{.model = options.model_name,
                                                           .input = options.input_name,
                                                           .libtorch = reference.version(),
                                                           .tensors = {}});
    }
    if (!options.compare.empty()) comparison_.emplace(options.compare);
    report_.forward_seconds = std::numeric_limits<double>::infinity();
  }

  tl::expected<ModelRun, ModelError> verify(const ModelInput& input) {
    calls_of_name_.clear();
    differing_here_.clear();
    if (report_.inputs == 0) {
      if (auto alone = time_forward(input); !alone) return tl::unexpected(alone.error());
    }
    const double start = processor_seconds();
    double ours = 0;
    ModelObserver observer;
    observer.conv = [&](CapturedConv&& captured) -> std::optional<std::vector<std::uint8_t>> {
      const double begin = processor_seconds();
      name_call(captured);
      LayerResult result = verify_layer(captured, walks_, options_.layers, reference_, report_.seconds_by_part);
      record(captured, [&] { return names_of_equal(captured, result, options_.layers, recorded_->values); });
      count(captured, std::move(result));
      ours += processor_seconds() - begin;
      return std::nullopt;
    };
    observer.op = [&](CapturedOperator&& captured) -> std::optional<std::vector<std::int32_t>> {
      const double begin = processor_seconds();
      name_call(captured);
      record(captured, [&] { return names_of_equal(captured, reference_.hardware(), recorded_->values); });
      count(captured);
      ours += processor_seconds() - begin;
      report_.seconds_by_part["operators"] += processor_seconds() - begin;
      return std::nullopt;
    };
    auto run = model_.run(input, observer);
    report_.seconds_by_part["model and capture"] += processor_seconds() - start - ours;
    if (!run) return run;
    ++report_.inputs;
    report_.not_finite += count_not_finite(input);
    for (const auto& [name, calls] : run->unverified) report_.unverified[name] += calls;
    follow(input, *run);
    follow_threads(input, *run);
    follow_recorded(input, *run);
    follow_cpus(input, *run);
    return run;
  }

  void find() {
    // Differences of the kernel and the subjects come first, regardless of those of the hypotheses.
    std::stable_sort(pending_.begin(), pending_.end(),
                     [&](const Pending& a, const Pending& b) { return rank(a.column) < rank(b.column); });
    if (pending_.size() > options_.max_findings) pending_.resize(options_.max_findings);
    for (const Pending& pending : pending_) {
      auto finding = reduce(pending.c, pending.column, options_.layers, reference_, options_.seconds_per_finding);
      if (!finding) continue;
      finding->original_line = finding->case_line;
      finding->expected_name += " in " + pending.layer;
      report_.run.findings.push_back(std::move(*finding));
    }
  }

  tl::expected<void, std::string> write_tensors() {
    return writer_ ? writer_->finish() : tl::expected<void, std::string>();
  }

  ModelReport finish() {
    if (comparison_) {
      report_.recorded = comparison_->result();
      if (!report_.recorded->differing.empty()) report_.recorded->differing.front().equal_to = equal_to_recorded_;
    }
    RunSummary& run = report_.run;
    run.subject = "scalar";
    for (const LayerSubject& subject : options_.layers.subjects) run.subject = subject.name;
    run.machine = machine_of(reference_);
    run.reference = "LibTorch " + reference_.version() + ", " + std::string(name(reference_.native_isa()));
    run.seconds_in_engine = report_.forward_seconds;
    return std::move(report_);
  }

 private:
  // Measures the model alone. The first run of a TorchScript model prepares it; the fastest of the runs counts.
  tl::expected<void, ModelError> time_forward(const ModelInput& input) {
    constexpr int kRuns = 5;
    for (int i = 0; i < kRuns; ++i) {
      const double start = processor_seconds();
      const auto run = model_.run(input, {});
      if (!run) return tl::unexpected(run.error());
      report_.forward_seconds = std::min(report_.forward_seconds, processor_seconds() - start);
    }
    return {};
  }

  // Measures the spread of differences in the requested columns.
  void follow(const ModelInput& input, const ModelRun& run) {
    for (std::size_t column = 0; column < report_.columns.size(); ++column) {
      const Column& c = report_.columns[column];
      const bool asked = std::find(options_.spread.begin(), options_.spread.end(), c.name) != options_.spread.end();
      if (c.kind == Column::Kind::hypothesis && !asked) continue;
      std::vector<std::size_t> calls;
      for (std::size_t call = 0; call < differing_here_.size(); ++call) {
        if (column < differing_here_[call].size() && differing_here_[call][column]) calls.push_back(call);
      }
      const SpreadQuestion question{.column = column, .options = &options_.layers, .reference = &reference_};
      for (const std::size_t call : calls) {
        add_spread(report_.spreads, c.name, report_.layers[call].name, spread_of(model_, input, run, question, call));
      }
      if (calls.size() > 1)
        add_spread(report_.spreads, c.name, "all layers", spread_of(model_, input, run, question, {}));
    }
  }

  // Writes the call's tensors, and compares its output with the recorded one. causes: returns the implementations that
  // give the recorded output; called for the first call that differs.
  template <typename Captured, typename Causes>
  void record(const Captured& captured, Causes causes) {
    if (!writer_ && !comparison_) return;
    const CallTensors call = tensors_of(captured, writer_.has_value());
    if (writer_) writer_->write(call);
    if (!comparison_) return;
    auto values = comparison_->compare(call);
    if (!values || recorded_) return;
    recorded_ = Recorded{.is_conv = std::is_same_v<Captured, CapturedConv>,
                         .call = captured.call,
                         .name = captured.name,
                         .values = std::move(*values)};
    equal_to_recorded_ = causes();
  }

  // Measures what the first recorded output that differs does to the model's result.
  void follow_recorded(const ModelInput& input, const ModelRun& run) {
    if (!recorded_) return;
    add_spread(report_.spreads, "recorded", recorded_->name, spread_of_recorded(model_, input, run, *recorded_));
  }

  // Measures what the layers that would change on another CPU do to the model's result there.
  void follow_cpus(const ModelInput& input, const ModelRun& run) {
    std::set<std::string> cpus;
    for (const LayerReport& layer : report_.layers) {
      for (const CpuForecast& forecast : layer.forecasts) {
        if (forecast.elements > 0) cpus.insert(forecast.isa);
      }
    }
    for (const std::string& cpu : cpus) {
      add_spread(report_.spreads, "on " + cpu, "all layers",
                 spread_of_cpu(model_, input, run, cpu, {options_.layers.engine, reference_}, options_.layers.threads));
    }
  }

  // Measures what other numbers of LibTorch's threads change at the end of the model.
  void follow_threads(const ModelInput& input, const ModelRun& run) {
    for (const int threads : options_.libtorch_threads) {
      const bool changes = std::ranges::any_of(
          report_.operators, [&](const OperatorReport& report) { return report.with_threads.contains(threads); });
      if (!changes) continue;
      add_spread(report_.spreads, counted_threads(threads), "all operators",
                 spread_of_threads(model_, input, run, reference_.hardware(), threads));
    }
  }

  // Names a call without a name by its operator and its position, and a module that runs again by a number.
  template <typename Captured>
  void name_call(Captured& captured) {
    const std::string op = captured.op.substr(captured.op.rfind(':') + 1);
    if (captured.name.empty()) captured.name = op + "@" + std::to_string(captured.call);
    const std::int64_t calls = ++calls_of_name_[captured.name];
    if (calls > 1) captured.name += "#" + std::to_string(calls);
  }

  void count(const CapturedConv& captured, LayerResult result) {
    const auto call = static_cast<std::size_t>(captured.call);
    differing_here_.resize(call + 1);
    for (const Mismatches& column : result.columns) differing_here_[call].push_back(column.differing > 0);
    count_case(captured, result);
    keep(captured, result);
    if (call >= report_.layers.size()) {
      report_.layers.push_back(std::move(result.report));
    } else {
      add(report_.layers[call], result.report);
    }
    ++shown_.layers;
    progress_(shown_);
  }

  void count(const CapturedOperator& captured) {
    OperatorReport report = verify_operator_call(captured, reference_.hardware(), options_.libtorch_threads);
    RunSummary& run = report_.run;
    const bool differs = report.differs();
    if (differs) ++run.differences["operators: difference from the prediction"];
    if (differs) {
      ++run.cases.differed;
    } else if (options_.layers.subjects.empty()) {
      ++run.cases.passed;  // subjects get layers only, so that only these are their cases
    }
    shown_.differing += differs ? 1 : 0;
    const auto call = static_cast<std::size_t>(captured.call);
    if (call >= report_.operators.size()) {
      report_.operators.push_back(std::move(report));
    } else {
      tieout::add(report_.operators[call], report);
    }
  }

  static void add(LayerReport& sum, const LayerReport& part) {
    sum.elements += part.elements;
    sum.wrong_sums += part.wrong_sums;
    sum.saturation = std::max(sum.saturation, part.saturation);
    sum.largest_activation = std::max(sum.largest_activation, part.largest_activation);
    if (sum.not_compared.empty()) sum.not_compared = part.not_compared;
    if (sum.columns.empty()) sum.columns.resize(part.columns.size());
    for (std::size_t i = 0; i < part.columns.size(); ++i) {
      sum.columns[i].differing += part.columns[i].differing;
      sum.columns[i].largest = std::max(sum.columns[i].largest, part.columns[i].largest);
      for (const auto& [cls, elements] : part.columns[i].by_class) sum.columns[i].by_class[cls] += elements;
    }
    for (const CpuForecast& forecast : part.forecasts) {
      const auto same = std::find_if(sum.forecasts.begin(), sum.forecasts.end(),
                                     [&](const CpuForecast& f) { return f.isa == forecast.isa; });
      if (same == sum.forecasts.end()) {
        sum.forecasts.push_back(forecast);
      } else {
        same->elements += forecast.elements;
        same->largest = std::max(same->largest, forecast.largest);
      }
    }
  }

  // True if the kernel or a subject differs. Differences of hypotheses do not count.
  [[nodiscard]] bool differs(const LayerResult& result) const {
    for (std::size_t i = 0; i < result.columns.size(); ++i) {
      if (report_.columns[i].kind != Column::Kind::hypothesis && result.columns[i].differing > 0) return true;
    }
    return false;
  }

  void count_case(const CapturedConv& captured, const LayerResult& result) {
    RunSummary& run = report_.run;
    if (!result.report.not_compared.empty()) {
      ++run.cases.known_defect;
      ++run.reasons[result.report.not_compared];
      return;
    }
    bool failed = false;
    bool asked = true;
    for (std::size_t i = 0; i < result.declined.size(); ++i) {
      const std::string& why = result.declined[i];
      report_.columns[i].answered += why.empty() ? 1 : 0;
      if (why.empty()) continue;
      const std::string text = report_.columns[i].name + ": " + why;
      asked = asked && !why.starts_with(kNotAsked);
      const bool as_it_may =
          report_.columns[i].kind != Column::Kind::subject || why.starts_with(kDeclined) || why.starts_with(kNotAsked);
      failed = failed || !as_it_may;
      ++(as_it_may ? run.reasons : run.differences)[text];
    }
    for (std::size_t i = 0; i < result.columns.size(); ++i) {
      report_.columns[i].differing += result.columns[i].differing > 0 ? 1 : 0;
    }
    const bool sums_wrong = result.report.wrong_sums > 0;
    const bool differed = differs(result) || sums_wrong;
    if (differs(result)) {
      ++run.differences[result.columns.front().differing > 0 ? "difference" : std::string(kUnexplained)];
    }
    if (sums_wrong) ++run.differences["kernel: integer sums that are not the sums of products"];
    ++(differed ? run.cases.differed : failed ? run.cases.crashed : asked ? run.cases.passed : run.cases.unavailable);
    shown_.differing += differed || failed ? 1 : 0;
    const ConvCase& c = captured.spec;
    CellCounts& cell = run.cells[cell_of(c, fbgemm_path(c, reference_.hardware()), c.execution.engine, reference_)];
    ++cell.cases;
    cell.elements += result.report.elements;
    cell.differed += differed ? 1 : 0;
  }

  [[nodiscard]] std::size_t rank(std::size_t column) const {
    return report_.columns[column].kind == Column::Kind::hypothesis ? report_.columns.size() + column : column;
  }

  // Keeps the first difference of each column in each layer, up to the number that is shown of a column.
  void keep(const CapturedConv& captured, const LayerResult& result) {
    kept_.resize(report_.columns.size());
    std::optional<ConvProblem> problem;
    for (std::size_t i = 0; i < result.columns.size(); ++i) {
      if (result.columns[i].differing == 0 || kept_[i] >= options_.max_findings) continue;
      ++kept_[i];
      if (!problem) problem = problem_of(captured.view());
      pending_.push_back(
          {crop(*problem, result.columns[i].first.front().offset, reference_.hardware()), i, captured.name});
    }
  }

  Model& model_;
  const ModelOptions& options_;
  LibTorch& reference_;
  const std::function<void(const ModelProgress&)>& progress_;
  LayerWalks walks_;
  std::map<std::string, std::int64_t> calls_of_name_;
  // States for the current input, by call and by column, whether there is a difference.
  std::vector<std::vector<bool>> differing_here_;
  std::vector<Pending> pending_;
  // Number of pending differences by column.
  std::vector<std::size_t> kept_;
  ModelProgress shown_;
  std::optional<TensorWriter> writer_;
  std::optional<TensorComparison> comparison_;
  // The first call whose recorded output differs.
  std::optional<Recorded> recorded_;
  std::vector<std::string> equal_to_recorded_;
  ModelReport report_;
};

}  // namespace

ModelResult<ModelReport> verify_model(Model& model, const ModelInputs& inputs, const ModelOptions& options,
                                      LibTorch& reference, const std::function<void(const ModelProgress&)>& progress) {
  const auto start = Clock::now();
  const auto weights = inputs.count() > 1 ? LayerWalks::Weights::kept : LayerWalks::Weights::dropped;
  Verification verification(model, options, reference, weights, progress);
  for (std::size_t i = 0; i < inputs.count(); ++i) {
    const auto input = inputs.read(i);
    if (!input) return tl::unexpected(input.error());
    const auto run = verification.verify(*input);
    if (!run) {
      const std::string hint = hint_of(*input);
      return tl::unexpected(
          ModelError{run.error().kind, input->name + ": " + (hint.empty() ? "" : hint + "; ") + run.error().message});
    }
  }
  if (const auto written = verification.write_tensors(); !written) {
    return tl::unexpected(ModelError{ModelError::Kind::refused, "--save-tensors: " + written.error()});
  }
  verification.find();
  ModelReport report = verification.finish();
  report.run.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return report;
}

int exit_status(const ModelReport& report) {
  if (report.run.cases.differed + report.run.cases.crashed > 0) return 1;
  for (const Column& column : report.columns) {
    if (column.kind == Column::Kind::subject && column.answered == 0) return 3;
  }
  if (report.recorded && !report.recorded->differing.empty()) return 1;
  if (report.recorded && report.recorded->compared == 0) return 3;
  std::int64_t elements = report.run.elements();
  for (const OperatorReport& op : report.operators) elements += op.elements;
  return report.run.cases.verified() == 0 || report.run.cases.unavailable > 0 || elements == 0 ? 3 : 0;
}

}  // namespace tieout
