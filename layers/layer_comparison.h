#pragma once
// Compares a whole layer with many hypotheses at once, given the exact integer sums of a convolution kernel.
//
// Most hypotheses differ from the exact value by a few roundings only. They can give another output only if the exact
// value is near a tie, so they are evaluated only there, from the sums or, where the sums do not decide, literally.
// error_bounds.h derives how near. The sums are checked on the way (sum_check.h), so that they may come from an
// untrusted kernel.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cases/machine/cpu.h"
#include "layers/error_bounds.h"
#include "layers/mismatches.h"
#include "layers/saturating_pairs.h"
#include "oracle/hypotheses/hypothesis.h"

namespace tieout {

// The result of comparing one call of a layer.
struct LayerMismatches {
  // One for each hypothesis: exactly the elements at which evaluate() differs from the operator's answer.
  std::vector<Mismatches> hypotheses;
  // The elements whose sums, as passed in, were not the sum of (x - xz) * (w - wz).
  std::vector<OutputElement> wrong_sums;
  // The elements in whose windows a pair of neighbouring products leaves int16.
  std::vector<OutputElement> saturating;
  // The number of elements that find_candidates() did not discard: near a tie, or with another answer than the exact
  // value.
  std::int64_t looked_at = 0;
  // The number of literal sums of dequantized numbers that were computed for them.
  std::int64_t summed = 0;
};

// Compares the calls of one layer with a set of hypotheses, piece by piece, on one or several threads.
class LayerComparison {
 public:
  // Prepares everything that depends on the weights only. hypotheses, weight: must outlive this. weight: K x C/groups x
  // kernel. most: the number of elements that each Mismatches keeps.
  LayerComparison(std::span<const Hypothesis* const> hypotheses, const ConvCase& spec, const std::int8_t* weight,
                  std::size_t most = Mismatches::kMost, SimdIsa isa = best_simd_isa());
  ~LayerComparison();
  LayerComparison(const LayerComparison&) = delete;
  LayerComparison& operator=(const LayerComparison&) = delete;

  // Returns the extremes of the weights' pairs.
  [[nodiscard]] const PairExtremes& extremes() const;

  // The findings of one thread, which share nothing with other parts.
  class Part {
   public:
    Part();
    ~Part();
    Part(Part&&) noexcept;
    Part& operator=(Part&&) noexcept;

    void clear();  // keeps the memory for another call or layer

   private:
    friend class LayerComparison;
    struct State;
    std::unique_ptr<State> state_;
  };

  // Starts a call of the layer and returns the range of its activations, including padding. activation: N x D x H x W x
  // C, valid until the last piece of the call was passed to see().
  ActivationRange begin(const std::uint8_t* activation);

  // Compares the output positions first .. first + count of N x D' x H' x W', each with K numbers. May be called from
  // several threads, each with its own part.
  //   sums:   the kernel's int32 sums with zero points taken out; wrong ones are corrected in place
  //   answer: the operator's output
  void see(Part& part, std::int64_t first, std::int64_t count, std::int32_t* sums, const std::uint8_t* answer) const;

  // Returns the result of all pieces that the parts have seen. It does not depend on how the pieces were distributed.
  [[nodiscard]] LayerMismatches finish(std::span<const Part* const> parts) const;

 private:
  struct Layer;
  std::unique_ptr<Layer> layer_;
};

// Returns the same Mismatches by calling evaluate() on the whole output: slow, for tests. answer: the operator's, of
// output_shape().
[[nodiscard]] Mismatches compare_literally(const Hypothesis& hypothesis, const ConvProblem& problem,
                                           const Tensor<std::uint8_t>& answer);

}  // namespace tieout
