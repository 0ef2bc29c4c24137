#pragma once
// Provides ConvCapture, which observes quantized convolutions and linear layers while LibTorch runs them, by record
// functions. The model is not changed.

#include <map>
#include <memory>
#include <string>

#include "oracle/libtorch/libtorch_weights.h"
#include "oracle/libtorch/model.h"

namespace tieout {

// While an instance exists, every quantized convolution and linear layer and every other operator of operator_schemas()
// that LibTorch runs on this thread is passed to the observer; further operators with "quantized::" in their names or
// with a quantized result are counted. At most one instance per thread.
//
// Captured layers: quantized::convNd, convNd_relu (N 1..3), linear and linear_relu, on uint8 activations and int8
// weights. Others, such as transposed convolutions and dynamic linear layers, are only counted.
class ConvCapture {
 public:
  // layers: layer names by the address of the packed weights, or empty. unpacked: must outlive this.
  ConvCapture(ModelObserver observer, UnpackedWeights& unpacked, std::map<const void*, std::string> layers = {});
  ~ConvCapture();
  ConvCapture(const ConvCapture&) = delete;
  ConvCapture& operator=(const ConvCapture&) = delete;

  // Rethrows the exception that the observer threw or that occurred during the capture, if any: record functions
  // swallow exceptions.
  void rethrow() const;

  // Returns the number of calls of each quantized operator that was not captured, by name.
  [[nodiscard]] const OperatorCounts& unverified() const;

  // Returns the parameters of the first quantize_per_tensor that ran.
  [[nodiscard]] const std::optional<InputQuantization>& quantization() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tieout
