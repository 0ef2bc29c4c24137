// Tests that the probes find each fault of the faulty operators, and that the diagnosis names it.

#include "props/selftest/operator_selftest.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "cases/operators/operator_text.h"
#include "kernels/operators/operator_kernel.h"
#include "props/identify/operator_probes.h"

namespace tieout {
namespace {

class FaultyOperators : public testing::TestWithParam<const OperatorSchema*> {};

// There are three implementations of the specification. Finding the faults proves nothing unless the kernel without one
// equals the specification on the probes, and so do the variants without a change.
TEST_P(FaultyOperators, TheCorrectKernelIsTheSpecification) {
  const auto subject = linked_operator_subject("correct", correct_operator, nullptr);
  for (std::uint64_t index = 0; index < 60; ++index) {
    const OperatorCase c = with_contents(operator_probe(*GetParam(), 9, index));
    ASSERT_TRUE(validate(c)) << print(c).substr(0, 300);
    const OperatorOutput specified = operator_kernel(c);
    ASSERT_EQ(subject->run_operator(c), specified.values) << print(c).substr(0, 300);
    ASSERT_EQ(compute_changed(c, {}), specified) << print(c).substr(0, 300);
  }
}

TEST_P(FaultyOperators, AreFoundAndNamed) {
  // The rarest fault needs 259 probes of seed 1 until all variants but its own are refuted.
  const std::vector<OperatorCase> probes = operator_probes(*GetParam(), 1, 300);
  int faults = 0;
  for (const FaultyOperator& faulty : faulty_operators()) {
    if (!applies(faulty, *GetParam())) continue;
    ++faults;
    const OperatorHunt hunt = hunt_operator(faulty, probes);
    std::string alike;
    for (const OperatorVariant& variant : hunt.alike) alike += variant.name + "; ";
    EXPECT_TRUE(is_right(hunt, faulty)) << faulty.name << ": found after " << hunt.found << ", named after "
                                        << hunt.named << ", alike: " << alike;
  }
  EXPECT_GE(faults, 5);
}

INSTANTIATE_TEST_SUITE_P(, FaultyOperators, testing::ValuesIn(operator_schemas()),
                         [](const auto& tested) { return std::string(tested.param->name); });

TEST(OperatorChanges, HaveNamesOfTheirOwnAndAnOperator) {
  std::set<std::string_view> names;
  for (const ChangeEntry& entry : change_entries()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.what.empty() || entry.instead.empty()) << entry.name;
    // Each word of the list is the name of an operator.
    std::string word;
    for (const char letter : entry.operators) {
      if (letter != ' ') {
        word += letter;
        continue;
      }
      EXPECT_NE(find_operator(word), nullptr) << entry.name << ": " << word;
      word.clear();
    }
    EXPECT_EQ(word, "") << entry.name << ": no space behind the last name";
  }
}

}  // namespace
}  // namespace tieout
