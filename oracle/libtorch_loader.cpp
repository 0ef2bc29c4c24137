#include <dlfcn.h>

#include "oracle/libtorch.h"

namespace tieout {
namespace {

constexpr const char* kAdapter = "libtieout_libtorch.so";  // found by the program's own run path
constexpr const char* kEntry = "tieout_libtorch";

EngineResult<LibTorch*> load() {
  const auto absent = [] {
    const char* why = dlerror();
    return tl::unexpected(EngineError{EngineError::Kind::absent, why == nullptr ? "unknown reason" : why});
  };
  void* const library = dlopen(kAdapter, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return absent();
  void* const entry = dlsym(library, kEntry);
  if (entry == nullptr) return absent();
  return reinterpret_cast<LibTorch* (*)()>(entry)();
}

}  // namespace

EngineResult<LibTorch*> libtorch() {
  static const EngineResult<LibTorch*> instance = load();
  return instance;
}

}  // namespace tieout
