#pragma once
// Holds the measurements of `tieout bench` and formats them as a table and as JSON.

#include <cstdint>
#include <string>
#include <vector>

namespace tieout {

// The measurements of one layer.
struct BenchLayer {
  std::string network, name;
  int count = 0;                            // number of such layers in the network
  std::int64_t multiply_adds = 0;           // of one such layer
  double ours = 0, fbgemm = 0, onednn = 0;  // processing time of one layer in seconds
  double peak = 0;                          // multiply-adds per second, measured next to the layer
  bool equal = false;                       // true if all three gave the same bytes

  [[nodiscard]] double faster() const { return fbgemm < onednn ? fbgemm : onednn; }
  [[nodiscard]] double ratio() const { return faster() / ours; }
  [[nodiscard]] double share_of_peak() const { return static_cast<double>(multiply_adds) / ours / peak; }
  bool operator==(const BenchLayer&) const = default;
};

// Measurements of the same layers on a number of threads.
struct BenchRun {
  int threads = 1;
  std::vector<BenchLayer> layers;

  bool operator==(const BenchRun&) const = default;
};

struct BenchReport {
  std::string cpu, libtorch;
  // Our instruction set and, where it is chosen, the kind of products: "avx2, int16_pairs".
  std::string isa;
  // The engines' instruction set: "native", or the one that both are limited to.
  std::string engines;
  double seconds_each = 0;  // minimum duration of a repetition, seconds
  int repetitions = 0;
  std::vector<BenchRun> runs;  // the first one is on one thread

  bool operator==(const BenchReport&) const = default;
};

// Returns the geometric mean of each layer's speed relative to the faster engine, with each layer weighted by its
// number in the network; 0 if there are no layers.
[[nodiscard]] double geometric_mean(const std::vector<BenchLayer>& layers);

// The parts of the table, at most 96 columns wide: its head, a line for a layer, and the summary. The summary contains
// the totals of the networks, the scaling if several numbers of threads were measured, and the last line `geometric
// mean against the faster of FBGEMM and ONEDNN: R`.
[[nodiscard]] std::string bench_head(const BenchReport& report);
[[nodiscard]] std::string bench_line(const BenchLayer& layer);
[[nodiscard]] std::string bench_summary(const BenchReport& report);

// Returns the report as JSON; speeds are seconds per layer.
[[nodiscard]] std::string bench_json(const BenchReport& report);

}  // namespace tieout
