#include "kernels/host/process_subject.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "cases/contents.h"
#include "cases/operators/operator_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

using Kind = SubjectError::Kind;

ConvProblem small_problem() {
  ConvCase c{.input = {1, 1, 3}};
  c.activation = {Fill::listed, {7, 8, 9}};
  c.weight = {Fill::listed, {1}};
  return with_contents(c);
}

// Returns a command line that answers the greeting, reads one problem's line and its 4 bytes, and then runs `then`.
std::string program(const std::string& then) {
  return "read hello; echo ok; read problem; head -c 4 >/dev/null; " + then;
}

tl::expected<Answers, SubjectError> answer_of(const std::string& command, double seconds = 20) {
  return process_subject(command)->run(small_problem(), {.seconds = seconds});
}

TEST(RequestLine, HasEveryWord) {
  ConvCase c{.dims = 1, .batch = 2, .in_channels = 4, .out_channels = 2, .groups = 2, .input = {1, 1, 5}};
  c.kernel = {1, 1, 3};
  c.padding = {0, 0, 1};
  c.activation_scale = 0.1;  // needs 17 digits to be read back as the same double
  c.granularity = Granularity::per_channel;
  c.weight_scales = {0.5, 0.25};
  c.weight_zero_points = {0, -3};
  c.bias = {0.1F, -2};
  c.relu = Relu::on;
  EXPECT_EQ(
      request_line(c),
      "conv dims=1 batch=2 in_channels=4 out_channels=2 groups=2 input=1,1,5 kernel=1,1,3 stride=1,1,1 padding=0,0,1 "
      "dilation=1,1,1 output=1,1,5 xs=0.10000000000000001 xz=0 per_channel=1 ws=0.5,0.25 wz=0,-3 os=1 oz=0 relu=1 "
      "bias=0.100000001,-2\n");
  EXPECT_THAT(request_line({}), HasSubstr(" bias=none\n"));
}

OperatorCase operator_case(const std::string& line) { return with_contents(parse_operator(line).value()); }

TEST(RequestLine, HasTheWordsOfAnOperator) {
  EXPECT_EQ(operator_request_line(operator_case("add shape=1x2x3 shape2=scalar xs=[0.1,2] xz=[3,0] os=0.5 oz=9 relu")),
            "operator name=add inputs=2 shape=1x2x3,scalar xs=0.10000000000000001,2 xz=3,0 output=1x2x3 os=0.5 oz=9 "
            "relu=1\n");
  EXPECT_EQ(operator_request_line(operator_case("avg_pool shape=1x1x3x3 kernel=2 stride=1x2")),
            "operator name=avg_pool inputs=1 shape=1x1x3x3 xs=1 xz=0 output=1x1x2x1 os=1 oz=0 kernel=2,2 stride=1,2 "
            "padding=0,0 ceil_mode=0 exclude_pad=0 divisor=0\n");
  EXPECT_EQ(operator_request_line(operator_case("quantize shape=1 os=0.5 x=[1]")),
            "operator name=quantize inputs=1 shape=1 output=1 os=0.5 oz=0\n");
  EXPECT_EQ(operator_request_line(operator_case("dequantize shape=1")),
            "operator name=dequantize inputs=1 shape=1 xs=1 xz=0 output=1\n");
}

// The program writes what it has read: the channels last, as it declares.
TEST(ProcessSubject, AnswersOperatorsThatItDeclares) {
  const auto echo = process_subject(
      "read -r hello; echo ok activation=nhwc operators=relu,mul; read -r line; bytes=$(head -c 4); printf 'ok "
      "4\\n%s' \"$bytes\"; cat >/dev/null");
  const OperatorCase c = operator_case("relu shape=1x2x1x2 x=[65,66,67,68]");
  const auto y = echo->run_operator(c);
  ASSERT_TRUE(y) << y.error().message;
  EXPECT_EQ(y->values, (std::vector<std::int32_t>{65, 66, 67, 68}));
  EXPECT_EQ(echo->scope(), (SubjectScope{.operators = true, .declared = {"relu", "mul"}}));
  EXPECT_EQ(echo->run_operator(operator_case("clamp shape=4")).error(),
            (SubjectError{Kind::declined, "clamp: its greeting does not name this operator"}));
  const auto silent = process_subject("read -r hello; echo ok; cat >/dev/null");
  EXPECT_EQ(silent->run_operator(c).error(), (SubjectError{Kind::declined, kNoOperators}));
  const auto only = process_subject("read -r hello; echo ok convolutions=0 operators=relu; cat >/dev/null");
  EXPECT_EQ(only->run(small_problem()).error(), (SubjectError{Kind::declined, kNoConvolutions}));
  const auto wrong = process_subject("read -r hello; echo ok operators=relus; cat >/dev/null")->load();
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("'operators=relus' names an operator that does not exist"));
}

TEST(RequestLine, HasTheWordsOfTheDeclaredTypes) {
  ConvCase c{.input = {1, 1, 4}, .activation_zero_point = 10, .output_zero_point = 100, .int32_bias = {-7}};
  c.extra_end_padding = {0, 0, 1};
  const std::string line = request_line(c, {ActivationType::int8, OutputType::int8, true, true});
  EXPECT_THAT(line, HasSubstr(" padding=0,0,0 padding_end=0,0,1 "));
  EXPECT_THAT(line, HasSubstr(" xz=-118 "));
  EXPECT_THAT(line, HasSubstr(" oz=-28 "));
  EXPECT_THAT(line, HasSubstr(" int32_bias=-7\n"));
  EXPECT_THAT(line, Not(HasSubstr(" bias=")));
}

// Of `printf`, \377 is the int8 -1.
TEST(ProcessSubject, DeclaresItsTypes) {
  const auto int8 = process_subject(
      "read -r hello; echo ok activation_type=int8 output_type=int8 bias_type=int32; "
      "read -r line; printf 'ok 3\\n\\377\\000\\001'; cat >/dev/null");
  const auto y = int8->run(small_problem());
  ASSERT_TRUE(y) << y.error().message;
  EXPECT_EQ(y->values, (std::vector<std::int32_t>{127, 128, 129}));
  EXPECT_EQ(int8->types(), (KernelTypes{ActivationType::int8, OutputType::int8, true, false}));
  ConvProblem biased = small_problem();
  biased.spec.bias = {1};
  EXPECT_EQ(int8->run(biased).error(), (SubjectError{Kind::declined, "a float bias"}));

  ConvProblem sums = small_problem();
  sums.spec.output_type = OutputType::int32;
  const auto z = process_subject(
                     "read -r hello; echo ok output_type=int32; read -r line; "
                     "printf 'ok 12\\n\\001\\000\\000\\000\\377\\377\\377\\377\\000\\001\\000\\000'; "
                     "cat >/dev/null")
                     ->run(sums);
  ASSERT_TRUE(z) << z.error().message;
  EXPECT_EQ(z->values, (std::vector<std::int32_t>{1, -1, 256}));
}

TEST(ProcessSubject, AnswersAndDeclines) {
  const auto y = answer_of(program("printf 'ok 3\\nabc'"));
  ASSERT_TRUE(y) << y.error().message;
  EXPECT_EQ(y->values, (std::vector<std::int32_t>{'a', 'b', 'c'}));
  EXPECT_EQ(answer_of(program("echo declined too wide")).error(), (SubjectError{Kind::declined, "too wide"}));
}

TEST(ProcessSubject, CrashesAndHangsAreErrorsAndTheNextCallStartsTheProgramAgain) {
  const auto dies = process_subject(program("kill -SEGV $$"));
  EXPECT_EQ(dies->run(small_problem()).error(), (SubjectError{Kind::died, "SIGSEGV"}));
  EXPECT_EQ(dies->run(small_problem()).error().kind, Kind::died);
  EXPECT_EQ(answer_of(program("exit 3")).error(), (SubjectError{Kind::died, "exit with status 3"}));
  EXPECT_EQ(answer_of(program("sleep 100"), 0.2).error().kind, Kind::hung);
}

TEST(ProcessSubject, GivesItsNameAndDomain) {
  const auto subject = process_subject("echo 'ok weight=ohwi name=mine domain=dims=2 kernel=3x3'; sleep 100");
  EXPECT_EQ(subject->name(), subject->text().substr(8));
  ASSERT_TRUE(subject->load());
  EXPECT_EQ(subject->name(), "mine");
  EXPECT_EQ(subject->domain(), "dims=2 kernel=3x3");
}

TEST(ProcessSubject, TheTimeToStartIsLimited) {
  const auto refused = process_subject("sleep 100")->load(0.1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("said nothing: hang"));
}

TEST(ProcessSubject, InvalidAnswersAreReported) {
  EXPECT_EQ(answer_of(program("printf 'ok 2\\nab'")).error(),
            (SubjectError{Kind::misbehaved, "answers 'ok 2', and neither 'ok 3' nor 'declined'"}));
  EXPECT_EQ(answer_of("echo hello; sleep 100").error().kind, Kind::absent);
  EXPECT_EQ(answer_of("no_such_program").error().kind, Kind::absent);
  for (const char* const hello : {"not ok", "okay", "ok ok", " ok", "ok activation=NHWC", "ok  weight=ohwi", "OK"}) {
    EXPECT_EQ(answer_of("read hello; echo '" + std::string(hello) + "'; sleep 100").error().kind, Kind::absent)
        << hello;
  }
  EXPECT_THAT(answer_of("echo ok activation=hwcn; sleep 100").error().message, HasSubstr("nchw or nhwc"));
}

}  // namespace
}  // namespace tieout
