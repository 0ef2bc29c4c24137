#pragma once
// One layer, measured: the packed kernel, FBGEMM and ONEDNN by turns, and the machine's peak among them.

#include <string>
#include <tl/expected.hpp>

#include "kernels/kernel_isa.h"
#include "oracle/libtorch.h"
#include "props/networks.h"
#include "reports/bench_report.h"

namespace tieout {

struct BenchOptions {
  double seconds = 0.01;  // of a repetition, at least
  int repetitions = 9;
  int threads = 1;
  KernelIsa isa = best_kernel_isa();  // ours
  Arithmetic::Products products = Arithmetic::Products::exact;
  Isa engines_isa = Isa::native;  // FBGEMM's
};

// Seconds are the least of the repetitions, which follow one another in random order: what else the machine does only
// adds to them, and hits all alike. Error: why an engine gave no answer.
[[nodiscard]] tl::expected<BenchLayer, std::string> bench_layer(const NetworkLayer& layer, LibTorch& reference,
                                                                const BenchOptions& options);

}  // namespace tieout
