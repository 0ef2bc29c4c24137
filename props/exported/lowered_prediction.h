#pragma once
// Predicts what the operator that a layer is lowered to, onednn::qconv_pointwise or onednn::qlinear_pointwise, answers:
// bytes or float32, with relu, and with a tensor that is added. oracle/engines/engine_model.h has the arithmetic.

#include <string>

#include "oracle/engines/fbgemm_path.h"
#include "oracle/libtorch/exported_model.h"

namespace tieout {

struct LoweredPrediction {
  // Why the arithmetic of the layer is not known bit for bit; then there are no values. Empty: it is.
  std::string unknown;
  LayerValues values;
};

// call: one that is a case. hardware: what oneDNN uses of the CPU that computed it.
[[nodiscard]] LoweredPrediction predict_lowered(const ExportedCall& call, const ExportedLayer& layer,
                                                const Hardware& hardware);

// True if a float is the predicted one, in all bits; all NaN count as equal.
[[nodiscard]] bool is_predicted(float answer, float predicted);

}  // namespace tieout
