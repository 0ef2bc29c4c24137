#include "props/verify/run_head.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cases/machine/cpu_name.h"
#include "cases/text/case_text.h"

namespace tieout {
namespace {

// Returns the environment variables that OpenMP, MKL, oneDNN and ATen read, as "NAME=value", ordered by name, in one
// line.
std::string variables_of_libtorch() {
  constexpr std::array<std::string_view, 9> kPrefixes{"OMP_",    "GOMP_", "KMP_",    "MKL_",  "DNNL_",
                                                      "ONEDNN_", "ATEN_", "FBGEMM_", "TORCH_"};
  // The largest number of characters of a variable that is kept.
  constexpr std::size_t kLongest = 200;
  std::vector<std::string> found;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view variable = *at;
    const bool is_read = std::ranges::any_of(kPrefixes, [&](auto prefix) { return variable.starts_with(prefix); });
    if (is_read) found.emplace_back(variable.substr(0, kLongest));
  }
  std::ranges::sort(found);
  std::string text;
  for (const std::string& variable : found) text += (text.empty() ? "" : " ") + variable;
  return text;
}

}  // namespace

Machine machine_of(const Reference& reference) {
  const LibTorch* const libtorch = reference.libtorch();
  return {.cpu = cpu_name(),
          .isa = libtorch == nullptr ? std::string() : std::string(name(libtorch->native_isa())),
          .libtorch = libtorch == nullptr ? std::string() : libtorch->version(),
          .cores = static_cast<int>(std::thread::hardware_concurrency()),
          .variables = variables_of_libtorch()};
}

RunSummary run_of(std::string command, const Reference& reference, const Subject* subject) {
  return {.command = std::move(command),
          .subject = subject == nullptr ? "scalar" : subject->text(),
          .reference = reference.text(),
          .machine = machine_of(reference)};
}

}  // namespace tieout
