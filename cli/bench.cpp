#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "cli/bench_layer.h"
#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/output_file.h"
#include "kernels/kernel_isa.h"

namespace tieout {
namespace {

struct Arguments {
  BenchOptions options;
  std::string network = "all", filter, json;
  int threads = 1;
};

// The layers that were asked for, each under its network's name; or nothing and why.
tl::expected<std::vector<Network>, std::string> chosen(const Arguments& arguments) {
  std::vector<Network> kept;
  try {
    const std::regex wanted(arguments.filter);
    for (Network& network : networks()) {
      if (arguments.network != "all" && arguments.network != network.name) continue;
      std::erase_if(network.layers, [&](const NetworkLayer& layer) {
        return !std::regex_search(std::string(network.name) + " " + layer.name, wanted);
      });
      if (!network.layers.empty()) kept.push_back(network);
    }
  } catch (const std::regex_error& error) {
    return tl::unexpected(fmt::format("must be a regular expression: {}", error.what()));
  }
  if (kept.empty()) return tl::unexpected(std::string("leaves no layer; without it, all are listed"));
  return kept;
}

tl::expected<BenchRun, std::string> measure(const std::vector<Network>& wanted, LibTorch& reference,
                                            const BenchOptions& options) {
  BenchRun run{.threads = options.threads};
  for (const Network& network : wanted) {
    if (options.threads == 1) fmt::print("{}\n", network.name);
    for (const NetworkLayer& layer : network.layers) {
      auto measured = bench_layer(layer, reference, options);
      if (!measured) return tl::unexpected(fmt::format("{} {}: {}", network.name, layer.name, measured.error()));
      measured->network = network.name;
      if (options.threads == 1) fmt::print("{}", bench_line(*measured));
      std::fflush(stdout);
      run.layers.push_back(*measured);
    }
  }
  return run;
}

int bench(const Arguments& arguments) {
  const auto wanted = chosen(arguments);
  if (!wanted) {
    fmt::print(stderr, "tieout bench: --filter: {}\n", wanted.error());
    return kBadUsage;
  }
  const auto loaded = libtorch();
  if (!loaded) {
    fmt::print(stderr, "tieout bench: there is nothing to measure against: LibTorch cannot be loaded: {}\n",
               loaded.error().message);
    return kNotVerified;
  }
  BenchReport report{.cpu = cpu_name(),
                     .libtorch = (*loaded)->version(),
                     .isa = name(best_kernel_isa()),
                     .seconds_each = arguments.options.seconds,
                     .repetitions = arguments.options.repetitions};
  fmt::print("{}", bench_head(report));
  for (int threads = 1; threads <= arguments.threads; ++threads) {
    BenchOptions options = arguments.options;
    options.threads = threads;
    auto run = measure(*wanted, **loaded, options);
    if (!run) {
      fmt::print(stderr, "tieout bench: {}\n", run.error());
      return kNotVerified;
    }
    report.runs.push_back(std::move(*run));
  }
  if (!arguments.json.empty()) {
    if (const auto written = write_file(arguments.json, bench_json(report)); !written) {
      fmt::print(stderr, "tieout bench: --json: {}\n", written.error());
      return kNotVerified;
    }
  }
  fmt::print("{}", bench_summary(report));
  const bool equal = std::all_of(report.runs.begin(), report.runs.end(), [](const BenchRun& run) {
    return std::all_of(run.layers.begin(), run.layers.end(), [](const BenchLayer& layer) { return layer.equal; });
  });
  return equal ? kEqual : kDifferent;
}

}  // namespace

void add_bench(CLI::App& app, int& exit_status) {
  auto* const command = app.add_subcommand(
      "bench", "Measure the packed kernels beside FBGEMM and ONEDNN on the convolutions of two networks, one image");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--network", arguments->network, "resnet50, mobilenet_v2 or all")
      ->check(CLI::IsMember({"resnet50", "mobilenet_v2", "all"}))
      ->capture_default_str();
  command->add_option("--filter", arguments->filter,
                      "Only the layers in whose 'network name' this regular expression is");
  command->add_option("--threads", arguments->threads, "Measure on 1 to this many threads, and say how each scales")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--min-time", arguments->options.seconds, "Seconds of a repetition, at least")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--repetitions", arguments->options.repetitions, "Of each; the least counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--json", arguments->json, "Write all figures to this file");
  command->callback([arguments, &exit_status] { exit_status = bench(*arguments); });
}

}  // namespace tieout
