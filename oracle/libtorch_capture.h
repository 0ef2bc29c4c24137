#pragma once
// Seeing quantized convolutions as LibTorch runs them, by its record functions: nothing of the model has to be changed.

#include <map>
#include <memory>
#include <string>

#include "oracle/libtorch_weights.h"
#include "oracle/model.h"

namespace tieout {

// While one lives, every quantized convolution that LibTorch runs on this thread is shown to `seen`, and every other
// operator with "quantized::" in its name, or with a quantized result, is counted. One at a time on a thread.
//
// What is captured: quantized::convNd and convNd_relu, N 1..3, on uint8 activations and int8 weights. Others, transposed ones
// and dynamic ones among them, are counted with the rest.
class ConvCapture {
 public:
  // layers: names by the address of the packed weights, or empty. unpacked: outlives this.
  ConvCapture(OnConv seen, UnpackedWeights& unpacked, std::map<const void*, std::string> layers = {});
  ~ConvCapture();
  ConvCapture(const ConvCapture&) = delete;
  ConvCapture& operator=(const ConvCapture&) = delete;

  // What `seen` threw, or what was found to be wrong, is thrown here: record functions swallow exceptions.
  void rethrow() const;

  [[nodiscard]] const OperatorCounts& unverified() const;

  // Of the first quantize_per_tensor that ran.
  [[nodiscard]] const std::optional<InputQuantization>& quantization() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tieout
