#include "cli/common/version.h"

#include <fmt/core.h>

#include "cases/machine/cpu.h"
#include "cases/machine/cpu_name.h"
#include "cases/strings/printable.h"
#include "cli/common/errors.h"
#include "oracle/libtorch/libtorch.h"

namespace tieout {
namespace {

#ifdef __clang__
constexpr const char* kCompiler = __VERSION__;  // contains the name
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

std::string libtorch_text() {
  const auto loaded = libtorch();
  if (!loaded) return printable_lines(load_error(loaded.error()));
  return fmt::format("LibTorch {}", (*loaded)->version());
}

std::string instruction_sets() {
  std::string all;
  for (const SimdIsa isa : simd_isas()) all.append(all.empty() ? "" : ", ").append(name(isa));
  return all;
}

}  // namespace

std::string program_version() { return TIEOUT_VERSION; }

std::string version_text() {
  return fmt::format("tieout {}\n{}\nCompiler: {}\nCPU: {}\nInstruction sets of the kernels: {}", program_version(),
                     libtorch_text(), kCompiler, cpu_name(), instruction_sets());
}

}  // namespace tieout
