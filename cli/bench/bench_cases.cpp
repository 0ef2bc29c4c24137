#include "cli/bench/bench_cases.h"

#include <fmt/core.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>

#include "cases/text/case_text.h"
#include "cli/common/duration.h"
#include "props/generate/strategy.h"
#include "props/process/forked_task.h"
#include "props/verify/outcome.h"

namespace tieout {
namespace {

// Number of cases that run before the measurement, because LibTorch generates code at its first use.
constexpr std::int64_t kWarmUp = 200;

struct Cost {
  double drawing = 0, verifying = 0, engine = 0;  // seconds; `verifying` includes `engine`
};

Cost measure_cost(LibTorch& reference, std::int64_t cases, std::optional<Engine> alone,
                  const GeneratorOptions& options) {
  Cost cost;
  const CaseSetup setup{.reference = reference};
  for (std::int64_t i = -kWarmUp; i < cases; ++i) {
    const auto start = std::chrono::steady_clock::now();
    ConvCase c = case_of(kBenchSeed, static_cast<std::uint64_t>(i + kWarmUp), options);
    if (alone) {
      c.execution = {.engine = *alone};
      if (*alone == Engine::onednn) c.weight_zero_points.assign(c.weight_zero_points.size(), 0);
    }
    const double drawing = seconds_since(start);
    const CaseOutcome outcome = run_case(c, setup, Placement::here);
    if (i < 0) continue;
    cost.drawing += drawing;
    cost.verifying += outcome.seconds;
    cost.engine += outcome.seconds_in_engine;
  }
  return cost;
}

std::string bytes_of(const Cost& cost) { return {reinterpret_cast<const char*>(&cost), sizeof cost}; }

}  // namespace

tl::expected<void, std::string> bench_cases(LibTorch& reference, std::int64_t cases) {
  struct Size {
    const char* name;
    GeneratorOptions options;
  };
  const std::array sizes{Size{"as campaigns draw them", {}}, Size{"small", {.products = kSmallProducts}}};
  constexpr std::array<std::optional<Engine>, 4> kEngines{std::nullopt, Engine::fbgemm, Engine::onednn,
                                                          Engine::qnnpack};
  fmt::print(
      "{} cases each, one process; us a case\n"
      "cases                   engine      cases/s  LibTorch  drawing  verifying  ours/  share in\n"
      "                                                                        theirs LibTorch\n",
      cases);
  for (const Size& size : sizes) {
    for (const std::optional<Engine>& engine : kEngines) {
      if (engine && !reference.available({.engine = *engine})) continue;
      const auto answer =
          run_alone([&] { return bytes_of(measure_cost(reference, cases, engine, size.options)); }, 3600);
      if (!answer) return tl::unexpected(fmt::format("the process that measured died: {}", answer.error().text()));
      Cost cost;
      std::memcpy(&cost, answer->data(), sizeof cost);
      const double us = 1e6 / static_cast<double>(cases);
      const double ours = cost.drawing + cost.verifying - cost.engine;
      fmt::print("{:<23} {:<8} {:>10.0f} {:>9.1f} {:>8.1f} {:>10.1f} {:>6.2f} {:>7.0f} %\n", size.name,
                 engine ? name(*engine) : "all", static_cast<double>(cases) / (cost.drawing + cost.verifying),
                 cost.engine * us, cost.drawing * us, (cost.verifying - cost.engine) * us, ours / cost.engine,
                 100 * cost.engine / (cost.engine + ours));
      std::fflush(stdout);
    }
  }
  return {};
}

}  // namespace tieout
