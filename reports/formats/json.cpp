#include "reports/formats/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/data/mismatch_statistics.h"
#include "reports/data/tensor_mismatches.h"
#include "reports/formats/finding_text.h"
#include "reports/text/document_text.h"

namespace tieout {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;  // version of the format; the same as in report.schema.json

// Returns a list and not an object: names may be untrusted, and two of them could become equal where bytes are
// replaced.
Json counts_of(const std::map<std::string, std::int64_t>& counts) {
  Json list = Json::array();
  for (const auto& [name, count] : counts) list.push_back({{"name", name}, {"count", count}});
  return list;
}

Json departures_of(const std::map<std::string, Departures>& departures) {
  Json list = Json::array();
  for (const auto& [cause, counts] : departures) {
    list.push_back({{"name", cause}, {"cases", counts.cases}, {"elements", counts.elements}});
  }
  return list;
}

Json cell_of(const Cell& cell) {
  return {{"engine", cell.engine},
          {"isa", cell.isa},
          {"path", cell.path},
          {"granularity", cell.granularity},
          {"bias", cell.bias}};
}

Json cells_of(const RunSummary& run) {
  Json list = Json::array();
  for (const auto& [cell, counts] : run.cells) {
    Json entry = cell_of(cell);
    entry["cases"] = counts.cases;
    entry["elements"] = counts.elements;
    entry["differed"] = counts.differed;
    entry["classes"] = counts_of(counts.classes);
    list.push_back(std::move(entry));
  }
  return list;
}

Json causes_of(const RunSummary& run) {
  Json list = Json::array();
  for (const ReportedCause& cause : run.causes) {
    list.push_back({{"text", cause.text},
                    {"condition", cause.condition},
                    {"diff", cause.diff},
                    {"picture", cause.picture},
                    {"cases", cause.cases},
                    {"case", cause.case_line},
                    {"replay", cause.replay},
                    {"expected", cause.expected},
                    {"actual", cause.actual},
                    {"proof",
                     {{"fresh", cause.fresh},
                      {"predicted", cause.predicted},
                      {"differing", cause.fresh_differing},
                      {"explained", cause.explains}}}});
  }
  return list;
}

Json summary_of(const RunSummary& run) {
  Json reached = Json::array();
  for (const std::string& cls : run.classes) reached.push_back({{"name", cls}, {"count", run.reached(cls)}});
  Json cases = Json::object();
  for (const StatusName& status : kStatusNames) cases[std::string(status.recorded)] = run.cases.*status.count;
  return {{"cases", std::move(cases)},
          {"elements", run.elements()},
          {"finished", run.finished},
          {"seconds", run.seconds},
          {"seconds_in_engine", run.seconds_in_engine},
          {"reasons", counts_of(run.reasons)},
          {kRecordedDeviations, counts_of(run.accepted_deviations)},
          {"departures", departures_of(run.departures)},
          {"causes", causes_of(run)},
          {"differences", counts_of(reported_differences(run))},
          {"strategies", counts_of(run.strategies)},
          {"classes", std::move(reached)},
          {"missing_classes", run.missing_classes},
          {"cells", cells_of(run)}};
}

Json run_of(const RunSummary& run) {
  const Machine& machine = run.machine;
  Json entry{{"command", run.command},
             {"subject", run.subject},
             {"reference", run.reference},
             {"machine",
              {{"cpu", machine.cpu},
               {"isa", machine.isa},
               {"libtorch", machine.libtorch},
               {"cores", machine.cores},
               {"variables", machine.variables}}},
             {"seed", std::to_string(run.seed)},
             {"shard", {{"index", run.shard.index}, {"count", run.shard.count}}},
             {"started", run.started},
             {"workers", run.workers}};
  entry.update(summary_of(run));
  return entry;
}

Json known_entry(const KnownFinding& known) {
  Json entry{{"kind", known.kind},      {"engine", known.engine}, {"isa", known.isa},  {"path", known.path},
             {"case", known.case_line}, {"reason", known.reason}, {"link", known.link}};
  if (!known.cause.empty()) entry["cause"] = known.cause;
  if (!known.condition.empty()) entry["condition"] = known.condition;
  return entry;
}

Json json_number(float value) {
  if (std::isfinite(value)) return static_cast<double>(value);
  return python_float(static_cast<double>(value));
}

Json difference_of(const Finding& finding) {
  const TensorMismatches d = compare_tensors(finding.expected, finding.actual);
  const MismatchStatistics statistics = mismatch_statistics(finding.expected, finding.actual);
  Json histogram = Json::array();
  for (const auto& [difference, count] : statistics.histogram) {
    histogram.push_back({{"difference", difference}, {"count", count}});
  }
  Json touched = Json::array();
  for (const TouchedDimension& dimension : statistics.touched) {
    touched.push_back({{"name", dimension.name}, {"extent", dimension.extent}, {"indices", dimension.indices}});
  }
  return {{"elements", d.elements},
          {"differing", d.offsets.size()},
          {"largest", d.largest},
          {"signed_sum", d.signed_sum},
          {"signed_mean", statistics.signed_mean},
          {"worst", statistics.worst},
          {"histogram", std::move(histogram)},
          {"touched", std::move(touched)}};
}

Json elements_of(const Finding& finding) {
  Json list = Json::array();
  for (const MismatchedElement& element : finding.elements) {
    list.push_back({{"index", unravel(element.offset, finding.expected.shape)},
                    {"expected", element.expected},
                    {"actual", element.actual},
                    {"accumulator", element.accumulator},
                    {"scaled", json_number(element.scaled)}});
  }
  return list;
}

// causes: of the total.
Json finding_of(const ReportedFinding& reported, const std::vector<ReportedCause>& causes) {
  const Finding& finding = reported.finding;
  Json entry{{"status", reported.known ? "known" : "new"},
             {"kind", kind_of(finding)},
             {"runs", reported.runs},
             {"case", finding.case_line},
             {"original_case", finding.original_line},
             {"replay", replay_command(finding)},
             {"cell", cell_of(finding.cell)},
             {"index", finding.index},
             {"expected_name", finding.expected_name},
             {"actual_name", finding.actual_name},
             {"derivation", reported_derivation(finding)},
             {"explained", reported_derivation(finding).empty() ? 0 : finding.explained},
             {"explanation", finding.explanation}};
  for (std::size_t i = 0; i < causes.size() && !finding.cause.empty(); ++i) {
    if (causes[i].text == finding.cause && causes[i].condition == finding.condition) entry["cause"] = i;
  }
  if (!finding.before.empty()) entry["before"] = finding.before;
  if (reported.known) entry["known"] = known_entry(*reported.known);
  if (!finding.failure.empty()) {
    entry["failure"] = finding.failure;
    return entry;
  }
  if (!has_tensors(finding)) {
    entry["undescribed"] = without_tensors_text(finding);
    return entry;
  }
  entry["shape"] = finding.expected.shape;
  entry["expected"] = finding.expected.values;
  entry["actual"] = finding.actual.values;
  entry["difference"] = difference_of(finding);
  entry["elements"] = elements_of(finding);
  return entry;
}

Json value_differences_of(const ValueDifferences& found) {
  Json entry{{"elements", found.elements}, {"largest", found.largest}};
  if (found.elements == 0) return entry;
  entry["first"] = {{"offset", found.first_offset}, {"expected", found.first_expected}, {"actual", found.first_actual}};
  return entry;
}

Json layer_of(const LayerReport& layer, const std::vector<Column>& columns) {
  Json differing = Json::array();
  for (std::size_t i = 0; i < layer.columns.size(); ++i) {
    differing.push_back({{"name", columns[i].name},
                         {"elements", layer.columns[i].differing},
                         {"largest", layer.columns[i].largest},
                         {"classes", counts_of(layer.columns[i].by_class)}});
  }
  Json forecasts = Json::array();
  for (const CpuForecast& forecast : layer.forecasts) {
    forecasts.push_back({{"isa", forecast.isa},
                         {"elements", forecast.elements},
                         {"largest", forecast.largest},
                         {"defect", forecast.defect}});
  }
  return {{"name", layer.name},
          {"op", layer.op},
          {"kernel", layer.geometry},
          {"input", layer.input},
          {"output", layer.output},
          {"engine", layer.engine},
          {"path", layer.path},
          {"elements", layer.elements},
          {"differing", differing},
          {"forecasts", forecasts},
          {"wrong_sums", layer.wrong_sums},
          {"not_compared", layer.not_compared}};
}

Json operator_of(const OperatorReport& op) {
  Json threads = Json::array();
  for (const auto& [count, change] : op.with_threads) {
    Json entry{{"threads", count}};
    entry.update(value_differences_of(change));
    threads.push_back(std::move(entry));
  }
  return {{"name", op.name},
          {"op", op.op},
          {"inputs", op.inputs},
          {"output", op.output},
          {"elements", op.elements},
          {"shape_differs", op.shape_differs},
          {"prediction", value_differences_of(op.prediction)},
          {"specification", value_differences_of(op.specification)},
          {"with_threads", std::move(threads)}};
}

Json model_of(const ReportedModel& model) {
  Json layers = Json::array();
  for (const LayerReport& layer : model.layers) layers.push_back(layer_of(layer, model.columns));
  Json operators = Json::array();
  for (const OperatorReport& op : model.operators) operators.push_back(operator_of(op));
  return {{"layers", std::move(layers)}, {"operators", std::move(operators)}};
}

}  // namespace

std::string json(const Report& report) {
  Json document{{"format", "tieout-report"},
                {"version", kVersion},
                {"verdict", verdict(report)},
                {"exit_status", exit_status(report)},
                {"new_findings", report.new_findings()},
                {"new_differences", new_differences(report)},
                {"total", summary_of(report.total)}};
  document["runs"] = Json::array();
  for (const RunSummary& run : report.runs) document["runs"].push_back(run_of(run));
  document["findings"] = Json::array();
  for (const ReportedFinding& reported : report.findings) {
    document["findings"].push_back(finding_of(reported, report.total.causes));
  }
  document["gone"] = Json::array();
  for (const KnownFinding& known : report.resolved) document["gone"].push_back(known_entry(known));
  if (report.table) {
    document["table"] = {
        {"title", report.table->title}, {"columns", report.table->columns}, {"rows", report.table->rows}};
  }
  if (report.model) document["model"] = model_of(*report.model);
  // Bytes that are not UTF-8 become U+FFFD, so that the rest of an engine's message can be read.
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tieout
