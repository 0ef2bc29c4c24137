// Compares the observers with python's on about three hundred streams of data, from oracle/testdata/make_observers.py.

#include "oracle/libtorch/observers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "cases/random.h"
#include "cases/testing/parsed.h"

namespace tieout {
namespace {

using nlohmann::json;

double draw(Random& random, const std::string& kind) {
  const double u = random.unit();
  if (kind == "uniform") return 2 * u - 1;
  if (kind == "bell") {
    double sum = u;
    for (int i = 0; i < 3; ++i) sum += random.unit();
    return sum - 2;
  }
  if (kind == "heavy") {
    const double v = 2 * u - 1;
    return v * v * v * v * v * v * v;
  }
  if (kind == "relu") return std::max(u + random.unit() - 1, 0.0);
  if (kind == "steps") return std::floor(u * 16) * 0.25;
  if (kind == "constant") return 1;
  if (kind == "sparse") return u < 0.125 ? 2 * random.unit() - 1 : 0;
  const double v = random.unit();  // two_humps
  return u < 0.75 ? v - 4 : v + 2;
}

std::vector<float> draw(const json& batch) {
  Random random(batch["seed"].get<std::uint64_t>());
  std::vector<float> values(batch["count"].get<std::size_t>());
  for (float& value : values) {
    value = static_cast<float>(draw(random, batch["kind"]) * from_hex(batch["scale"]) + from_hex(batch["shift"]));
  }
  if (batch.contains("infinities")) {
    values[0] = std::numeric_limits<float>::infinity();
    values[values.size() / 2] = -std::numeric_limits<float>::infinity();
  }
  return values;
}

// Returns the FNV-1a hash of the little-endian bytes.
std::string hash(std::span<const float> values) {
  std::uint64_t h = 0xcbf29ce484222325U;
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned shift = 0; shift < 32; shift += 8) h = (h ^ ((bits >> shift) & 0xffU)) * 0x100000001b3U;
  }
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[(h >> (60 - 4 * i)) & 0xfU];
  return text;
}

json witness() { return json::parse(std::ifstream(TIEOUT_SOURCE_DIR "/oracle/testdata/observers.json")); }

TEST(HistogramObserver, EqualsPython) {
  const json entries = witness()["histograms"];
  ASSERT_GE(entries.size(), 300U);
  for (const json& entry : entries) {
    HistogramObserver observer(entry["reduced"] ? QuantizedRange::reduced : QuantizedRange::full);
    for (const json& batch : entry["batches"]) ASSERT_TRUE(observer.observe(draw(batch)));
    EXPECT_EQ(hash(observer.histogram()), entry["histogram"].get<std::string>()) << entry;
    const QuantizationParameters found = observer.parameters();
    EXPECT_EQ(static_cast<double>(found.scale), from_hex(entry["scale"])) << entry;
    EXPECT_EQ(found.zero_point, entry["zero_point"].get<std::int64_t>()) << entry;
  }
}

TEST(PerChannelScales, EqualPython) {
  const json entries = witness()["channels"];
  ASSERT_GE(entries.size(), 60U);
  for (const json& entry : entries) {
    const auto scales = per_channel_scales(draw(entry["batch"]), entry["channels"].get<std::int64_t>());
    ASSERT_TRUE(scales);
    ASSERT_EQ(scales->size(), entry["scales"].size());
    for (std::size_t k = 0; k < scales->size(); ++k) {
      EXPECT_EQ(static_cast<double>((*scales)[k]), from_hex(entry["scales"][k])) << entry;
    }
  }
}

TEST(HistogramObserver, WithoutDataGivesPythonsDefault) {
  HistogramObserver observer(QuantizedRange::reduced);
  EXPECT_TRUE(observer.observe({}));
  EXPECT_TRUE(observer.observe(std::vector{std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(observer.parameters(), (QuantizationParameters{1, 0}));
}

TEST(HistogramObserver, OneLargeValueFallsIntoBinsOfTheNextFloats) {
  HistogramObserver observer(QuantizedRange::reduced);
  ASSERT_TRUE(observer.observe(std::vector{0x1p24F, 0x1p24F}));
  EXPECT_EQ(observer.histogram()[682], 2);  // bin 682 of 2048: the float below 2^24 is 1 away, the one above is 2 away
}

TEST(HistogramObserver, RefusesInputsOnWhichPythonFails) {
  HistogramObserver observer(QuantizedRange::reduced);
  EXPECT_FALSE(observer.observe(std::vector{1.0F, std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_FALSE(observer.observe(std::vector{-3e38F, 3e38F}));
  EXPECT_TRUE(observer.histogram().empty());
  EXPECT_FALSE(per_channel_scales(std::vector{std::numeric_limits<float>::quiet_NaN()}, 1));
}

}  // namespace
}  // namespace tieout
