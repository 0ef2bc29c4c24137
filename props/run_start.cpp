#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cases/case_text.h"
#include "kernels/subject_digest.h"
#include "props/campaign.h"
#include "props/case_class.h"
#include "props/verify.h"

namespace tieout {
namespace {

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

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

// Adds every cell that this machine and this LibTorch have, so that a cell that is never reached is visible.
void add_cells(RunSummary& run, const LibTorch& reference) {
  struct How {
    Execution execution;
    Engine picked;
  };
  std::vector<How> hows;
  for (const Isa isa : {Isa::avx2, Isa::avx512, Isa::avx512_256, Isa::avx512_vnni, Isa::avx512_vnni_256}) {
    hows.push_back({{.engine = Engine::fbgemm, .isa = isa}, Engine::fbgemm});
  }
  hows.push_back({{.engine = Engine::onednn}, Engine::onednn});
  hows.push_back({{.engine = Engine::qnnpack}, Engine::qnnpack});
  hows.push_back({{.engine = Engine::x86}, Engine::fbgemm});
  if (reference.hardware().avx512_vnni) hows.push_back({{.engine = Engine::x86}, Engine::onednn});
  for (const auto& [execution, picked] : hows) {
    if (!reference.available(execution)) continue;
    for (const FbgemmPath path :
         {FbgemmPath::depthwise, FbgemmPath::groupwise, FbgemmPath::pointwise, FbgemmPath::im2col}) {
      for (const Granularity granularity : {Granularity::per_tensor, Granularity::per_channel}) {
        for (const bool bias : {false, true}) {
          ConvCase c{.granularity = granularity, .execution = execution};
          if (bias) c.bias = {0};
          run.cells[cell_of(c, path, picked, reference.native_isa())] = {};
        }
      }
    }
  }
}

}  // namespace

Machine machine_of(const LibTorch& reference) {
  return {.cpu = cpu_name(),
          .isa = std::string(name(reference.native_isa())),
          .libtorch = reference.version(),
          .cores = static_cast<int>(std::thread::hardware_concurrency()),
          .variables = variables_of_libtorch()};
}

RunSummary run_of(std::string command, const LibTorch& reference, const Subject* subject) {
  return {.command = std::move(command),
          .subject = subject == nullptr ? "scalar" : subject->text(),
          .reference = "LibTorch " + reference.version() + ", " + std::string(name(reference.native_isa())),
          .machine = machine_of(reference)};
}

RunSummary empty_run(const CampaignOptions& options, const LibTorch& reference) {
  RunSummary run = run_of(options.command, reference, options.subject);
  run.domain = options.domain.text();
  run.seed = options.seed;
  run.shard = options.shard;
  run.finished = false;
  run.workers = options.workers;
  run.hunting = options.policy == Policy::hunting;
  for (std::size_t i = 0; i < kCaseClasses; ++i) {
    const auto cls = static_cast<CaseClass>(i);
    // A subject is not told how LibTorch is run.
    if (options.subject != nullptr && of_execution(cls)) continue;
    run.classes.emplace_back(name(cls));
  }
  if (options.subject != nullptr) {
    run.subject_digest = subject_digest(run.subject);
  } else {
    add_cells(run, reference);
  }
  return run;
}

}  // namespace tieout
