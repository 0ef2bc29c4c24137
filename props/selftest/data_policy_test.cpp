#include "props/selftest/data_policy.h"

#include <gtest/gtest.h>

#include "cases/text/case_text.h"
#include "props/selftest/fault.h"

namespace tieout {
namespace {

TEST(DataPolicy, CasesAreValidAndKeepToTheRanges) {
  for (const DataPolicy& policy : data_policies()) {
    for (std::uint64_t index = 0; index < 50; ++index) {
      Random random(3, index);
      const ConvCase c = draw_policy_case(policy, random);
      ASSERT_TRUE(validate(c)) << policy.name << ' ' << validate(c).error().text();
      for (const std::uint8_t x : c.activation.values) ASSERT_LE(x, policy.x_high);
      for (const std::int8_t w : c.weight.values) ASSERT_TRUE(policy.w_low <= w && w <= policy.w_high);
    }
  }
}

std::int64_t taken_by(std::string_view policy_name, KernelFunction kernel) {
  const auto subject = linked_subject("subject", kernel, nullptr);
  for (const DataPolicy& policy : data_policies()) {
    if (policy.name == policy_name) return cases_to_notice(policy, *subject, 60, 1);
  }
  return -1;
}

KernelFunction kernel_of(Fault fault) {
  for (const FaultyKernel& faulty : faulty_kernels()) {
    if (faulty.fault == fault) return faulty.kernel;
  }
  return nullptr;
}

// A scale that is 0.1 % too large changes results by one, which an exact comparison detects and a tolerance of one does
// not.
TEST(DataPolicy, TolerancesAreTheirs) {
  for (const char* name : {"FBGEMM", "ONNX Runtime", "TFLite", "benchdnn"}) {
    EXPECT_EQ(taken_by(name, correct_kernel), 0) << name;
  }
  EXPECT_GT(taken_by("ONNX Runtime", kernel_of(Fault::multiplier_off_by_1e_3)), 0);
  EXPECT_EQ(taken_by("TFLite", kernel_of(Fault::multiplier_off_by_1e_3)), 0);
  EXPECT_GT(taken_by("XNNPACK", kernel_of(Fault::clamp_missing)), 0);
}

}  // namespace
}  // namespace tieout
