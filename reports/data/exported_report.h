#pragma once
// Defines the result of verifying an exported program as plain data. Each quantized layer has three answers to the same
// inputs: the exported program's own, computed in floats; the one of the operator that the layer is lowered to; and
// that of eager quantization's operator.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cases/tensor.h"
#include "reports/data/model_report.h"
#include "reports/data/run_summary.h"

namespace tieout {

enum class ExportedWay { exported, lowered, eager };
inline constexpr std::size_t kExportedWays = 3;

// How two answers differ.
struct AnswerDifference {
  std::int64_t elements = 0;  // number of elements compared
  std::int64_t differing = 0;
  double largest = 0;  // in output steps; of float32 results: in real units
  std::map<std::string, std::int64_t> causes;

  bool operator==(const AnswerDifference&) const = default;
};

struct ExportedLayerReport {
  std::string name;      // in the model
  std::string op;        // "conv2d", "linear"
  std::string geometry;  // "k3x3 s2x2"; "" for a linear layer
  Shape output;
  std::string result;        // "uint8", "int8" or "float32"
  std::string lowered_to;    // "qconv_pointwise relu"; "" if the layer is not lowered
  std::string not_lowered;   // the reason why not
  std::string remark;        // on a layer that is lowered: why its result is float32
  std::string no_eager;      // the reason why eager quantization has no counterpart
  std::string not_compared;  // the reason why the answers are not analysed; else empty
  // Why the lowered operator's answer is checked by error bounds only; empty: it is predicted bit for bit.
  std::string lowered_bounds;
  std::int64_t elements = 0;

  AnswerDifference lowered;   // from exported
  AnswerDifference eager;     // from exported
  AnswerDifference migrated;  // lowered from eager
  // Number of elements that a CPU without VNNI would answer differently; 0 if this one has none.
  std::int64_t without_vnni = 0;
  // A case, cut out of the layer, on which the exported program and the eager engine differ; "": none was found.
  std::string example;
  // By way: number of elements whose answer nothing explains.
  std::array<std::int64_t, kExportedWays> unexplained{};
};

// An implementation or hypothesis that is compared with all three answers.
struct ExportedColumn {
  Column::Kind kind = Column::Kind::kernel;
  std::string name;
  std::int64_t elements = 0;                            // number of elements compared
  std::array<std::int64_t, kExportedWays> differing{};  // by way; only layers that have all three answers
  std::int64_t not_answered = 0;                        // number of layers
  bool shown = true;                                    // whether texts have a row for it

  // True if it reproduces one of the three answers in all layers.
  [[nodiscard]] bool reproduces_one() const { return differing[0] == 0 || differing[1] == 0 || differing[2] == 0; }
};

struct ExportedReport {
  std::string torch_version;  // that exported the program
  std::string eager_engine;   // "fbgemm"
  bool vnni = false;          // whether this CPU has VNNI, or is held to code that has it
  std::int64_t inputs = 0;
  std::vector<ExportedLayerReport> layers;  // of the program, in order; also those that are not quantized
  std::vector<ExportedColumn> columns;
  std::map<std::string, std::int64_t> float_operators;  // nodes that no quantized operator computes, once lowered
  std::vector<Spread> ends;                             // effect of each way on the program's output
  RunSummary run;  // the same results as of every run; a case is a call of a quantized layer
};

// Returns the number of elements of a way that nothing explains.
[[nodiscard]] inline std::int64_t unexplained(const ExportedReport& report) {
  std::int64_t sum = 0;
  for (const ExportedLayerReport& layer : report.layers) {
    for (const std::int64_t elements : layer.unexplained) sum += elements;
  }
  return sum;
}

}  // namespace tieout
