#include "oracle/engines/version_changes.h"

#include <algorithm>
#include <array>

namespace tieout {
namespace {

constexpr std::array kChanges{
    VersionChange{.from = {.major = 2, .minor = 14, .patch = 0},
                  .text =
                      "FBGEMM's depthwise code adds the bias of per-tensor weights with two roundings from LibTorch "
                      "2.14 on, and with one before",
                  .before = "f = fma(b, fl(1 / A), f)",
                  .after = "f = fl(f + fl(b * fl(1 / A)))"},
    VersionChange{.from = {.major = 2, .minor = 11, .patch = 0},
                  .text =
                      "ONEDNN's code for VNNI and AVX-512 and its reference code multiply by one scale after the other "
                      "from LibTorch 2.11 on, and by the product of the scales before",
                  .before = "v = fl(f * fl(xs' * ws))",
                  .after = "v = fl(fl(f * xs') * ws)"},
};

Answers predict_for(const ConvProblem& problem, Hardware hardware, const LibTorchVersion& version) {
  hardware.libtorch = version;
  return predict(problem, problem.spec.execution.engine, hardware);
}

// Returns a version that is older than the change, and newer than every earlier one.
LibTorchVersion version_before(const VersionChange& change) {
  return {.major = change.from.major, .minor = change.from.minor - 1, .patch = 0};
}

}  // namespace

std::span<const VersionChange> version_changes() { return kChanges; }

const VersionChange* deciding_change(const ConvProblem& problem, const LibTorchVersion& a, const LibTorchVersion& b,
                                     const Hardware& hardware) {
  const auto [older, newer] = std::minmax(a, b);
  const auto with_old = predict_for(problem, hardware, older);
  const auto with_new = predict_for(problem, hardware, newer);
  if (with_old == with_new) return nullptr;
  for (const VersionChange& change : kChanges) {
    if (!(older < change.from) || newer < change.from) continue;
    if (predict_for(problem, hardware, version_before(change)) == with_old &&
        predict_for(problem, hardware, change.from) == with_new) {
      return &change;
    }
  }
  return nullptr;
}

}  // namespace tieout
