#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "oracle/libtorch/libtorch.h"
#include "oracle/libtorch/libtorch_isa_limit.h"
#include "oracle/libtorch/torch_folder.h"

namespace tieout {
namespace {

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

tl::unexpected<EngineError> absent(std::string why) {
  return tl::unexpected(EngineError{EngineError::Kind::absent, std::move(why)});
}

EngineResult<void> check_environment() {
  for (const char* variable : kMisleading) {
    const char* const value = std::getenv(variable);
    if (value == nullptr) continue;
    return absent(std::string("the environment variable ") + variable + " is set, to '" + value +
                  "': ONEDNN would compute by other instructions than those of this CPU, for which its answers are "
                  "predicted; unset " +
                  variable);
  }
  return {};
}

// Opens LibTorch's own libraries, so that the adapter is linked to these and to no others: the loader takes libraries
// that are open already for those that the adapter asks for by the same names.
EngineResult<void> open_libraries(const TorchFolder& torch) {
  const std::string who = torch.root.string() + ", LibTorch " + text_of(torch.version);
  void* opened = nullptr;
  for (const char* library : {"libc10.so", "libtorch_cpu.so"}) {
    opened = dlopen((torch.root / "lib" / library).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (opened != nullptr) continue;
    const char* const why = dlerror();
    return absent(who + ", cannot be opened: " + (why == nullptr ? "unknown reason" : why) +
                  "; install torch with the packages that it requires (pip install torch==" + text_of(torch.version) +
                  ")");
  }
  constexpr const char* kFunctionOfFbgemm = "_ZN6fbgemm14fbgemmForceIsaENS_10inst_set_tE";
  if (dlsym(opened, kFunctionOfFbgemm) != nullptr) return {};
  return absent(
      who +
      ", was built without FBGEMM, the engine that Tieout verifies; take the wheel of PyPI (pip install torch), "
      "and set TIEOUT_TORCH to its folder");
}

EngineResult<LibTorch*> open_adapter(const TorchFolder& torch, const std::filesystem::path& adapter) {
  const auto last_error = [&] {
    const char* const why = dlerror();
    return absent((why == nullptr ? "unknown reason" : std::string(why)) + "; scripts/setup.sh all builds it");
  };
  void* const library = dlopen(adapter.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return last_error();
  void* const entry = dlsym(library, kEntry);
  if (entry == nullptr) return last_error();
  LibTorch* const opened = reinterpret_cast<LibTorch* (*)()>(entry)();
  const auto actual = parse_libtorch_version(opened->version());
  if (actual && minor_text(*actual) == minor_text(torch.version)) return opened;
  return absent(torch.root.string() + ": the files state LibTorch " + text_of(torch.version) + ", and the library is " +
                opened->version() + "; install it again");
}

// The folder of the LibTorch that has been opened.
std::string& opened_folder() {
  static std::string folder;
  return folder;
}

EngineResult<LibTorch*> load(Waiting waiting) {
  if (const auto fit = check_environment(); !fit) return tl::unexpected(fit.error());
  const auto torch = find_torch_folder();
  if (!torch) return absent(torch.error());
  const auto adapter = find_adapter(*torch);
  if (!adapter) return absent(adapter.error());
  const WaitPolicy policy(waiting);
  if (const auto libraries = open_libraries(*torch); !libraries) return tl::unexpected(libraries.error());
  auto opened = open_adapter(*torch, *adapter);
  if (opened) opened_folder() = torch->root.string();
  return opened;
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

std::string libtorch_folder() { return opened_folder(); }

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
