#include "cli/bench/benchmark_layers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cases/validate.h"

namespace tieout {
namespace {

// The numbers of convolutions and of their multiply-adds for one image are the published ones, without the classifier.
TEST(Networks, HaveTheirPublishedSizes) {
  const auto all = networks();
  ASSERT_EQ(all.size(), 2U);
  const auto totals = [](const Network& network) {
    std::int64_t count = 0, products = 0;
    for (const NetworkLayer& layer : network.layers) {
      EXPECT_TRUE(validate(layer.spec)) << layer.name << ": " << validate(layer.spec).error().text();
      count += layer.count;
      products += layer.count * element_count(output_shape(layer.spec)) * reduction_length(layer.spec);
    }
    return std::pair(count, products);
  };
  EXPECT_EQ(totals(all[0]), std::pair(std::int64_t{53}, std::int64_t{4'089'184'256 - std::int64_t{2048} * 1000}));
  EXPECT_EQ(totals(all[1]), std::pair(std::int64_t{52}, std::int64_t{300'774'272 - std::int64_t{1280} * 1000}));
}

}  // namespace
}  // namespace tieout
