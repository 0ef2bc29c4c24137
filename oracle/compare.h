#pragma once
// Whole layers against many hypotheses at once, from the integer sums of somebody's convolution.
//
// Most hypotheses are the exact value and a few roundings: they can say otherwise than it only near a tie, and only there they
// are evaluated, by the sums or, where those do not decide, literally. How near is derived in channel_bounds.h. The sums are
// proven on the way (sum_proof.h), so that whose they are does not matter.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "oracle/channel_bounds.h"
#include "oracle/disagreement.h"
#include "oracle/hypothesis.h"
#include "oracle/saturating_pairs.h"
#include "oracle/vector_isa.h"

namespace tieout {

struct LayerOpinion {
  std::vector<Disagreement> hypotheses;   // exactly what evaluate() gives for each, compared with the answer
  std::vector<OutputElement> wrong_sums;  // of those handed in: not the sum of (x - xz) * (w - wz)
  std::vector<OutputElement> saturating;  // in whose windows a pair of neighbouring products leaves int16
  std::int64_t looked_at = 0;  // elements that were near enough to a tie for anybody, by some more roundings or less
  std::int64_t summed = 0;     // of those: sums of dequantized numbers that were computed
};

class LayerComparison {
 public:
  // What depends on the weights is worked out here, once for every call of the layer. weight: K x C/groups x kernel, outlives
  // this, as the hypotheses do. most: how many elements of each Disagreement are kept.
  LayerComparison(std::span<const Hypothesis* const> hypotheses, const ConvCase& spec, const std::int8_t* weight,
                  std::size_t most = Disagreement::kMost, VectorIsa isa = best_vector_isa());
  ~LayerComparison();
  LayerComparison(const LayerComparison&) = delete;
  LayerComparison& operator=(const LayerComparison&) = delete;

  [[nodiscard]] const PairExtremes& extremes() const;  // of the weights

  // One thread's findings so far; nothing is shared.
  class Part {
   public:
    Part();
    ~Part();
    Part(Part&&) noexcept;
    Part& operator=(Part&&) noexcept;

    void clear();  // its memory stays, for another call or layer

   private:
    friend class LayerComparison;
    struct State;
    std::unique_ptr<State> state_;
  };

  // A call of the layer: N x D x H x W x C, which stay until the last piece is seen. What range they have.
  ActivationRange begin(const std::uint8_t* activation);

  // The output positions first .. first + count of N x D' x H' x W', each K numbers. sums: zero points taken out, int32;
  // wrong ones are put right in place. answer: the operator's. Several threads may, each with a part of its own.
  void see(Part& part, std::int64_t first, std::int64_t count, std::int32_t* sums, const std::uint8_t* answer) const;

  // Of all that was seen. The same whatever the parts were.
  [[nodiscard]] LayerOpinion finish(std::span<const Part* const> parts) const;

 private:
  struct Layer;
  std::unique_ptr<Layer> layer_;
};

// What evaluate() gives: slow, and what LayerComparison is tested against. answer: the operator's, of output_shape().
[[nodiscard]] Disagreement compare_literally(const Hypothesis& hypothesis, const ConvProblem& problem,
                                             const Tensor<std::uint8_t>& answer);

}  // namespace tieout
