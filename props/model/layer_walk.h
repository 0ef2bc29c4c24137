#pragma once
// Computes a captured layer a few rows of output at a time. Our kernel computes the rows with their integer sums, and
// while these are in the cache, the kernel's values and those of every hypothesis are compared with the operator's
// answer.

#include <map>
#include <memory>
#include <string>

#include "layers/layer_comparison.h"
#include "oracle/libtorch/model.h"

namespace tieout {

struct ComputedLayer {
  Mismatches kernel;
  // Its wrong_sums exclude elements at which the arithmetic saturates, because their sums may differ.
  LayerMismatches mismatches;
  ActivationRange range;
  PairExtremes extremes;
};

// Sums up processor time, seconds, by the names of parts.
using SecondsByPart = std::map<std::string, double>;

class LayerWalks {
 public:
  // States whether data that depends on the weights only is kept for the layer's next call, or dropped if none is
  // expected, so that the next layer can use the memory.
  enum class Weights { kept, dropped };

  // hypotheses: must outlive this object. most: the number of elements that each Mismatches keeps.
  LayerWalks(std::span<const Hypothesis* const> hypotheses, Weights weights, std::size_t most = Mismatches::kMost);
  ~LayerWalks();
  LayerWalks(const LayerWalks&) = delete;
  LayerWalks& operator=(const LayerWalks&) = delete;

  // Compares a layer with the operator's answer. arithmetic: the one that the operator follows. seconds: gets the time
  // of "weights, once a layer", "kernel" and "hypotheses".
  [[nodiscard]] ComputedLayer walk(const CapturedConv& captured, const Arithmetic& arithmetic, int threads,
                                   SecondsByPart& seconds);

 private:
  struct Prepared;
  struct Worker;
  Prepared& prepared(const CapturedConv& captured, const Arithmetic& arithmetic);

  std::span<const Hypothesis* const> hypotheses_;
  Weights weights_;
  std::size_t most_;
  // Kept so that their memory is used again.
  std::vector<std::unique_ptr<Worker>> workers_;
  // By the address of the weights.
  std::map<const std::int8_t*, std::unique_ptr<Prepared>> prepared_;
};

}  // namespace tieout
