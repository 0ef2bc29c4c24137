#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "oracle/libtorch/libtorch.h"
#include "oracle/libtorch/libtorch_isa_limit.h"

namespace tieout {
namespace {

constexpr const char* kAdapter = "libtieout_libtorch.so";  // found by the program's own run path
constexpr const char* kEntry = "tieout_libtorch";

// With one of these set, oneDNN would choose other code than for this CPU, and the predictions for it would be wrong.
constexpr std::array kMisleading{"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"};

// Sets OMP_WAIT_POLICY while OpenMP is loaded, which reads it only then. Libraries that are loaded later, such as a
// kernel's own OpenMP, are not affected.
class WaitPolicy {
 public:
  explicit WaitPolicy(Waiting waiting)
      : set_(waiting == Waiting::asleep && std::getenv("GOMP_SPINCOUNT") == nullptr && std::getenv(kName) == nullptr) {
    if (set_) setenv(kName, "PASSIVE", 1);
  }
  WaitPolicy(const WaitPolicy&) = delete;
  WaitPolicy& operator=(const WaitPolicy&) = delete;
  ~WaitPolicy() {
    if (set_) unsetenv(kName);
  }

 private:
  static constexpr const char* kName = "OMP_WAIT_POLICY";
  bool set_;
};

EngineResult<LibTorch*> load(Waiting waiting) {
  const auto absent = [](std::string why) {
    return tl::unexpected(EngineError{EngineError::Kind::absent, std::move(why)});
  };
  for (const char* variable : kMisleading) {
    const char* const value = std::getenv(variable);
    if (value == nullptr) continue;
    return absent(std::string("the environment variable ") + variable + " is set, to '" + value +
                  "': ONEDNN would compute by other instructions than those of this CPU, for which its answers are "
                  "predicted; unset " +
                  variable);
  }
  const auto last_error = [&] {
    const char* why = dlerror();
    return absent((why == nullptr ? "unknown reason" : std::string(why)) + "; scripts/setup.sh all builds it");
  };
  const WaitPolicy policy(waiting);
  void* const library = dlopen(kAdapter, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return last_error();
  void* const entry = dlsym(library, kEntry);
  if (entry == nullptr) return last_error();
  return reinterpret_cast<LibTorch* (*)()>(entry)();
}

// Returns the value of ONEDNN_MAX_CPU_ISA for the instruction set, or nullptr if there is none.
const char* onednn_word(Isa isa) {
  switch (isa) {
    case Isa::avx2: return "AVX2";
    case Isa::avx512: return "AVX512_CORE";
    case Isa::avx512_vnni: return "AVX512_CORE_VNNI";
    case Isa::native:
    case Isa::avx512_256:
    case Isa::avx512_vnni_256: break;
  }
  return nullptr;
}

}  // namespace

EngineResult<LibTorch*> libtorch(Waiting waiting) {
  static const EngineResult<LibTorch*> instance = load(waiting);
  return instance;
}

EngineResult<LibTorch*> libtorch_held_to(Isa isa) {
  const char* const word = onednn_word(isa);
  if (word == nullptr) {
    return tl::unexpected(EngineError{EngineError::Kind::unsupported,
                                      "ONEDNN can be held to avx2, avx512 and avx512_vnni, and to nothing else"});
  }
  auto loaded = libtorch();
  if (!loaded) return loaded;
  if (auto can = (*loaded)->available({.isa = isa}); !can) return tl::unexpected(can.error());
  // The environment variable is used because LibTorch does not export oneDNN's function for the limit.
  setenv(kMisleading.front(), word, 1);
  return loaded;
}

}  // namespace tieout
