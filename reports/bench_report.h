#pragma once
// What a benchmark measured, and how it is written: as a table, and as JSON.

#include <cstdint>
#include <string>
#include <vector>

namespace tieout {

struct BenchLayer {
  std::string network, name;
  int count = 0;                            // of such layers in the network
  std::int64_t multiply_adds = 0;           // of one
  double ours = 0, fbgemm = 0, onednn = 0;  // seconds for one
  double peak = 0;                          // multiply-adds a second, measured beside it
  bool equal = false;                       // whether all three gave the same bytes

  [[nodiscard]] double faster() const { return fbgemm < onednn ? fbgemm : onednn; }
  [[nodiscard]] double ratio() const { return faster() / ours; }
  [[nodiscard]] double share_of_peak() const { return static_cast<double>(multiply_adds) / ours / peak; }
  bool operator==(const BenchLayer&) const = default;
};

// The same layers on this many threads.
struct BenchRun {
  int threads = 1;
  std::vector<BenchLayer> layers;

  bool operator==(const BenchRun&) const = default;
};

struct BenchReport {
  std::string cpu, libtorch;
  std::string isa;          // ours, and what becomes of products where that is asked: "avx2, int16_pairs"
  std::string engines;      // theirs: "native", or the one that both are held to
  double seconds_each = 0;  // of a repetition, at least
  int repetitions = 0;
  std::vector<BenchRun> runs;  // the first on one thread

  bool operator==(const BenchReport&) const = default;
};

// Of the ratios to the faster of the two, each layer of each network as often as it occurs; 0 where there is none.
[[nodiscard]] double geometric_mean(const std::vector<BenchLayer>& layers);

// Head of the table and a line a layer; behind the last layer the networks' totals, the threads where several were measured, and
// as the last line `geometric mean against the faster of FBGEMM and ONEDNN: R`. At most 96 columns.
[[nodiscard]] std::string bench_head(const BenchReport& report);
[[nodiscard]] std::string bench_line(const BenchLayer& layer);
[[nodiscard]] std::string bench_summary(const BenchReport& report);

[[nodiscard]] std::string bench_json(const BenchReport& report);

}  // namespace tieout
