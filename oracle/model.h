#pragma once
// A TorchScript model as tieout sees it: something that runs on inputs and shows, one after the other, the quantized
// convolutions that it ran. No torch here; oracle/libtorch_model.cpp is behind it.
//
// TorchScript is a program. Loading one and running it gives its author what running any program of theirs would: load
// what you would run.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/layer_view.h"

namespace tieout {

// One call of a quantized convolution, as the model made it. Its numbers are where the model has them, and stay there until
// the model goes on: who wants them longer copies them.
struct CapturedConv {
  std::string name;       // of the module that holds the weights, "features.0.0"; empty where the model does not say
  std::string op;         // "conv2d_relu"
  std::int64_t call = 0;  // how many were captured before it in this run
  ConvCase spec;          // contents not listed; execution.engine: who packed the weights
  std::span<const std::uint8_t> activation;  // N x D x H x W x C
  std::span<const std::int8_t> weight;       // K x C/groups x kernel; the same place at every call of a model's layer
  std::span<const std::uint8_t> output;      // what the model's own operator answered: N x D' x H' x W' x K
  Shape output_shape;                        // as LibTorch says it: N, K, spatial

  [[nodiscard]] LayerView view() const { return {&spec, activation.data(), weight.data()}; }
};

// Called for each of them, before the model goes on. What it returns, if anything, takes the output's place: as many
// bytes, in the order N x K x spatial.
using OnConv = std::function<std::optional<std::vector<std::uint8_t>>(CapturedConv&&)>;

// What a model is called with. bytes: element_count(shape) numbers of that type, row-major; or one, which all elements are.
struct ModelTensor {
  enum class Type { float32, float64, int64, int32, uint8 } type = Type::float32;
  Shape shape;
  std::vector<char> bytes;
};
struct ModelInput {
  std::string name;                    // where it came from, for messages
  std::vector<ModelTensor> arguments;  // of forward()
};

// What the model runs besides, by the operator's name, counted: what is quantized, and is not verified here.
using OperatorCounts = std::map<std::string, std::int64_t>;

// The range that the model was calibrated for: how it quantizes what comes in.
struct InputQuantization {
  double scale = 1;
  std::int64_t zero_point = 0;
};

struct ModelRun {
  std::vector<Tensor<double>> outputs;  // every tensor that forward() returned, dequantized, in order of occurrence
  OperatorCounts unverified;
  std::optional<InputQuantization> quantization;  // of the first quantize_per_tensor that ran
};

struct ModelError {
  enum class Kind {
    absent,      // this LibTorch does not have the engine
    unreadable,  // the file is not what it should be
    refused,     // the model threw on this input
    no_memory,   // the machine or a limit refused memory
  };
  Kind kind;
  std::string message;
};

template <typename T>
using ModelResult = tl::expected<T, ModelError>;

class Model {
 public:
  virtual ~Model() = default;

  // forward(input), on one thread; `seen` is called for every quantized convolution. Empty: nothing is captured.
  [[nodiscard]] virtual ModelResult<ModelRun> run(const ModelInput& input, const OnConv& seen) = 0;

  // How many arguments forward() takes, and how many packed convolutions the model holds: what a run may show, if it runs
  // each once.
  [[nodiscard]] virtual std::size_t arguments() const = 0;
  [[nodiscard]] virtual std::int64_t convolutions() const = 0;
};

}  // namespace tieout
