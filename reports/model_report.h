#pragma once
// What the verification of a whole model found: layer by layer, subject by subject. Plain data, filled by those who compute,
// formatted by the sinks.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cases/tensor.h"
#include "reports/run_summary.h"

namespace tieout {

// Somebody's whole output of a layer, compared with what the model's own operator answered.
struct ColumnCounts {
  std::int64_t differing = 0;                    // elements
  int largest = 0;                               // of |actual - expected|, in output steps
  std::map<std::string, std::int64_t> by_class;  // of those differing: oracle/difference_class.h

  bool operator==(const ColumnCounts&) const = default;
};

// Whether neighbours in the reduction can leave int16, where they are added in 16 bits.
enum class PairSaturation {
  never,     // by these weights no activations of 0..255 do
  unused,    // some would; the activations seen do not reach them
  possible,  // two of the largest activation seen would: how many do is CpuForecast
};

// What would change on a CPU with another instruction set.
struct CpuForecast {
  std::string isa;            // "avx2"
  std::int64_t elements = 0;  // of the layer's output that would be another number
  int largest = 0;            // by how much
  std::string defect;         // LibTorch's, by its id: then nothing else is foretold

  bool operator==(const CpuForecast&) const = default;
};

struct LayerReport {
  std::string name;      // of the layer in the model
  std::string op;        // "conv2d_relu"
  std::string geometry;  // "k3x3 s2x2 p1x1 g32"
  Shape input, output;
  std::string engine, path;
  PairSaturation saturation = PairSaturation::never;
  int largest_activation = 0;          // as stored
  std::int64_t elements = 0;           // compared, of every input
  std::int64_t wrong_sums = 0;         // of the kernel: not the integers that they should be, whatever became of them
  std::vector<ColumnCounts> columns;   // as ModelReport::columns
  std::vector<CpuForecast> forecasts;  // only those in which something changes
  std::string mistrusted;              // the reference's known defect, or why else nothing was compared; else empty
};

struct Column {
  enum class Kind { kernel, hypothesis, subject } kind = Kind::kernel;
  std::string name;
  std::int64_t answered = 0;  // layers' calls
};

// The model run on with a column's output in the place of its own, and what that did to what forward() returns.
struct Spread {
  std::string column;
  std::string layer;           // or "all layers"
  std::int64_t replaced = 0;   // elements of that layer's output that were others
  std::int64_t differing = 0;  // elements of the model's output
  std::int64_t elements = 0;
  double largest = 0;             // difference of them
  std::int64_t top1_changed = 0;  // rows of the first output whose largest element is another one
  std::int64_t rows = 0;
};

struct ModelReport {
  std::vector<Column> columns;
  std::vector<LayerReport> layers;                 // in the order in which the model runs them
  std::map<std::string, std::int64_t> unverified;  // quantized operators that are not verified here: calls
  std::vector<Spread> spreads;
  RunSummary run;  // the same in the words of every run: a case is a layer's call

  std::int64_t inputs = 0;
  std::int64_t not_finite = 0;                    // elements of the inputs: NaN or infinite
  double forward_seconds = 0;                     // processor time of the model alone, on one thread, its fastest run
  std::map<std::string, double> seconds_by_part;  // where the time of the verification went
};

}  // namespace tieout
