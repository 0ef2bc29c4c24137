#include "reports/formats/operator_script.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "cases/operators/operator_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string script_of_operator(const std::string& line) { return operator_script(parse_operator(line).value()); }

TEST(OperatorScript, ShowsTheSameBytesInTwoTensors) {
  const std::string text =
      script_of_operator("add shape=3 xs=[0.1,0.2] xz=[3,4] os=0.15 oz=9 relu x=[1,2,3] x2=[3*7] threads=2");
  for (const char* const part :
       {"torch.set_num_threads(2)\n", "x_stored = [1, 2, 3]\nx_scale, x_zero_point = 0.1, 3\n",
        "torch.tensor(x2_stored, dtype=torch.uint8), x2_scale, x2_zero_point).as_strided([3], [1])\n",
        "output_scale, output_zero_point = 0.15, 9\n", "def operator(x, x2):\n",
        "    return torch.ops.quantized.add_relu(x, x2, output_scale, output_zero_point)\n",
        "elements differ from the same values alone"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(OperatorScript, KeepsTheLayout) {
  EXPECT_THAT(script_of_operator("relu shape=1x2x1x2 format=channels_last x=[1,2,3,4]"),
              AllOf(HasSubstr("x_stored = [1, 3, 2, 4]\n"), HasSubstr(".as_strided([1, 2, 1, 2], [4, 1, 4, 2])\n")));
}

TEST(OperatorScript, CallsEveryOperator) {
  for (const OperatorSchema* const schema : operator_schemas()) {
    OperatorCase c = default_case(*schema, schema->least_inputs);
    for (OperatorInput& input : c.inputs) {
      input.shape = {1, 1, 1, 1};
      if (schema->has_float_input) input.floats = {1};
    }
    for (std::size_t i = 0; i < c.attributes.size(); ++i) {
      if (c.attributes[i].empty()) c.attributes[i] = {1};
    }
    ASSERT_TRUE(validate(c)) << schema->name << ": " << validate(c).error().text();
    const std::string text = operator_script(c);
    EXPECT_THAT(text, HasSubstr("    return ")) << schema->name;
  }
  EXPECT_THAT(script_of_operator("cat shape=1x2 xs=[1,2] dim=1"),
              AllOf(HasSubstr("quantized.cat([x, x2], 1, output_scale"), Not(HasSubstr("alone"))));
}

}  // namespace
}  // namespace tieout
