#pragma once
// Writes a case as the exported program that PyTorch 2 export quantization makes of it: dequantize, a float
// convolution, relu and quantize.

#include "cases/conv_case.h"
#include "oracle/exported/exported_program.h"

namespace tieout {

// Returns the program; its input is the activation in bytes, N x C x spatial, its output has the bytes of the result,
// as a case holds them. problem: with the same padding on both sides, a float bias or none, and an output of bytes.
[[nodiscard]] ExportedProgram exported_program_of(const ConvProblem& problem);

}  // namespace tieout
