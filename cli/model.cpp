#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cases/case_text.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "oracle/libtorch.h"
#include "props/model_verify.h"
#include "reports/finding_text.h"
#include "reports/model_text.h"

namespace tieout {
namespace {

struct Arguments {
  std::string model;
  std::vector<std::string> inputs;
  std::vector<std::string> hypotheses;
  std::vector<std::string> subjects;
  std::string engine = "fbgemm";
  int threads = 0;
  bool timing = false;
};

int refuse(const std::string& text) {
  fmt::print(stderr, "tieout model: {}\n", text);
  return kBadUsage;
}

int not_verified(const std::string& text) {
  fmt::print(stderr, "tieout model: {}\n", text);
  return kNotVerified;
}

int run_model(const Arguments& arguments) {
  const auto engine = from_name<Engine>("--engine", arguments.engine);
  if (!engine) return refuse(engine.error().text());
  ModelOptions options;
  options.layers.threads =
      arguments.threads > 0 ? arguments.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (arguments.hypotheses.empty()) {
    for (const Hypothesis& hypothesis : hypotheses()) {
      if (hypothesis.distance != Hypothesis::Distance::anywhere) options.layers.hypotheses.push_back(&hypothesis);
    }
  }
  for (const std::string& name : arguments.hypotheses) {
    const Hypothesis* const hypothesis = find_hypothesis(name);
    if (hypothesis == nullptr) return refuse("--hypothesis: there is no " + name);
    options.layers.hypotheses.push_back(hypothesis);
  }
  const auto reference = libtorch();
  if (!reference) return not_verified("LibTorch cannot be loaded: " + reference.error().message);
  auto model = (*reference)->open_model(arguments.model, *engine);
  if (!model) return refuse(arguments.model + ": " + model.error().message);
  std::vector<ModelInput> inputs;
  for (const std::string& file : arguments.inputs) {
    auto read = (*reference)->read_inputs(file);
    if (!read) return refuse(file + ": " + read.error().message);
    std::move(read->begin(), read->end(), std::back_inserter(inputs));
  }
  const auto report = verify_model(**model, inputs, options, **reference, [](const ModelProgress&) {});
  if (!report) return refuse(report.error().message);
  fmt::print("{}\n{}\n{}", layer_table(*report), forecast_text(*report), unverified_text(*report));
  for (const Finding& finding : report->run.findings) fmt::print("\n{}", finding_text(finding));
  if (arguments.timing) fmt::print("\n{}", timing_text(*report));
  fmt::print("\n{}", totals_text(*report));
  return exit_status(*report);
}

}  // namespace

void add_model(CLI::App& app, int& exit_status) {
  auto* const command = app.add_subcommand("model", "Verify every quantized convolution of a TorchScript model");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "The model's file. It is code, and is run: load only what you trust")
      ->required();
  command->add_option("--input", arguments->inputs, "What it is run on")->required();
  command->add_option("--hypothesis", arguments->hypotheses, "These hypotheses");
  command->add_option("--engine", arguments->engine, "Whom the weights are packed for")->capture_default_str();
  command->add_option("--threads", arguments->threads, "Of the verification");
  command->add_flag("--timing", arguments->timing, "Where the time went");
  command->callback([arguments, &exit_status] { exit_status = run_model(*arguments); });
}

}  // namespace tieout
