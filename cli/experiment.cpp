#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/options/report_outputs.h"
#include "cli/options/seed.h"
#include "kernels/conv_relu.h"
#include "oracle/engines/fbgemm_path.h"
#include "oracle/hypotheses/dequantized.h"
#include "oracle/libtorch/libtorch.h"
#include "props/campaign/given_cases.h"
#include "reports/text/document_text.h"

namespace tieout {
namespace {

enum class Details { hide, show };

Document document_of(const Experiment& e) {
  return {.tensors = {{"manual_output_1", e.manual_output_1.tensor, e.manual_output_1.grad_fn},
                      {"manual_output_2", e.manual_output_2.tensor, e.manual_output_2.grad_fn},
                      {"output produced by forward()", e.conv_output}},
          .differences = {{"manual_output_1", "conv_outputs", e.difference_1},
                          {"manual_output_2", "conv_outputs", e.difference_2}}};
}

// Returns true if shapes and values are equal. -0.0 and 0.0 count as different, because python prints them differently.
template <typename T>
bool same_bits(const Tensor<T>& a, const Tensor<T>& b) {
  return a.shape == b.shape && std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(),
                                          [](T x, T y) { return x == y && std::signbit(x) == std::signbit(y); });
}

// Compares a subject with the operator as numbers, so that values outside of 0..255 count with their full difference.
template <typename T>
std::string comparison(std::string_view subject, const Tensor<T>& actual, const Tensor<std::uint8_t>& expected) {
  std::size_t differing = 0;
  double largest = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const double distance = std::fabs(static_cast<double>(actual.values[i]) - static_cast<double>(expected.values[i]));
    if (distance != 0) ++differing;
    largest = std::max(largest, distance);
  }
  return fmt::format("{} and conv_outputs: {} of {} elements differ, largest difference {}\n", subject, differing,
                     expected.values.size(), largest);
}

std::string details_text(const Experiment& e, const Tensor<std::uint8_t>& kernel_output) {
  return document_text({.tensors = {{"output of the scalar kernel", kernel_output}}, .differences = {}}) +
         comparison("scalar kernel", kernel_output, e.conv_output) +
         comparison("manual_output_1", e.manual_output_1.tensor, e.conv_output) +
         comparison("manual_output_2", e.manual_output_2.tensor, e.conv_output) +
         // The script's expressions omit the operator's clamp, and values of its own set-up can exceed the range.
         comparison("manual_output_1, clamped to 0..255,", manual_output_1(e.problem), e.conv_output) +
         comparison("manual_output_2, clamped to 0..255,", manual_output_2(e.problem), e.conv_output) +
         "case: " + print(e.problem.spec) + "\n";
}

Arithmetic arithmetic_of(const ConvCase& c, const Hardware& hardware) {
  return fbgemm_arithmetic(fbgemm_path(c, hardware), c.execution.isa, hardware);
}

// Verifies the experiment's case as a run and writes its reports. Error: the exit status, after the reason has been
// printed.
tl::expected<void, int> write_experiment_reports(std::uint64_t seed, const Experiment& e, LibTorch& reference,
                                                 const ReportOutputs& outputs,
                                                 const std::vector<KnownFinding>& baseline) {
  GivenCases cases(fmt::format("tieout experiment --seed {}", seed), reference, nullptr, {});
  auto done = cases.verify(listed(e.problem)).and_then([&](const Verdict&) { return cases.end(true); });
  if (done) done = write_reports(outputs, make_report({cases.run()}, baseline));
  if (done) return {};
  return tl::unexpected(fail_command("experiment", kNotVerified, done.error()));
}

int experiment(std::uint64_t seed, Details details, const ReportOutputs& outputs,
               const std::vector<KnownFinding>& baseline) {
  const auto reference = load_libtorch("experiment");
  if (!reference) return reference.error();
  const auto e = (*reference)->experiment(seed);
  if (!e) {
    return fail_command("experiment", kNotVerified, "LibTorch refused: " + e.error().message);
  }
  fmt::print("{}", document_text(document_of(*e)));

  const Tensor<std::uint8_t> kernel_output =
      as_bytes(conv_relu(e->problem, arithmetic_of(e->problem.spec, (*reference)->hardware())));
  if (details == Details::show) fmt::print("{}", details_text(*e, kernel_output));
  // Checks LibTorch's results of the script's expressions against the project's own arithmetic, bit for bit.
  if (!same_bits(document_output_1(e->problem), e->manual_output_1.tensor) ||
      !same_bits(document_output_2(e->problem), e->manual_output_2.tensor)) {
    fmt::print(stderr,
               "tieout experiment: seed {}: LibTorch's manual_output_1 or 2 is not what "
               "oracle/hypotheses/dequantized.h makes of the same case: {}\n",
               seed, print(e->problem.spec));
    return kNotVerified;
  }
  const bool equal = kernel_output == e->conv_output;
  if (!equal) {
    fmt::print(stderr, "tieout experiment: seed {}: the scalar kernel differs from forward(); see --details\n", seed);
  }
  if (has_outputs(outputs)) {
    if (const auto written = write_experiment_reports(seed, *e, **reference, outputs, baseline); !written)
      return written.error();
  }
  return equal ? kEqual : kDifferent;
}

struct ExperimentArguments {
  std::optional<std::string> seed;
  bool details = false;
  ReportOutputs outputs;
};

int run_experiment(ExperimentArguments& arguments) {
  const auto baseline = prepare_reports(arguments.outputs);
  if (!baseline) return fail_command("experiment", kBadUsage, baseline.error());
  if (!arguments.seed) {
    arguments.seed = std::to_string(draw_seed());
    fmt::print(stderr, "to repeat this experiment: tieout experiment --seed {}\n", *arguments.seed);
  }
  const auto seed = parse_seed(*arguments.seed);
  if (!seed) return fail_command("experiment", kBadUsage, "--seed: " + seed.error());
  return experiment(*seed, arguments.details ? Details::show : Details::hide, arguments.outputs, *baseline);
}

}  // namespace

Command experiment_command() {
  Command command{.name = "experiment", .description = "The question's own experiment, as python prints it"};
  const auto arguments = std::make_shared<ExperimentArguments>();
  command.option("--seed", &arguments->seed, "Argument of torch.manual_seed() (default: drawn and printed)");
  command.option("--details", &arguments->details,
                 "Also print the output of the scalar kernel, the differences and the case");
  add_report_options(command, arguments->outputs);
  command.run = [arguments] { return run_experiment(*arguments); };
  return command;
}

}  // namespace tieout
