#pragma once
// A model's verification as plain text: a table by layer, what is not verified, what could change, totals.

#include <string>

#include "reports/model_report.h"

namespace tieout {

// "no", "unused", "possible"; and "2x32x112x112".
[[nodiscard]] const char* text_of(PairSaturation saturation);
[[nodiscard]] std::string shape_text(const Shape& shape);

// Whether any layer ran on FBGEMM, whose paths and pairs others do not have.
[[nodiscard]] bool any_of_fbgemm(const std::vector<LayerReport>& layers);

// A line a layer and, under it, one for everybody who differs there.
[[nodiscard]] std::string layer_table(const ModelReport& report);

// Layers whose numbers would be others on another CPU.
[[nodiscard]] std::string forecast_text(const ModelReport& report);

[[nodiscard]] std::string spread_text(const ModelReport& report);

// What the model runs besides, and why a layer was not counted.
[[nodiscard]] std::string unverified_text(const ModelReport& report);

// "NAME differs at N of M elements in K of L convolutions", a line each: the kernel, the subjects, and last the
// hypotheses.
[[nodiscard]] std::string totals_text(const ModelReport& report);

// Where the time went, and how it compares with the model's own.
[[nodiscard]] std::string timing_text(const ModelReport& report);

}  // namespace tieout
