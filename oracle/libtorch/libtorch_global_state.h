#pragma once
// Provides access to the global state of LibTorch that decides how a convolution is computed: the engine that packs the
// weights, the instruction set that FBGEMM is forced to, and the number of threads.

#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

#include "cases/conv_case.h"

namespace tieout {

// True if this library was built with the engine.
[[nodiscard]] bool has_engine(Engine engine);

// Returns the maximum number of threads of an operator, as limited by OMP_THREAD_LIMIT. oneDNN plans with as many
// threads as requested, and its zero point compensation is wrong if fewer run (oracle/README.md).
[[nodiscard]] int most_threads();

// Sets all of this state, so that neither earlier calls nor the environment influence the result. execution: at most
// most_threads() threads.
void select(const Execution& execution);

// Returns the engine that packed the weights, and that will therefore compute, from the class of the packed weights.
[[nodiscard]] Engine packed_by(const std::type_info& type);

// Suppresses one warning for the lifetime of an instance. On the first quantized tensor of a process, LibTorch warns
// that the quantized dtypes "will be removed in a future PyTorch release"; because the version is pinned, users need
// not act on it. All other warnings pass.
class WithoutDeprecation {
 public:
  WithoutDeprecation();
  ~WithoutDeprecation();
  WithoutDeprecation(const WithoutDeprecation&) = delete;
  WithoutDeprecation& operator=(const WithoutDeprecation&) = delete;

 private:
  struct Handler;
  std::unique_ptr<Handler> handler_;
};

// Returns the line of an exception's text that states the reason: LibTorch appends C++ frames to it, TorchScript
// prepends its own.
[[nodiscard]] std::string reason_of(const std::exception& error);

}  // namespace tieout
