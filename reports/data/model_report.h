#pragma once
// The result of verifying a whole model, by layer and by subject. It is plain data, filled by the verification and
// formatted by the report formats.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cases/tensor.h"
#include "reports/data/run_summary.h"

namespace tieout {

// A column's complete output of a layer, compared with the answer of the model's own operator.
struct ColumnCounts {
  std::int64_t differing = 0;  // number of elements that differ
  int largest = 0;             // maximum of |actual - expected|, in output steps
  // Number of the differing elements by class (mismatch_class.h); of a subject by cause, "cause 1", or kUnexplained.
  std::map<std::string, std::int64_t> by_class;

  bool operator==(const ColumnCounts&) const = default;
};

// Whether neighbouring products can leave int16 where their sum is computed in 16 bits.
enum class PairSaturation {
  never,     // with these weights, no activations of 0..255 leave int16
  unused,    // some activations would, but those seen are too small
  possible,  // two of the largest activation seen would; CpuForecast has how many elements change
};

// The changes predicted for a CPU with another instruction set.
struct CpuForecast {
  std::string isa;            // "avx2"
  std::int64_t elements = 0;  // number of the layer's output elements that would change
  int largest = 0;            // maximum change
  std::string defect;         // id of LibTorch's known defect there; then nothing else is predicted

  bool operator==(const CpuForecast&) const = default;
};

struct LayerReport {
  std::string name;      // name of the layer in the model
  std::string op;        // "conv2d_relu"
  std::string geometry;  // "k3x3 s2x2 p1x1 g32"
  Shape input, output;
  std::string engine, path;
  PairSaturation saturation = PairSaturation::never;
  int largest_activation = 0;   // stored value
  std::int64_t elements = 0;    // number of elements compared, over all inputs
  std::int64_t wrong_sums = 0;  // number of the kernel's integer sums that are wrong, whether or not the output differs
  std::vector<ColumnCounts> columns;   // in the order of ModelReport::columns
  std::vector<CpuForecast> forecasts;  // only instruction sets with a change
  std::string not_compared;  // the reference's known defect, or another reason why nothing was compared; else empty
};

// The elements at which two outputs of an operator differ.
struct ValueDifferences {
  std::int64_t elements = 0;
  int largest = 0;  // maximum difference, in output steps; of floats 1
  // The first of them: its offset, row-major, and both values; of floats their bits.
  std::int64_t first_offset = 0;
  std::int32_t first_expected = 0, first_actual = 0;

  bool operator==(const ValueDifferences&) const = default;
};

// The calls of one quantized operator other than a convolution or a linear layer.
struct OperatorReport {
  std::string name;  // "layer1.0.skip.add_relu", or "add_relu@3" if the model has no names
  std::string op;    // "quantized::add_relu"
  std::vector<Shape> inputs;
  Shape output;
  std::int64_t elements = 0;       // number of elements compared, over all inputs
  bool shape_differs = false;      // the output has not the predicted shape: nothing was compared
  ValueDifferences prediction;     // LibTorch's output against the prediction of it
  ValueDifferences specification;  // LibTorch's output against the operator's specification
  // By LibTorch's number of threads: what would change.
  std::map<int, ValueDifferences> with_threads;

  [[nodiscard]] bool differs() const { return shape_differs || prediction.elements > 0; }
};

// An implementation or hypothesis that is compared with the model's operators.
struct Column {
  enum class Kind { kernel, hypothesis, subject } kind = Kind::kernel;
  std::string name;
  std::int64_t answered = 0;   // number of calls of layers that it answered
  std::int64_t differing = 0;  // number of these in which it differs
};

// The effect of a difference on the model's output: the model was run with a column's output in place of a layer's own.
struct Spread {
  std::string column;          // whose output was used; "2 threads" and "avx2": LibTorch's, as it is predicted there
  std::string layer;           // name of the layer, or "all layers"
  std::int64_t replaced = 0;   // number of that layer's output elements that changed
  std::int64_t differing = 0;  // number of the model's output elements that differ
  std::int64_t elements = 0;
  double largest = 0;             // maximum difference of these
  std::int64_t top1_changed = 0;  // number of rows of the first output whose largest element changed
  std::int64_t rows = 0;
};

// An operator's call whose recorded output differs from LibTorch's.
struct ComparedCall {
  std::string name;
  std::string op;
  std::int64_t elements = 0;
  ValueDifferences found;  // expected: LibTorch's value; actual: the recorded one
  // The implementations whose output for LibTorch's input is the recorded one; filled for the first call that differs.
  std::vector<std::string> equal_to;
};

// The outputs of a network's operators compared with recorded ones.
struct ComparedTensors {
  std::int64_t compared = 0, elements = 0;
  std::vector<ComparedCall> differing;  // in the order in which the network runs
  std::vector<std::string> missing;     // files that the folder does not have
  std::vector<std::string> unreadable;  // files that cannot be compared, each with the reason
};

struct ModelReport {
  std::vector<Column> columns;
  std::vector<LayerReport> layers;                 // in the order in which the model runs them
  std::vector<OperatorReport> operators;           // in the order in which the model runs them
  std::map<std::string, std::int64_t> unverified;  // calls of quantized operators that are not verified
  std::vector<Spread> spreads;
  std::optional<ComparedTensors> recorded;  // with --compare
  RunSummary run;                           // the same results as of every run; a case is a call of a layer

  std::int64_t inputs = 0;
  std::int64_t not_finite = 0;                    // number of elements of the inputs that are NaN or infinite
  double forward_seconds = 0;                     // processor time of the model alone, fastest run on one thread
  std::map<std::string, double> seconds_by_part;  // time of the verification by part
};

}  // namespace tieout
