#pragma once
// What is ambient in LibTorch and decides: the engine that packs, the instruction set that FBGEMM is forced to, threads.

#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

#include "cases/conv_case.h"

namespace tieout {

// Whether this library was built with the engine.
[[nodiscard]] bool has_engine(Engine engine);

// The most threads that an operator can have: what OMP_THREAD_LIMIT leaves. oneDNN plans with as many as are asked for, and
// its zero point compensation is wrong where fewer run (oracle/README.md).
[[nodiscard]] int most_threads();

// Sets all of it, so that neither what ran before nor the environment decides. execution: at most most_threads().
void select(const Execution& execution);

// Who packed the weights, and so who will compute: the packed weights' own class tells.
[[nodiscard]] Engine packed_by(const std::type_info& type);

// On the first quantized tensor of a process LibTorch warns that the quantized dtypes "will be removed in a future PyTorch
// release". The version is pinned: our users need not read it. While one of these lives, that warning is dropped; every
// other passes.
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

// The line of an exception's text that says what is wrong: LibTorch puts C++ frames behind it, TorchScript its own before.
[[nodiscard]] std::string reason_of(const std::exception& error);

}  // namespace tieout
