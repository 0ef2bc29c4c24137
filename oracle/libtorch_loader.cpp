#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "oracle/libtorch.h"

namespace tieout {
namespace {

constexpr const char* kAdapter = "libtieout_libtorch.so";  // found by the program's own run path
constexpr const char* kEntry = "tieout_libtorch";

// oneDNN would then be something else than what this CPU makes of it, and every prediction of it would be wrong.
constexpr std::array kMisleading{"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"};

EngineResult<LibTorch*> load() {
  const auto absent = [](std::string why) {
    return tl::unexpected(EngineError{EngineError::Kind::absent, std::move(why)});
  };
  for (const char* variable : kMisleading) {
    if (std::getenv(variable) != nullptr) return absent(std::string(variable) + " is set: unset it");
  }
  const auto last_error = [&] {
    const char* why = dlerror();
    return absent((why == nullptr ? "unknown reason" : std::string(why)) + "; scripts/setup.sh all builds it");
  };
  void* const library = dlopen(kAdapter, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return last_error();
  void* const entry = dlsym(library, kEntry);
  if (entry == nullptr) return last_error();
  return reinterpret_cast<LibTorch* (*)()>(entry)();
}

}  // namespace

EngineResult<LibTorch*> libtorch() {
  static const EngineResult<LibTorch*> instance = load();
  return instance;
}

}  // namespace tieout
