#include "reports/formats/bench_report.h"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace tieout {
namespace {

constexpr const char* kRow = "{:<27} {:>2} {:>7} {:>9} {:>9} {:>9} {:>7} {:>6}{}\n";

std::string microseconds(double seconds) { return fmt::format("{:.1f}", seconds * 1e6); }

// The sums of all layers of a network, each counted as often as it occurs.
struct NetworkTotals {
  std::string network;
  int count = 0;
  double multiply_adds = 0, ours = 0, fbgemm = 0, onednn = 0, at_peak = 0;
};

std::vector<NetworkTotals> network_totals(const std::vector<BenchLayer>& layers) {
  std::vector<NetworkTotals> all;
  for (const BenchLayer& layer : layers) {
    if (all.empty() || all.back().network != layer.network) all.push_back({.network = layer.network});
    NetworkTotals& totals = all.back();
    const double count = layer.count;
    totals.count += layer.count;
    totals.multiply_adds += count * static_cast<double>(layer.multiply_adds);
    totals.ours += count * layer.ours;
    totals.fbgemm += count * layer.fbgemm;
    totals.onednn += count * layer.onednn;
    totals.at_peak += count * static_cast<double>(layer.multiply_adds) / layer.peak;
  }
  return all;
}

std::string totals_line(const NetworkTotals& t) {
  return fmt::format(kRow, "all of " + t.network, t.count, fmt::format("{:.4f}", t.multiply_adds / 1e9),
                     microseconds(t.ours), microseconds(t.fbgemm), microseconds(t.onednn),
                     fmt::format("{:.2f}", std::min(t.fbgemm, t.onednn) / t.ours),
                     fmt::format("{:.0f} %", 100 * t.at_peak / t.ours), "");
}

std::string scaling(const BenchReport& report) {
  std::string text = fmt::format("\n{:<15} {:>7}   {:>18} {:>18} {:>18}\n", "network", "threads", "ours us, scaling",
                                 "FBGEMM us, scaling", "ONEDNN us, scaling");
  const std::vector<NetworkTotals> alone = network_totals(report.runs.front().layers);
  for (const BenchRun& run : report.runs) {
    const std::vector<NetworkTotals> together = network_totals(run.layers);
    for (std::size_t i = 0; i < alone.size() && i < together.size(); ++i) {
      const auto part = [](double one, double many) { return fmt::format("{:.1f} {:>5.2f}", many * 1e6, one / many); };
      text += fmt::format("{:<15} {:>7}   {:>18} {:>18} {:>18}\n", alone[i].network, run.threads,
                          part(alone[i].ours, together[i].ours), part(alone[i].fbgemm, together[i].fbgemm),
                          part(alone[i].onednn, together[i].onednn));
    }
  }
  return text;
}

}  // namespace

double geometric_mean(const std::vector<BenchLayer>& layers) {
  double logarithms = 0;
  int count = 0;
  for (const BenchLayer& layer : layers) {
    logarithms += layer.count * std::log(layer.ratio());
    count += layer.count;
  }
  return count == 0 ? 0 : std::exp(logarithms / count);
}

std::string bench_head(const BenchReport& report) {
  return fmt::format("LibTorch {} on {}; ours: {}, theirs: {}\none thread, least of {} times {} s\n", report.libtorch,
                     report.cpu, report.isa, report.engines, report.repetitions, report.seconds_each) +
         fmt::format(kRow, "layer", "of", "GMAC", "ours us", "FBGEMM us", "ONEDNN us", "faster", "share", "") +
         fmt::format(kRow, "", "", "", "", "", "", "/ ours", "peak", "");
}

std::string bench_line(const BenchLayer& layer) {
  return fmt::format(kRow, layer.name, layer.count,
                     fmt::format("{:.4f}", static_cast<double>(layer.multiply_adds) / 1e9), microseconds(layer.ours),
                     microseconds(layer.fbgemm), microseconds(layer.onednn), fmt::format("{:.2f}", layer.ratio()),
                     fmt::format("{:.0f} %", 100 * layer.share_of_peak()), layer.equal ? "" : "  differs");
}

std::string bench_summary(const BenchReport& report) {
  const std::vector<BenchLayer>& layers = report.runs.front().layers;
  std::string text;
  for (const NetworkTotals& totals : network_totals(layers)) text += totals_line(totals);
  if (report.runs.size() > 1) text += scaling(report);
  return text + fmt::format("geometric mean against the faster of FBGEMM and ONEDNN: {:.2f}\n", geometric_mean(layers));
}

std::string bench_json(const BenchReport& report) {
  nlohmann::ordered_json json{{"cpu", report.cpu},
                              {"libtorch", report.libtorch},
                              {"isa", report.isa},
                              {"engines_isa", report.engines},
                              {"seconds_each", report.seconds_each},
                              {"repetitions", report.repetitions},
                              {"geometric_mean", geometric_mean(report.runs.front().layers)},
                              {"runs", nlohmann::ordered_json::array()}};
  for (const BenchRun& run : report.runs) {
    nlohmann::ordered_json layers = nlohmann::ordered_json::array();
    for (const BenchLayer& layer : run.layers) {
      layers.push_back({{"network", layer.network},
                        {"name", layer.name},
                        {"count", layer.count},
                        {"multiply_adds", layer.multiply_adds},
                        {"ours_seconds", layer.ours},
                        {"fbgemm_seconds", layer.fbgemm},
                        {"onednn_seconds", layer.onednn},
                        {"peak_multiply_adds_per_second", layer.peak},
                        {"ratio", layer.ratio()},
                        {"share_of_peak", layer.share_of_peak()},
                        {"equal", layer.equal}});
    }
    json["runs"].push_back({{"threads", run.threads}, {"layers", std::move(layers)}});
  }
  return json.dump(2) + "\n";
}

}  // namespace tieout
