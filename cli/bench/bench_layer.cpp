#include "cli/bench/bench_layer.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include "cases/contents.h"
#include "cases/layout.h"
#include "cases/machine/aligned.h"
#include "cases/text/case_text.h"
#include "kernels/packed/packed_conv.h"
#include "kernels/packed/peak.h"

namespace tieout {
namespace {

constexpr const char* kOurs = "ours";
constexpr const char* kPeak = "peak";

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// Keeps the minimum seconds of an iteration, by the benchmark's name.
class Least final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      const auto [at, added] = seconds_.try_emplace(run.run_name.function_name, std::numeric_limits<double>::max());
      at->second = std::min(at->second, run.real_accumulated_time / static_cast<double>(run.iterations));
    }
  }
  [[nodiscard]] double seconds(const char* name) const {
    const auto at = seconds_.find(name);
    return at == seconds_.end() ? 0 : at->second;
  }

 private:
  std::map<std::string, double> seconds_;
};

template <typename Work>
void add(const char* name, const BenchOptions& options, const Work& work) {
  benchmark::RegisterBenchmark(name,
                               [&work](benchmark::State& state) {
                                 for (auto _ : state) work();
                               })
      ->MinTime(options.seconds)
      ->Repetitions(options.repetitions)
      ->UseRealTime();
}

void initialize_once() {
  static const bool done = [] {
    std::string program = "tieout", interleaving = "--benchmark_enable_random_interleaving=true";
    std::vector<char*> arguments{program.data(), interleaving.data(), nullptr};
    int count = 2;
    benchmark::Initialize(&count, arguments.data());
    return true;
  }();
  static_cast<void>(done);
}

tl::expected<std::unique_ptr<PreparedConv>, std::string> prepare(LibTorch& reference, ConvProblem problem,
                                                                 Engine engine, const BenchOptions& options) {
  Execution& execution = problem.spec.execution;  // the memory format stays that of the layer
  execution.engine = engine;
  execution.isa = options.engines_isa;
  execution.threads = options.threads;
  auto prepared = reference.prepare(problem);
  if (!prepared) return tl::unexpected(std::string(name(engine)) + ": " + prepared.error().message);
  return std::move(*prepared);
}

}  // namespace

tl::expected<BenchLayer, std::string> bench_layer(const NetworkLayer& layer, LibTorch& reference,
                                                  const BenchOptions& options) {
  initialize_once();
  const ConvProblem problem = with_contents(layer.spec);
  const ConvCase& c = problem.spec;
  const auto fbgemm = prepare(reference, problem, Engine::fbgemm, options);
  if (!fbgemm) return tl::unexpected(fbgemm.error());
  const auto onednn = prepare(reference, problem, Engine::onednn, options);
  if (!onednn) return tl::unexpected(onednn.error());

  const PackedConv conv(c, problem.weight, {.products = options.products}, options.isa);
  const auto x = transposed(problem.activation.data(), c.batch, c.in_channels, volume(c.input));
  const std::int64_t outputs = element_count(output_shape(c));
  // LibTorch's own tensors begin at a cache line, so ours do too.
  const AlignedVector<std::uint8_t> x_aligned(x.begin(), x.end());
  AlignedVector<std::uint8_t> y_aligned(size(outputs));
  const auto ours = [&] {
    conv.run(x_aligned.data(), y_aligned.data(), options.threads);
    benchmark::ClobberMemory();
  };
  constexpr std::int64_t kRounds = 10'000;
  const auto multiply_all = [&] { return multiply_in_registers(options.isa, options.products, kRounds); };
  const auto multiply = [&] { benchmark::DoNotOptimize(multiply_all()); };
  const auto run_fbgemm = [&] { (*fbgemm)->run(); };
  const auto run_onednn = [&] { (*onednn)->run(); };
  const std::string fbgemm_name(name(Engine::fbgemm)), onednn_name(name(Engine::onednn));
  add(kOurs, options, ours);
  add(fbgemm_name.c_str(), options, run_fbgemm);
  add(onednn_name.c_str(), options, run_onednn);
  add(kPeak, options, multiply);
  Least least;
  benchmark::RunSpecifiedBenchmarks(&least);
  benchmark::ClearRegisteredBenchmarks();

  const auto last = transposed((*fbgemm)->answer().y.values.data(), c.batch, c.out_channels, volume(output_size(c)));
  const bool equal =
      std::equal(last.begin(), last.end(), y_aligned.begin()) && (*fbgemm)->answer().y == (*onednn)->answer().y;
  return BenchLayer{.name = layer.name,
                    .count = layer.count,
                    .multiply_adds = outputs * reduction_length(c),
                    .ours = least.seconds(kOurs),
                    .fbgemm = least.seconds(fbgemm_name.c_str()),
                    .onednn = least.seconds(onednn_name.c_str()),
                    .peak = static_cast<double>(multiply_all()) / least.seconds(kPeak),
                    .equal = equal};
}

}  // namespace tieout
