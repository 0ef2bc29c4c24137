#include "kernels/host/host_protocol.h"

#include <gtest/gtest.h>

#include <limits>

#include "cases/contents.h"

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
  EXPECT_EQ(asked.value().problem, problem);
  EXPECT_EQ(asked.value().conditions, conditions);
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
