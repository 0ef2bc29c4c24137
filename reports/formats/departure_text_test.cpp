#include "reports/formats/departure_text.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

TEST(DepartureSentences, CountCasesAndElementsByCause) {
  RunSummary run;
  EXPECT_TRUE(departure_sentences(run).empty());
  run.departures = {{"bias is rounded twice", {.cases = 1, .elements = 1}},
                    {"pairs saturate", {.cases = 1234, .elements = 567890}}};
  run.accepted_deviations = {{"adds the bias once", 1}, {"follows exact sums", 2345}};
  EXPECT_EQ(
      departure_sentences(run),
      (std::vector<std::string>{
          "1 element in 1 case is equal to LibTorch's values but not to the exact contract's, because bias is "
          "rounded twice.",
          "567,890 elements in 1,234 cases are equal to LibTorch's values but not to the exact contract's, because "
          "pairs saturate.",
          "1 case counts as equal although some values are not LibTorch's, because the subject adds the bias once.",
          "2,345 cases count as equal although some values are not LibTorch's, because the subject follows exact "
          "sums."}));
}

}  // namespace
}  // namespace tieout
