#pragma once
// Provides LibTorch's quantized operators behind one interface. No torch header is included here: the adapter that
// implements the interface is a shared library, which libtorch() opens at its first call.

#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/conv_case.h"
#include "cases/operators/operator_case.h"
#include "oracle/engines/fbgemm_path.h"
#include "oracle/libtorch/experiment.h"
#include "oracle/libtorch/exported_model.h"
#include "oracle/libtorch/model.h"

namespace tieout {

// The reason why an engine gave no result.
struct EngineError {
  enum class Kind {
    // This LibTorch, or this installation, does not have the engine.
    absent,
    // This CPU does not have the requested instruction set.
    unsupported,
    // The operator threw an exception on this case.
    refused,
  };
  Kind kind;
  std::string message;
};

template <typename T>
using EngineResult = tl::expected<T, EngineError>;

// The result of one convolution or linear layer.
struct EngineAnswer {
  Tensor<std::uint8_t> y;  // N x K x spatial, whatever the memory format
  // The engine that computed y; X86 delegates to FBGEMM or to ONEDNN.
  Engine picked;
};

// The operator of one case with its weights packed and its activation converted, which can be run repeatedly, for
// example to measure its time. The time of a run includes what every call of LibTorch includes: checks and the
// allocation of the output. Only one instance may run at a time; it uses the number of threads of the case that was
// prepared last.
class PreparedConv {
 public:
  virtual ~PreparedConv() = default;
  virtual void run() = 0;
  // Returns the result of the last run.
  [[nodiscard]] virtual EngineAnswer answer() const = 0;
};

class LibTorch {
 public:
  virtual ~LibTorch() = default;

  [[nodiscard]] virtual std::string version() const = 0;

  // Returns the engines that this library was built with.
  [[nodiscard]] virtual std::vector<Engine> engines() const = 0;

  // Returns the capabilities of this CPU, as FBGEMM and the CPU report them.
  [[nodiscard]] virtual Hardware hardware() const = 0;

  // Returns the path that FBGEMM itself reports for the case; linear for a linear layer. Only the shape is read.
  [[nodiscard]] virtual FbgemmPath fbgemm_path(const ConvCase& c) const = 0;

  // Returns the instruction set that FBGEMM uses if none is forced.
  [[nodiscard]] virtual Isa native_isa() const = 0;

  // Packs the weights and runs quantized::convNd, convNd_relu, linear or linear_relu on the case, as its `execution`
  // specifies; for the engine fbgemm_direct, fbgemm::fbgemmConv itself; for onednn_pointwise,
  // onednn::qconvNd_pointwise, which returns int8 if that is the case's output. Padding that only one side has becomes
  // part of the input (with_even_padding()). problem: its output is no int32 sum.
  [[nodiscard]] virtual EngineResult<EngineAnswer> conv(const ConvProblem& problem) = 0;

  // Runs a quantized operator on the case, with the layout and threads that it specifies. c: valid, with contents.
  [[nodiscard]] virtual EngineResult<OperatorOutput> run_operator(const OperatorCase& /*c*/) {
    return tl::unexpected(EngineError{EngineError::Kind::absent, "this reference runs convolutions only"});
  }

  // Does what conv() does in two steps: packs the weights, runs the operator once, and returns it for further runs. The
  // stand-ins for LibTorch in tests do not implement this.
  [[nodiscard]] virtual EngineResult<std::unique_ptr<PreparedConv>> prepare(const ConvProblem& /*problem*/) {
    return tl::unexpected(EngineError{EngineError::Kind::absent, "this reference prepares nothing"});
  }

  // Returns an error if this machine or this LibTorch cannot run cases of that execution.
  [[nodiscard]] virtual EngineResult<void> available(const Execution& execution) const = 0;

  // on: allocates every later tensor between unmapped pages: slower, but most accesses out of bounds end the process at
  // once (oracle/libtorch/libtorch_guard.h).
  virtual void guard_tensors(bool on) = 0;

  // Returns the seconds that conv() has spent inside of LibTorch's calls so far.
  [[nodiscard]] virtual double seconds_inside() const = 0;

  // Opens the TorchScript model in `file`, with its weights packed for `engine`. The file contains code that is run:
  // see oracle/libtorch/model.h.
  [[nodiscard]] virtual ModelResult<std::unique_ptr<Model>> open_model(const std::string& file, Engine engine) = 0;

  // Opens an exported program. layers: find_exported_layers(program). The stand-ins for LibTorch in tests do not
  // implement this.
  [[nodiscard]] virtual ModelResult<std::unique_ptr<ExportedModel>> open_exported(
      ExportedProgram /*program*/, std::vector<ExportedLayer> /*layers*/) {
    return tl::unexpected(ModelError{ModelError::Kind::absent, "this reference opens no exported programs"});
  }

  // Reads what torch.save() wrote: a tensor; a tuple of tensors, which are the arguments of one call; or a list of
  // either, which are several inputs. Quantized tensors and objects that are not tensors are errors.
  [[nodiscard]] virtual ModelResult<std::vector<ModelInput>> read_inputs(const std::string& file) const = 0;

  // Runs the document's script from `seed`, step by step (oracle/libtorch/experiment.h).
  [[nodiscard]] virtual EngineResult<Experiment> experiment(std::uint64_t seed) = 0;
};

// Returns the case with the instruction set that FBGEMM uses if the case does not name one. This is not always the best
// of the CPU: an environment variable of FBGEMM's own limits it.
[[nodiscard]] inline ConvCase as_run(ConvCase c, const LibTorch& reference) {
  if (c.execution.isa == Isa::native) c.execution.isa = reference.native_isa();
  return c;
}

// How LibTorch's threads wait for work. Spinning is faster for a process that has the cores to itself; with several
// processes, each would spin on cores that another one needs.
enum class Waiting { spinning, asleep };

// Returns the single instance, which is loaded at the first call (in a quarter of a second), or the reason why LibTorch
// is not available. waiting: applies at the first call, and only if neither OMP_WAIT_POLICY nor GOMP_SPINCOUNT is set.
// The caller does not own the instance.
[[nodiscard]] EngineResult<LibTorch*> libtorch(Waiting waiting = Waiting::spinning);

// Returns the folder of the LibTorch that libtorch() has opened; empty if it has opened none.
[[nodiscard]] std::string libtorch_folder();

}  // namespace tieout
