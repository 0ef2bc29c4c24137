#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "cases/machine/cpu.h"
#include "cases/machine/cpu_name.h"
#include "cases/text/case_words.h"
#include "cli/bench/bench_cases.h"
#include "cli/bench/bench_layer.h"
#include "cli/bench/bench_shards.h"
#include "cli/common/call_files.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/common/standard_output.h"
#include "oracle/libtorch/libtorch_isa_limit.h"

namespace tieout {
namespace {

struct Arguments {
  BenchOptions options;
  std::string network = "all", filter, json, isa, products;
  int threads = 1;
  std::int64_t cases = 0;   // number of random cases; 0: layers are measured
  std::int64_t shards = 0;  // maximum number of shards; 0: no campaign is measured
};

// Returns the networks with the layers that --network and --filter select. Error: why there are none.
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

tl::expected<SimdIsa, std::string> simd_isa_of(const Arguments& arguments) {
  if (arguments.isa.empty()) return best_simd_isa();
  std::string all;
  for (const SimdIsa isa : simd_isas()) {
    if (arguments.isa == name(isa)) return isa;
    all += std::string(all.empty() ? "" : ", ") + name(isa);
  }
  return tl::unexpected(fmt::format("this CPU has no {}: it can run {}", arguments.isa, all));
}

// Returns the instruction set that LibTorch's engines are limited to: with --isa that of our kernel, but at least AVX2,
// because not both engines can be limited further.
Isa engines_isa_of(const Arguments& arguments, SimdIsa ours) {
  if (arguments.isa.empty()) return Isa::native;
  switch (ours) {
    case SimdIsa::portable:
    case SimdIsa::avx2: return Isa::avx2;
    case SimdIsa::avx512: return Isa::avx512;
    case SimdIsa::avx512_vnni: return Isa::avx512_vnni;
  }
  return Isa::native;
}

const char* name(Arithmetic::Products products) {
  return products == Arithmetic::Products::exact ? "exact" : "int16_pairs";
}

// Returns the kind of products. The default is what FBGEMM's pointwise and im2col code does with these instructions.
Arithmetic::Products products_of(const Arguments& arguments, SimdIsa ours) {
  using Products = Arithmetic::Products;
  if (!arguments.products.empty()) return arguments.products == "exact" ? Products::exact : Products::int16_pairs;
  return ours == SimdIsa::avx512_vnni ? Products::exact : Products::int16_pairs;
}

tl::expected<BenchRun, std::string> measure_networks(const std::vector<Network>& wanted, LibTorch& reference,
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

// Measures the layers of `wanted` with every number of threads, prints the tables and writes the JSON. Returns the exit
// status.
int bench_networks(const Arguments& arguments, const std::vector<Network>& wanted, LibTorch& reference,
                   BenchOptions options) {
  BenchReport report{.cpu = cpu_name(),
                     .libtorch = reference.version(),
                     .isa = fmt::format("{}, {} products", name(options.isa), name(options.products)),
                     .engines = std::string(name(options.engines_isa)),
                     .seconds_each = options.seconds,
                     .repetitions = options.repetitions};
  fmt::print("{}", bench_head(report));
  for (int threads = 1; threads <= arguments.threads; ++threads) {
    options.threads = threads;
    auto run = measure_networks(wanted, reference, options);
    if (!run) {
      fmt::print(stderr, "tieout bench: {}\n", run.error());
      return kNotVerified;
    }
    report.runs.push_back(std::move(*run));
  }
  if (!arguments.json.empty()) {
    const std::string json = bench_json(report);
    if (const auto written = write_output(arguments.json, json); !written) {
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

int bench(const Arguments& arguments) {
  const auto wanted = chosen(arguments);
  if (!wanted) {
    fmt::print(stderr, "tieout bench: --filter: {}\n", wanted.error());
    return kBadUsage;
  }
  if (const auto prepared = prepare_output("--json", arguments.json); !prepared) {
    fmt::print(stderr, "tieout bench: {}\n", prepared.error());
    return kBadUsage;
  }
  const auto ours = simd_isa_of(arguments);
  if (!ours) {
    fmt::print(stderr, "tieout bench: --isa: {}\n", ours.error());
    return kNotVerified;
  }
  const Isa theirs = engines_isa_of(arguments, *ours);
  const auto before_loading = std::chrono::steady_clock::now();
  const Waiting waiting = arguments.cases > 0 ? Waiting::asleep : Waiting::spinning;  // as in campaigns
  const auto loaded = theirs == Isa::native ? libtorch(waiting) : libtorch_held_to(theirs);
  if (!loaded) {
    return fail_command("bench", kNotVerified, "there is nothing to measure against: " + load_error(loaded.error()));
  }
  const std::chrono::duration<double> load = std::chrono::steady_clock::now() - before_loading;
  if (arguments.cases > 0) {
    fmt::print("LibTorch {} on {}\n", (*loaded)->version(), cpu_name());
    const auto done = arguments.shards > 0 ? bench_shards(**loaded, arguments.cases, arguments.shards, load.count())
                                           : bench_cases(**loaded, arguments.cases);
    if (!done) fmt::print(stderr, "tieout bench: {}\n", done.error());
    return done ? kEqual : kNotVerified;
  }
  BenchOptions options = arguments.options;
  options.isa = *ours;
  options.products = products_of(arguments, *ours);
  options.engines_isa = theirs;
  return bench_networks(arguments, *wanted, **loaded, options);
}

}  // namespace

Command bench_command() {
  Command command{
      .name = "bench",
      .description =
          "Measure the packed kernels beside FBGEMM and ONEDNN on the convolutions of two networks, one image"};
  const auto arguments = std::make_shared<Arguments>();
  command.option("--network", &arguments->network, "Network whose layers are measured: resnet50, mobilenet_v2 or all",
                 {.check = one_of({"resnet50", "mobilenet_v2", "all"}), .show_default = true});
  command.option("--filter", &arguments->filter,
                 "Regular expression; only layers whose 'network name' matches are measured");
  command.option("--threads", &arguments->threads,
                 "Maximum number of threads; measures from 1 to this number and prints the scaling",
                 {.check = whole_number(1, 256), .show_default = true});
  command.option("--isa", &arguments->isa,
                 "Instruction set of our kernel, FBGEMM and ONEDNN (default: the best of each)",
                 {.check = one_of({"portable", "avx2", "avx512", "avx512_vnni"})});
  command.option(
      "--products", &arguments->products,
      "Sums of our kernel: exact, or int16_pairs that saturate (default: as FBGEMM with this instruction set)",
      {.check = one_of({"exact", "int16_pairs"})});
  command.option("--min-time", &arguments->options.seconds, "Minimum duration of a repetition, seconds",
                 {.check = positive_number(), .show_default = true});
  command.option("--repetitions", &arguments->options.repetitions, "Number of repetitions; the fastest counts",
                 {.check = whole_number(1, 1000), .show_default = true});
  command.option("--json", &arguments->json, "File for all figures, as JSON; -: standard output", {.type = "FILE"});
  command.option("--cases", &arguments->cases,
                 "Number of random cases to measure instead of layers, compared with LibTorch's own time",
                 {.check = whole_number(1, std::int64_t{10'000'000}), .excludes = {"--json"}});
  command.option("--shards", &arguments->shards,
                 "With --cases: maximum number of shards of a campaign; prints what 1 to this number would take",
                 {.check = whole_number(1, std::int64_t{1} << 20), .needs = {"--cases"}});
  command.run = [arguments] { return bench(*arguments); };
  return command;
}

}  // namespace tieout
