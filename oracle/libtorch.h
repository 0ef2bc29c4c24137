#pragma once
// LibTorch's quantized operators behind one interface. No torch header is included here: the adapter is a shared
// library of its own, opened when it is first asked for.

#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/conv_case.h"
#include "oracle/experiment.h"
#include "oracle/fbgemm_path.h"
#include "oracle/model.h"

namespace tieout {

// Why an engine gave no answer.
struct EngineError {
  enum class Kind {
    absent,       // this LibTorch, or this installation, does not have the engine
    unsupported,  // this CPU does not have the instruction set that was asked for
    refused,      // the operator threw on this case
  };
  Kind kind;
  std::string message;
};

template <typename T>
using EngineResult = tl::expected<T, EngineError>;

// What an engine answered.
struct EngineAnswer {
  Tensor<std::uint8_t> y;  // N x K x spatial, whatever the memory format
  Engine picked;           // who computed it: X86 hands its work to FBGEMM or to ONEDNN
};

// One case's operator with its weights packed and its activation at hand, to be run again and again. In its time is what
// every call of LibTorch's does: checks, the output's allocation. One runs at a time, on the threads of the case that was
// prepared last.
class PreparedConv {
 public:
  virtual ~PreparedConv() = default;
  virtual void run() = 0;
  [[nodiscard]] virtual EngineAnswer answer() const = 0;  // of the last run
};

class LibTorch {
 public:
  virtual ~LibTorch() = default;

  [[nodiscard]] virtual std::string version() const = 0;

  // The engines that this library was built with.
  [[nodiscard]] virtual std::vector<Engine> engines() const = 0;

  [[nodiscard]] virtual Hardware hardware() const = 0;

  // The path that FBGEMM itself says it takes. Only the shape is read.
  [[nodiscard]] virtual FbgemmPath fbgemm_path(const ConvCase& c) const = 0;

  // What FBGEMM runs with when nothing is forced.
  [[nodiscard]] virtual Isa native_isa() const = 0;

  // Runs quantized::convNd or quantized::convNd_relu on the case, as its `execution` says: prepack, then the operator.
  [[nodiscard]] virtual EngineResult<EngineAnswer> conv(const ConvProblem& problem) = 0;

  // The same in two steps, and run once. What stands in for LibTorch in tests has none.
  [[nodiscard]] virtual EngineResult<std::unique_ptr<PreparedConv>> prepare(const ConvProblem& /*problem*/) {
    return tl::unexpected(EngineError{EngineError::Kind::absent, "this reference prepares nothing"});
  }

  // Whether this machine and this LibTorch can run the case at all.
  [[nodiscard]] virtual EngineResult<void> available(const Execution& execution) const = 0;

  // Puts every tensor between unmapped pages: slower, and a wild read or write dies at once.
  virtual void guard_tensors(bool on) = 0;

  // Seconds spent inside LibTorch's own calls by conv() so far.
  [[nodiscard]] virtual double seconds_inside() const = 0;

  // The TorchScript model in that file, its weights packed for `engine`. It is code: see oracle/model.h.
  [[nodiscard]] virtual ModelResult<std::unique_ptr<Model>> open_model(const std::string& file, Engine engine) = 0;

  // What torch.save() wrote: a tensor; a tuple of them, which are one call's arguments; a list of either, which are
  // several inputs. Weights and quantized tensors are not inputs.
  [[nodiscard]] virtual ModelResult<std::vector<ModelInput>> read_inputs(const std::string& file) const = 0;

  // The document's script from `seed`, step for step (oracle/experiment.h).
  [[nodiscard]] virtual EngineResult<Experiment> experiment(std::uint64_t seed) = 0;
};

// The case with the instruction set that FBGEMM takes where the case names none. That is not always the best that the CPU
// has: FBGEMM's own environment variable limits it.
[[nodiscard]] inline ConvCase as_run(ConvCase c, const LibTorch& reference) {
  if (c.execution.isa == Isa::native) c.execution.isa = reference.native_isa();
  return c;
}

// How LibTorch's threads wait for work. To spin is quicker for a process that has the cores for itself; of many processes, each
// would spin on the others' cores.
enum class Waiting { spinning, asleep };

// The one instance, loaded at the first call (a quarter of a second), which says how its threads wait, unless OMP_WAIT_POLICY or
// GOMP_SPINCOUNT does; or why LibTorch cannot be had.
[[nodiscard]] EngineResult<LibTorch*> libtorch(Waiting waiting = Waiting::spinning);

}  // namespace tieout
