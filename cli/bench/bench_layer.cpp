#include "cli/bench/bench_layer.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "cases/contents.h"
#include "cases/layout.h"
#include "cases/machine/aligned.h"
#include "cases/text/case_text.h"
#include "cli/bench/least_seconds.h"
#include "kernels/packed/packed_conv.h"
#include "kernels/packed/peak.h"

namespace tieout {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

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
  const auto ours = [&] { conv.run(x_aligned.data(), y_aligned.data(), options.threads); };
  constexpr std::int64_t kRounds = 10'000;
  const auto multiply_all = [&] { return multiply_in_registers(options.isa, options.products, kRounds); };
  volatile std::int64_t products = 0;  // the compiler must not leave out the multiplications
  const auto least =
      least_seconds({ours, [&] { (*fbgemm)->run(); }, [&] { (*onednn)->run(); }, [&] { products = multiply_all(); }},
                    options.seconds, options.repetitions);

  const auto last = transposed((*fbgemm)->answer().y.values.data(), c.batch, c.out_channels, volume(output_size(c)));
  const bool equal =
      std::equal(last.begin(), last.end(), y_aligned.begin()) && (*fbgemm)->answer().y == (*onednn)->answer().y;
  return BenchLayer{.name = layer.name,
                    .count = layer.count,
                    .multiply_adds = outputs * reduction_length(c),
                    .ours = least[0],
                    .fbgemm = least[1],
                    .onednn = least[2],
                    .peak = static_cast<double>(products) / least[3],
                    .equal = equal};
}

}  // namespace tieout
