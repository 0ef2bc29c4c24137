#include "cases/contents.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tieout {
namespace {

ConvCase wide(Fill fill) {
  ConvCase c{.in_channels = 64, .out_channels = 32, .input = {1, 8, 8}, .activation_zero_point = 9, .seed = 5};
  c.activation.fill = fill;
  c.weight.fill = fill;
  return c;
}

// Contents must be the same bytes on every machine and compiler, in every release: a case line from last year must
// still replay.
TEST(Contents, KeepTheirValuesInAllVersions) {
  const ConvProblem p = with_contents(wide(Fill::uniform));
  const std::vector<std::uint8_t> x(p.activation.begin(), p.activation.begin() + 6);
  const std::vector<std::int8_t> w(p.weight.begin(), p.weight.begin() + 6);
  EXPECT_EQ(x, (std::vector<std::uint8_t>{115, 60, 211, 141, 238, 9}));
  EXPECT_EQ(w, (std::vector<std::int8_t>{-46, -17, -66, 94, -56, 86}));
}

TEST(Contents, EveryFillStaysInItsRangeAndReachesItsEnds) {
  struct Expected {
    Fill fill;
    int x_low, x_high, w_low, w_high;
  };
  for (const auto& [fill, x_low, x_high, w_low, w_high] :
       {Expected{Fill::uniform, 0, 255, -128, 127}, Expected{Fill::edges, 0, 255, -128, 127},
        Expected{Fill::extremes, 0, 255, -128, 127}, Expected{Fill::reduced, 0, 127, -128, 127},
        Expected{Fill::small, 0, 3, -5, 4}}) {
    const ConvProblem p = with_contents(wide(fill));
    const auto [x_min, x_max] = std::minmax_element(p.activation.begin(), p.activation.end());
    const auto [w_min, w_max] = std::minmax_element(p.weight.begin(), p.weight.end());
    EXPECT_EQ(*x_min, x_low);
    EXPECT_EQ(*x_max, x_high);
    EXPECT_EQ(*w_min, w_low);
    EXPECT_EQ(*w_max, w_high);
  }
}

TEST(Contents, SparseIsMostlyTheZeroPoint) {
  const ConvProblem p = with_contents(wide(Fill::sparse));
  EXPECT_GT(std::count(p.activation.begin(), p.activation.end(), 9), std::ssize(p.activation) * 3 / 4);
}

TEST(Contents, ListingTheContentsKeepsTheProblem) {
  const ConvProblem p = with_contents(wide(Fill::edges));
  const ConvProblem again = with_contents(listed(p));
  EXPECT_EQ(again.activation, p.activation);
  EXPECT_EQ(again.weight, p.weight);
}

TEST(Contents, ListingOneTensorKeepsTheOther) {
  const ConvProblem p = with_contents(wide(Fill::uniform));
  ConvCase c = p.spec;
  c.activation = {Fill::listed, p.activation};
  EXPECT_EQ(with_contents(c).weight, p.weight);
}

}  // namespace
}  // namespace tieout
