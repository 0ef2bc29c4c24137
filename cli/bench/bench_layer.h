#pragma once
// Measures the time of one layer by the packed kernel, FBGEMM and ONEDNN, and the machine's peak speed, for `tieout
// bench`. All four are measured in turns, so that disturbances affect them alike.

#include <string>
#include <tl/expected.hpp>

#include "cases/machine/cpu.h"
#include "cli/bench/benchmark_layers.h"
#include "oracle/libtorch/libtorch.h"
#include "reports/formats/bench_report.h"

namespace tieout {

struct BenchOptions {
  double seconds = 0.01;  // minimum duration of a repetition
  int repetitions = 9;
  int threads = 1;
  SimdIsa isa = best_simd_isa();  // instruction set of our kernel
  Arithmetic::Products products = Arithmetic::Products::exact;
  Isa engines_isa = Isa::native;  // instruction set of FBGEMM
};

// Returns the measurements and whether all three answers are equal. Each time is the minimum of the repetitions, which
// run in random order: other load on the machine only adds to a time, and affects all measurements alike. The result's
// `network` is left empty. Error: why an engine gave no answer.
[[nodiscard]] tl::expected<BenchLayer, std::string> bench_layer(const NetworkLayer& layer, LibTorch& reference,
                                                                const BenchOptions& options);

}  // namespace tieout
