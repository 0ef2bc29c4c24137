#pragma once
// The specification, computed as fast as the machine allows: weights packed once, channels-last activations, loops for each
// instruction set. The same numbers as conv_relu() by other code: a property holds the two together, on every instruction set.

#include <cstdint>
#include <memory>
#include <span>

#include "cases/conv_case.h"
#include "kernels/kernel_isa.h"

namespace tieout {

// Rows of the output of one image: rows are D x H flattened, each W' x K numbers.
struct OutputRows {
  std::int64_t image = 0, first = 0, count = 0;
};

struct ConvPlan;

class PackedConv {
 public:
  // spec: valid. weight: K x C/groups x kernel, bias within the spec, as in ConvProblem. isa: one of kernel_isas().
  PackedConv(const ConvCase& spec, std::span<const std::int8_t> weight, const Arithmetic& arithmetic,
             KernelIsa isa = best_kernel_isa());

  // x: the whole input, N x D x H x W x C (channels last). y: rows.count x W' x K. sums: nullptr, or as y: the integer sums
  // as the arithmetic makes them, zero points taken out. May be called from many threads at once.
  void run(const std::uint8_t* x, const OutputRows& rows, std::uint8_t* y, std::int32_t* sums = nullptr) const;

  // A whole layer on `threads` threads. y: N x D' x H' x W' x K.
  void run(const std::uint8_t* x, std::uint8_t* y, int threads) const;

 private:
  std::shared_ptr<const ConvPlan> plan_;  // never changes, so that copies share it
};

}  // namespace tieout
