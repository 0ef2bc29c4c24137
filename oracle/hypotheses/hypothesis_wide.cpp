#include "oracle/hypotheses/hypothesis_wide.h"

#include <algorithm>
#include <cmath>

#include "oracle/element/exact_number.h"
#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

std::int64_t exact_raw(const Window& window, Trace* trace) {
  step(trace, "accumulator", window.products, "sum of x * w, exactly");
  return step(trace, "raw", window.exact_sum(), "sum of (x - xz) * (w - wz), exactly");
}

struct Scales {
  double xs, ws, os;
};

// Returns the integer that (raw * xs * ws + bias) / os rounds to, ties to even, clamped to lowest..highest. guess: the
// value computed in float64, where the search starts.
std::int64_t exactly_rounded(std::int64_t raw, const Scales& s, double bias, std::int64_t lowest, std::int64_t highest,
                             double guess) {
  // The guess differs from the exact value by four roundings, each of a number no larger than these two. If no tie is
  // within that distance, the guess decides.
  const double doubt = 0x1p-50 * (std::fabs(static_cast<double>(raw) * s.xs * s.ws) + std::fabs(bias)) / s.os;
  const double clamped = std::clamp(guess, static_cast<double>(lowest), static_cast<double>(highest));
  if (std::fabs(guess) < 0x1p20 && std::isnormal(doubt) && std::fabs(guess - std::floor(guess) - 0.5) > doubt) {
    return static_cast<std::int64_t>(ties_to_even(clamped));
  }
  ExactNumber twice = ExactNumber::product(2 * raw, s.xs, s.ws);
  twice += ExactNumber::product(2, bias);
  // True if the value rounds to n or above: it lies above n - 1/2, or on it for even n.
  const auto reaches = [&](std::int64_t n) {
    ExactNumber above = twice;
    above -= ExactNumber::product(2 * n - 1, s.os);
    return above.sign() > 0 || (above.sign() == 0 && n % 2 == 0);
  };
  auto n = static_cast<std::int64_t>(ties_to_even(clamped));
  while (n > lowest && !reaches(n)) --n;
  while (n < highest && reaches(n + 1)) ++n;
  return n;
}

std::uint8_t exact(const Window& window, const Scales& s, Trace* trace) {
  const std::int64_t raw = exact_raw(window, trace);
  const auto bias = static_cast<double>(window.bias.value_or(0));
  if (window.bias) step(trace, "bias", bias, "as it is, in real units");
  const double scaled = step(trace, "scaled", (static_cast<double>(raw) * s.xs * s.ws + bias) / s.os,
                             "(raw * xs * ws + bias) / os; exact, shown as float64");
  const std::int64_t lowest = lowest_output(window) - window.oz;
  const std::int64_t highest = 255 - window.oz;
  std::int64_t rounded = bias < 0 ? lowest : highest;  // for an infinite bias
  if (std::isfinite(bias)) rounded = exactly_rounded(raw, s, bias, lowest, highest, scaled);
  step(trace, "rounded", rounded, "to nearest, ties to even; clamped to what fits the output");
  return static_cast<std::uint8_t>(step(trace, "result", rounded + window.oz, "rounded + oz"));
}

}  // namespace

std::uint8_t integer_float64(const Window& window, Trace* trace) {
  double sum = static_cast<double>(exact_raw(window, trace));
  const double unit = window.xs * window.ws;
  if (window.bias) {
    const double steps = step(trace, "bias", static_cast<double>(*window.bias) / unit, "bias / (xs * ws), float64");
    sum = step(trace, "with bias", sum + steps, "raw + bias, float64");
  }
  const double multiplier = step(trace, "multiplier", unit / window.os, "(xs * ws) / os, float64");
  const double scaled = step(trace, "scaled", sum * multiplier, "raw with bias * multiplier, float64");
  const double rounded = step(trace, "rounded", ties_to_even(scaled), "to nearest, ties to even");
  return saturated(window, rounded, lowest_output(window), trace);
}

std::uint8_t integer_exact(const Window& window, Trace* trace) {
  const auto as_float32 = [](double scale) { return static_cast<double>(static_cast<float>(scale)); };
  return exact(window, {as_float32(window.xs), as_float32(window.ws), as_float32(window.os)}, trace);
}

std::uint8_t integer_exact_float64_scales(const Window& window, Trace* trace) {
  return exact(window, {window.xs, window.ws, window.os}, trace);
}

}  // namespace tieout
