#pragma once
// A captured layer, a few rows of its output at a time: our kernel computes them with their integer sums, while those are in the
// cache they are compared with the operator's answer, by the kernel and by every hypothesis.

#include <map>
#include <string>

#include "oracle/compare.h"
#include "oracle/model.h"

namespace tieout {

struct WalkedLayer {
  Disagreement kernel;
  LayerOpinion opinion;  // wrong_sums: without those in which the arithmetic saturates, as it may
  ActivationRange range;
  PairExtremes extremes;
};

// arithmetic: what the operator follows. seconds: processor time of "kernel" and "hypotheses" is added.
[[nodiscard]] WalkedLayer walk_layer(const CapturedConv& captured, const Arithmetic& arithmetic,
                                     std::span<const Hypothesis* const> hypotheses, int threads,
                                     std::map<std::string, double>& seconds);

}  // namespace tieout
