#include "props/selftest/selftest.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "props/generate/strategy.h"
#include "props/verify/stand_in_reference.h"

namespace tieout {
namespace {

// Finding the faults proves nothing unless the kernel without a fault equals the specification on the hunting cases.
TEST(Faults, TheCorrectKernelIsTheSpecification) {
  const auto correct = linked_subject("correct", correct_kernel, nullptr);
  for (std::uint64_t index = 0; index < 400; ++index) {
    const ConvProblem problem = with_contents(case_of(9, index, kForSubjects));
    const auto y = correct->run(problem);
    ASSERT_TRUE(y) << print(problem.spec);
    ASSERT_EQ(y->values, conv_relu(problem, {}).values) << print(problem.spec);
  }
}

TEST(Faults, AreManyAndHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const FaultyKernel& faulty : faulty_kernels()) names.insert(faulty.name);
  EXPECT_EQ(names.size(), faulty_kernels().size());
  EXPECT_GE(names.size(), 100U);
}

Hunt hunt_for(std::string_view name, double shrink_seconds = 20) {
  StandInReference reference;
  for (const FaultyKernel& faulty : faulty_kernels()) {
    if (faulty.name != name) continue;
    const auto subject = linked_subject(std::string(name), faulty.kernel, nullptr);
    return hunt(*subject, reference, {.cases = 500, .shrink_seconds = shrink_seconds});
  }
  return {};
}

// There is one fault of each kind: values, state, conduct, a crash.
TEST(Hunt, FindsTheFaultAndASmallCase) {
  for (const char* name : {"round_half_away", "kept_weights_by_shape", "writes_into_activation", "null_bias"}) {
    const Hunt found = hunt_for(name);
    EXPECT_TRUE(found.found) << name;
    EXPECT_LT(found.size, 100) << name << ": " << found.finding.case_line;
  }
}

TEST(Hunt, DoesNotFindWhatIsNotThere) {
  StandInReference reference;
  const auto correct = linked_subject("correct", correct_kernel, nullptr);
  const Hunt hunted = hunt(*correct, reference, {.cases = 300});
  EXPECT_FALSE(hunted.found) << hunted.finding.case_line;
  EXPECT_EQ(hunted.cases, 300);
}

}  // namespace
}  // namespace tieout
