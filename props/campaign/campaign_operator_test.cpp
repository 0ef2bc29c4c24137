// Tests campaigns of operators on references that are made wrong on purpose.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cases/operators/operator_text.h"
#include "props/campaign/case_at.h"
#include "props/campaign/test_campaign.h"
#include "props/operators/operator_subject.h"
#include "props/verify/stand_in_reference.h"

namespace tieout {
namespace {

using testing::HasSubstr;

// Is wrong where the first input is above 200.
OperatorOutput two_more_above_200(const OperatorCase& c, OperatorOutput y) {
  for (std::size_t i = 0; i < y.values.values.size(); ++i) {
    if (c.inputs.front().contents.values[i] > 200) y.values.values[i] = (y.values.values[i] + 2) % 256;
  }
  return y;
}

TEST(OperatorCampaign, FindsWrongElementsAndDoesNotDependOnWorkers) {
  StandInReference wrong({}, two_more_above_200);
  CampaignOptions options{.cases = 700, .seed = 4};
  options.convolutions = false;
  options.operators = {find_operator("relu"), find_operator("clamp")};
  const auto run = [&](int workers) {
    options.workers = workers;
    return run_whole_campaign(options, wrong);
  };
  const RunSummary one = run(1);
  const RunSummary three = run(3);
  EXPECT_TRUE(one.finished);
  EXPECT_EQ(one.cases.verified(), 700);
  EXPECT_GT(one.cases.differed, 100);
  EXPECT_EQ(one.cells.size(), 2U);
  ASSERT_FALSE(one.findings.empty());
  EXPECT_EQ(one.findings, three.findings);
  EXPECT_EQ(one.cases, three.cases);
  const Finding& first = one.findings.front();
  EXPECT_TRUE(names_operator(first.case_line));
  EXPECT_LT(first.case_line.size(), first.original_line.size());
  EXPECT_THAT(first.explanation, HasSubstr("computed by scalar code"));
}

TEST(OperatorCampaign, CrashesCostOneCase) {
  StandInReference dies({}, [](const OperatorCase& c, OperatorOutput y) -> OperatorOutput {
    if (c.threads == 3) std::abort();
    return y;
  });
  CampaignOptions options{.cases = 60, .seed = 4};
  options.convolutions = false;
  options.operators = {find_operator("relu")};
  const RunSummary run = run_whole_campaign(options, dies);
  EXPECT_GT(run.cases.crashed, 0);
  EXPECT_EQ(run.cases.crashed + run.cases.passed, 60);
  ASSERT_FALSE(run.findings.empty());
  EXPECT_EQ(run.findings.front().failure, "died: SIGABRT");
}

// Where a kernel declines an operator, a case of another one takes its place.
TEST(OperatorCampaign, VerifiesWhatASubjectTakes) {
  StandInReference reference;
  const auto subject = linked_operator_subject(
      "mine",
      [](const tieout_operator* c) -> const char* {
        if (std::string_view(c->name) != "relu") return "not relu";
        for (std::int64_t i = 0; i < c->output_count; ++i) {
          const std::int64_t y = std::max<std::int64_t>(c->inputs[0].bytes[i], c->output_zero_point);
          c->output[i] = static_cast<std::uint8_t>(y == 250 ? 251 : y);
        }
        return nullptr;
      },
      nullptr);
  CampaignOptions options{.cases = 60, .seed = 4, .subject = subject.get()};
  options.convolutions = false;
  options.operators = {find_operator("clamp"), find_operator("relu")};
  const RunSummary run = run_campaign(options, reference, {.so_far = empty_run(options, reference)},
                                      {.progress = [](auto&, auto&) { return true; }});
  EXPECT_EQ(run.cases.verified(), 60);
  EXPECT_EQ(run.cases.skipped, 0);
  EXPECT_EQ(run.declined.at("not relu"), 30);
  EXPECT_GT(run.cases.differed, 5);
  ASSERT_FALSE(run.findings.empty());
  const Finding& first = run.findings.front();
  EXPECT_EQ(first.subject, "mine");
  EXPECT_EQ(first.mismatch_class, kOtherArithmetic);
  EXPECT_EQ(element_count(parse_operator(first.case_line)->inputs.front().shape), 1) << first.case_line;
  EXPECT_THAT(first.explanation, HasSubstr("mine gives: 251"));
}

TEST(OperatorCampaign, ConvolutionsKeepTheirSequence) {
  const CampaignOptions plain{.seed = 9};
  CampaignOptions mixed = plain;
  mixed.operators = {find_operator("add"), find_operator("mul")};
  std::vector<std::string> convolutions;
  std::vector<std::string_view> operators;
  for (std::int64_t index = 0; index < 24; ++index) {
    const AnyCase c = draw_any(mixed, index);
    if (const auto* const conv = std::get_if<ConvCase>(&c)) {
      EXPECT_EQ(strategy_name(mixed, index), strategy_name(plain, std::ssize(convolutions)));
      convolutions.push_back(print(*conv));
    } else {
      EXPECT_EQ(strategy_name(mixed, index), "operators");
      operators.push_back(std::get<OperatorCase>(c).schema->name);
    }
  }
  ASSERT_EQ(convolutions.size(), 18U);
  for (std::size_t i = 0; i < convolutions.size(); ++i) {
    EXPECT_EQ(convolutions[i], print(draw(plain, static_cast<std::int64_t>(i))));
  }
  EXPECT_EQ(operators, (std::vector<std::string_view>{"add", "mul", "add", "mul", "add", "mul"}));
}

}  // namespace
}  // namespace tieout
