#include "kernels/host/host_protocol.h"

#include <gtest/gtest.h>

#include <limits>

#include "cases/contents.h"
#include "cases/operators/operator_text.h"

namespace tieout {
namespace {

const Shape kShape{1, 1, 1, 3};

TEST(HostProtocol, AProblemIsReadBack) {
  ConvCase c{.dims = 1, .batch = 2, .in_channels = 4, .out_channels = 2, .groups = 2, .input = {1, 1, 5}};
  c.kernel = {1, 1, 3};
  c.stride = {1, 1, 2};
  c.padding = {0, 0, 1};
  c.activation_scale = 0.1;
  c.activation_zero_point = 3;
  c.granularity = Granularity::per_channel;
  c.weight_scales = {0.5, std::numeric_limits<double>::denorm_min()};
  c.weight_zero_points = {0, -3};
  c.output_scale = 0.3;
  c.output_zero_point = 200;
  c.bias = {0.1F, -std::numeric_limits<float>::infinity()};
  c.relu = Relu::on;
  c.extra_end_padding = {0, 0, -1};
  c.activation_type = ActivationType::int8;
  c.output_type = OutputType::int8;
  c.int32_bias = {-1, 7};
  const ConvProblem problem = with_contents(c);
  const Conditions conditions{.placement = Conditions::Placement::at_begin,
                              .output_fill = 1,
                              .memory_fill = 2,
                              .caller = Conditions::Caller::new_thread};
  const auto asked = unpack_problem(pack(7, problem, conditions));
  EXPECT_EQ(asked.value().number, 7U);
  EXPECT_EQ(std::get<ConvProblem>(asked.value().problem), problem);
  EXPECT_EQ(asked.value().conditions, conditions);
}

TEST(HostProtocol, ACallOfAnOperatorIsReadBack) {
  const Conditions conditions{.output_fill = 3};
  for (const char* const line :
       {"avg_pool shape=1x2x5x4 xs=0.3 xz=200 kernel=2x3 stride=2 exclude_pad x=uniform",
        "batch_norm shape=1x2 xs=0.3 os=0.1 oz=9 weight=[1,2] bias=[0.5,0] mean=[0,0] var=[1,1] x=[1,2]",
        "cat shape=2x1 shape2=2x3 shape3=2x1 xs=[1,2,3] dim=-1 x3=[1,2]", "quantize shape=2 os=0.5 x=[1.5,-inf]"}) {
    const OperatorCase c = with_contents(parse_operator(line).value());
    const auto asked = unpack_problem(pack(7, c, conditions));
    ASSERT_TRUE(asked) << line;
    EXPECT_EQ(asked->number, 7U);
    EXPECT_EQ(asked->conditions, conditions);
    EXPECT_EQ(std::get<OperatorCase>(asked->problem), c) << line;
  }
  const std::string message = pack(7, with_contents(parse_operator("relu shape=3").value()), conditions);
  EXPECT_TRUE(unpack_problem(message));
  EXPECT_FALSE(unpack_problem(message + "x"));
  for (std::size_t size = 0; size < message.size(); ++size) EXPECT_FALSE(unpack_problem(message.substr(0, size)));
  std::string other = message;
  other[8] = 2;  // neither a convolution nor another operator
  EXPECT_FALSE(unpack_problem(other));
  std::string unknown = message;
  unknown[17] = 'x';  // the first letter of its name
  EXPECT_FALSE(unpack_problem(unknown));
}

TEST(HostProtocol, AnswersAreReadBack) {
  const SubjectAnswer values = Answers{kShape, {1, 2, 3}};
  EXPECT_EQ(unpack_answer(pack(1, values), 1, kShape).value(), values);
  const SubjectAnswer declined = tl::unexpected(SubjectError{SubjectError::Kind::declined, "groups"});
  EXPECT_EQ(unpack_answer(pack(1, declined), 1, kShape).value(), declined);
  const auto hello = unpack_hello(pack(HostHello{"", "a\033b", "dims=2"}));
  EXPECT_EQ(hello.value().name, "a\\x1bb");
  EXPECT_EQ(hello.value().domain, "dims=2");
  const KernelTypes types{ActivationType::int8, OutputType::int32, true, true};
  EXPECT_EQ(unpack_hello(pack(HostHello{"", "", "", types})).value().types, types);
  const SubjectScope scope{.convolutions = false, .operators = true, .declared = {"add", "relu"}};
  EXPECT_EQ(unpack_hello(pack(HostHello{"", "", "", types, scope})).value().scope, scope);
  EXPECT_FALSE(unpack_hello(pack(HostHello{"", "", "", types, {.declared = {"adds"}}})));
}

// A library may write anything in place of its host.
TEST(HostProtocol, AnswersToOtherProblemsAreRefused) {
  const std::string answer = pack(1, SubjectAnswer(Answers{kShape, {1, 2, 3}}));
  EXPECT_FALSE(unpack_answer(answer, 2, kShape));             // answers the problem before
  EXPECT_FALSE(unpack_answer(answer, 1, Shape{1, 1, 1, 4}));  // has another size
  EXPECT_FALSE(unpack_answer(answer + "x", 1, kShape));
  for (std::size_t size = 0; size < answer.size(); ++size) {
    EXPECT_FALSE(unpack_answer(answer.substr(0, size), 1, kShape)) << size;
  }
  std::string kind = pack(1, SubjectAnswer(tl::unexpected(SubjectError{SubjectError::Kind::died, "a lie"})));
  EXPECT_FALSE(unpack_answer(kind, 1, kShape));  // the host must not report how its own process ended
  for (int other = 6; other < 255; ++other) {
    kind[8] = static_cast<char>(other);
    EXPECT_FALSE(unpack_answer(kind, 1, kShape)) << other;
  }
}

}  // namespace
}  // namespace tieout
