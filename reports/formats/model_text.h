#pragma once
// Formats the verification of a model as plain text: a table by layer, what is not verified, what could change on
// another CPU, and totals.

#include <string>

#include "reports/data/model_report.h"

namespace tieout {

// Returns "no", "unused" or "possible"; and a shape such as "2x32x112x112".
[[nodiscard]] const char* text_of(PairSaturation saturation);
[[nodiscard]] std::string shape_text(const Shape& shape);

// Returns true if any layer ran on FBGEMM, the only engine with the columns for paths and pairs.
[[nodiscard]] bool any_of_fbgemm(const std::vector<LayerReport>& layers);

// Returns a line for each layer and, below it, one for each column that differs there.
[[nodiscard]] std::string layer_table(const ModelReport& report);

// Returns a line for each operator beside the layers, and below it what differs there; a summary first.
[[nodiscard]] std::string operator_table(const ModelReport& report);

// Returns the layers whose outputs would change on another CPU.
[[nodiscard]] std::string forecast_text(const ModelReport& report);

// Returns the effect of differences on the model's output, a line per column and layer.
[[nodiscard]] std::string spread_text(const ModelReport& report);

// Returns how the recorded outputs compare with LibTorch's: the first operator that differs, its cause, and the files
// that are missing or cannot be compared.
[[nodiscard]] std::string recorded_text(const ModelReport& report);

// Returns whether the network, computed by our kernels from its input to its end, gives LibTorch's bytes, or where it
// parts from them; empty if some of it was not verified.
[[nodiscard]] std::string replay_text(const ModelReport& report);

// Returns which other operators the model runs, and why calls of layers were not verified.
[[nodiscard]] std::string unverified_text(const ModelReport& report);

// Returns a line for each column, "NAME differs at N of M elements in K of L layers": the kernel, the subjects,
// and last the hypotheses.
[[nodiscard]] std::string totals_text(const ModelReport& report);

// Returns the processor time of each part of the verification, in milliseconds and as a multiple of the model's own.
[[nodiscard]] std::string timing_text(const ModelReport& report);

}  // namespace tieout
