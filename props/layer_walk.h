#pragma once
// A captured layer, a few rows of its output at a time: our kernel computes them with their integer sums, while those are in the
// cache they are compared with the operator's answer, by the kernel and by every hypothesis.

#include <map>
#include <memory>
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

// Processor time, added up under the names of parts.
using SecondsByPart = std::map<std::string, double>;

class LayerWalks {
 public:
  // What depends on the weights only: kept for the layer's next call, or, where none is expected, not: its memory is the next
  // layer's then.
  enum class Weights { kept, dropped };

  // hypotheses: outlive this. most: how many elements of each Disagreement are kept.
  LayerWalks(std::span<const Hypothesis* const> hypotheses, Weights weights, std::size_t most = Disagreement::kMost);
  ~LayerWalks();
  LayerWalks(const LayerWalks&) = delete;
  LayerWalks& operator=(const LayerWalks&) = delete;

  // arithmetic: what the operator follows. seconds: of "weights, once a layer", "kernel" and "hypotheses".
  [[nodiscard]] WalkedLayer walk(const CapturedConv& captured, const Arithmetic& arithmetic, int threads,
                                 SecondsByPart& seconds);

 private:
  struct Prepared;
  struct Worker;
  Prepared& prepared(const CapturedConv& captured, const Arithmetic& arithmetic);

  std::span<const Hypothesis* const> hypotheses_;
  Weights weights_;
  std::size_t most_;
  std::vector<std::unique_ptr<Worker>> workers_;                      // their memory is used again
  std::map<const std::int8_t*, std::unique_ptr<Prepared>> prepared_;  // by where the weights lie
};

}  // namespace tieout
