#pragma once
// Computes the specification as fast as the machine allows: weights are packed once, activations are channels-last, and
// each instruction set has its own loops. The results equal those of conv_relu(), which shares no code with it; a
// property compares the two on every instruction set.

#include <cstdint>
#include <memory>
#include <span>

#include "cases/conv_case.h"
#include "cases/machine/cpu.h"

namespace tieout {

// A range of rows of one image's output. Rows are D' x H' flattened; each has W' x K numbers.
struct OutputRows {
  std::int64_t image = 0, first = 0, count = 0;
};

struct ConvPlan;

class PackedConv {
 public:
  // Packs the weights. spec: valid, with the bias, the same padding on both sides and an output of bytes. weight: K x
  // C/groups x kernel, as in ConvProblem. isa: one of simd_isas().
  PackedConv(const ConvCase& spec, std::span<const std::int8_t> weight, const Arithmetic& arithmetic,
             SimdIsa isa = best_simd_isa());

  // Computes some rows. x: the whole input, N x D x H x W x C (channels last). y: rows.count x W' x K. sums: nullptr,
  // or laid out as y: receives the int32 sums of the arithmetic without the zero points' contributions. May be called
  // from several threads at once.
  void run(const std::uint8_t* x, const OutputRows& rows, std::uint8_t* y, std::int32_t* sums = nullptr) const;

  // Computes the whole layer on `threads` threads. y: N x D' x H' x W' x K.
  void run(const std::uint8_t* x, std::uint8_t* y, int threads) const;

 private:
  std::shared_ptr<const ConvPlan> plan_;  // immutable, so that copies can share it
};

}  // namespace tieout
