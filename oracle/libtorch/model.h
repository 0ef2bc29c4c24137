#pragma once
// Provides the interface to a TorchScript model: it runs on inputs and reports each quantized convolution and
// linear layer to a callback. No torch header is included here; oracle/libtorch/libtorch_model.cpp implements the
// interface.
//
// TorchScript is a program: loading and running a model gives its author the rights of the user who runs it. Load only
// models that you would run.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "cases/layer_view.h"
#include "cases/operators/operator_case.h"

namespace tieout {

// One call of a quantized convolution or linear layer by the model. `activation` and `output` are valid only during the
// callback; `weight` is valid as long as the model is.
struct CapturedConv {
  // The module that holds the weights, for example "features.0.0"; empty if the model does not name it.
  std::string name;
  std::string op;         // for example "conv2d_relu"
  std::int64_t call = 0;  // number of layers captured before it in this run
  // The contents are not listed. execution.engine is the engine that the weights are packed for.
  ConvCase spec;
  std::span<const std::uint8_t> activation;  // N x D x H x W x C
  // K x C/groups x kernel; at the same address in every call of a model's layer.
  std::span<const std::int8_t> weight;
  // The result of the model's own operator: N x D' x H' x W' x K.
  std::span<const std::uint8_t> output;
  Shape output_shape;  // as LibTorch reports it: N, K, spatial; of a linear layer the rows of all dimensions, and K

  [[nodiscard]] LayerView view() const { return {&spec, activation.data(), weight.data()}; }
};

// Callback for each layer, called before the model continues. If it returns bytes, they replace the operator's
// output: as many as the output has, in the order N x K x spatial.
using OnConv = std::function<std::optional<std::vector<std::uint8_t>>(CapturedConv&&)>;

// One call of another quantized operator by the model. It owns its tensors.
struct CapturedOperator {
  // The module that calls the operator, and the operator, for example "layer1.0.skip.add_relu"; empty if the model does
  // not name it.
  std::string name;
  std::string op;         // for example "quantized::add_relu"
  std::int64_t call = 0;  // number of such operators captured before it in this run
  OperatorCase spec;      // with its contents; threads is 1
  OperatorOutput output;  // the result of the model's own operator
};

// Callback for each operator of operator_schemas(), called before the model continues. If it returns values, they
// replace the operator's output: as many as the output has, in the order of OperatorOutput.
using OnOperator = std::function<std::optional<std::vector<std::int32_t>>(CapturedOperator&&)>;

// The callbacks of a run. If both are empty, nothing is captured.
struct ModelObserver {
  OnConv conv = {};
  OnOperator op = {};

  [[nodiscard]] bool observes() const { return conv || op; }
};

// An argument for a model. bytes: element_count(shape) numbers of that type, row-major, or a single number that is the
// value of all elements.
struct ModelTensor {
  enum class Type { float32, float64, int64, int32, uint8 } type = Type::float32;
  Shape shape;
  std::vector<char> bytes;
};
struct ModelInput {
  std::string name;                    // origin of the input, for messages
  std::vector<ModelTensor> arguments;  // arguments of forward()
};

// Number of calls of each quantized operator, by name, that is run but not verified.
using OperatorCounts = std::map<std::string, std::int64_t>;

// The scale and zero point by which the model quantizes its input, which reflect the range of its calibration data.
struct InputQuantization {
  double scale = 1;
  std::int64_t zero_point = 0;
};

struct ModelRun {
  // Every tensor that forward() returned, dequantized, in order of occurrence.
  std::vector<Tensor<double>> outputs;
  OperatorCounts unverified;
  // The parameters of the first quantize_per_tensor that ran.
  std::optional<InputQuantization> quantization;
};

struct ModelError {
  enum class Kind {
    absent,      // this LibTorch does not have the engine
    unreadable,  // the file is not of the expected kind
    refused,     // the model threw an exception on this input
    no_memory,   // the machine or a limit refused memory
  };
  Kind kind;
  std::string message;
};

[[nodiscard]] inline tl::unexpected<ModelError> model_error(ModelError::Kind kind, std::string message) {
  return tl::unexpected(ModelError{kind, std::move(message)});
}

template <typename T>
using ModelResult = tl::expected<T, ModelError>;

class Model {
 public:
  virtual ~Model() = default;

  // Runs forward(input) on one thread and calls the observer's functions for every layer that is captured and every
  // other quantized operator.
  [[nodiscard]] virtual ModelResult<ModelRun> run(const ModelInput& input, const ModelObserver& observer) = 0;

  // Return the number of arguments of forward() and the number of packed layers in the model; a run that executes
  // each of them once captures as many.
  [[nodiscard]] virtual std::size_t arguments() const = 0;
  [[nodiscard]] virtual std::int64_t layers() const = 0;
};

}  // namespace tieout
