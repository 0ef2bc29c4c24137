// Tests what a kernel of operators receives through the C interface, and which of its errors are detected.

#include "kernels/subject/operator_call.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <immintrin.h>

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>

#include "cases/operators/operator_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;

using Kind = SubjectError::Kind;

OperatorCase listed_case(const std::string& line) { return with_contents(parse_operator(line).value()); }

SubjectAnswer answer_to(const std::string& line, OperatorFunction kernel, const tieout_kernel_info* info = nullptr) {
  return linked_operator_subject("mine", kernel, info)->run_operator(listed_case(line));
}

tieout_kernel_info info_with(const char* operators) {
  return {.size = sizeof(tieout_kernel_info), .version = TIEOUT_KERNEL_VERSION, .operators = operators};
}

const char* copy_bytes(const tieout_operator* c) {
  std::memcpy(c->output, c->inputs[0].bytes, static_cast<std::size_t>(c->output_count));
  return nullptr;
}

TEST(OperatorCall, PassesTensorsAndAttributes) {
  const auto y = answer_to("max_pool shape=1x2x3x4 xs=0.5 xz=7 kernel=2x3 stride=1 padding=1x0 x=uniform seed=2",
                           [](const tieout_operator* c) -> const char* {
                             const tieout_tensor& x = c->inputs[0];
                             if (c->size != sizeof *c || std::string(c->name) != "max_pool" || c->input_count != 1)
                               return "another call";
                             if (x.rank != 4 || x.count != 24 || x.shape[1] != 2 || x.shape[3] != 4)
                               return "another input";
                             if (x.scale != 0.5 || x.zero_point != 7 || x.floats != nullptr) return "other parameters";
                             const double* const kernel = tieout_attribute_values(c, "kernel");
                             const double* const stride = tieout_attribute_values(c, "stride");
                             // A number for all dimensions is given once for each.
                             if (kernel[0] != 2 || kernel[1] != 3 || stride[0] != 1 || stride[1] != 1)
                               return "other windows";
                             if (c->attributes[0].count != 2 || tieout_attribute_values(c, "relu") != nullptr)
                               return "other attributes";
                             if (tieout_attribute_values(c, "ceil_mode")[0] != 0) return "another flag";
                             if (c->output_rank != 4 || c->output_shape[2] != 4 || c->output_shape[3] != 2)
                               return "another output";
                             if (c->output_scale != 0.5 || c->output_zero_point != 7 || c->output_floats != nullptr)
                               return "other output";
                             for (std::int64_t i = 0; i < c->output_count; ++i)
                               c->output[i] = static_cast<std::uint8_t>(200 + i);
                             return nullptr;
                           });
  ASSERT_TRUE(y) << y.error().message;
  EXPECT_EQ(y->shape, (Shape{1, 2, 4, 2}));
  EXPECT_EQ(y->values.back(), 215);
}

TEST(OperatorCall, ConvertsTheDeclaredLayout) {
  const OperatorCase c = listed_case("relu shape=1x2x1x3 x=[1,2,3,11,12,13]");
  const tieout_kernel_info last{
      .size = sizeof(tieout_kernel_info), .version = TIEOUT_KERNEL_VERSION, .activation_layout = TIEOUT_NHWC};
  // A copy of the buffer is a copy of the tensor in every layout; only its order shows the layout.
  const auto copied = linked_operator_subject("last", copy_bytes, &last)->run_operator(c);
  EXPECT_EQ(copied->values, (std::vector<std::int32_t>{1, 2, 3, 11, 12, 13}));
  const auto next_channel = [](const tieout_operator* call) -> const char* {
    std::memset(call->output, 0, 6);
    call->output[0] = call->inputs[0].bytes[1];
    call->output[1] = call->inputs[0].bytes[2];
    return nullptr;
  };
  EXPECT_EQ(linked_operator_subject("last", next_channel, &last)->run_operator(c)->values,
            (std::vector<std::int32_t>{11, 0, 0, 2, 0, 0}));
  // Tensors of other ranks have no channels to be last.
  EXPECT_EQ(linked_operator_subject("last", next_channel, &last)
                ->run_operator(listed_case("relu shape=2x3 x=[1,2,3,11,12,13]"))
                ->values,
            (std::vector<std::int32_t>{2, 3, 0, 0, 0, 0}));
}

TEST(OperatorCall, PassesFloats) {
  const auto quantized = answer_to("quantize shape=2 os=0.5 x=[1.5,-2]", [](const tieout_operator* c) -> const char* {
    if (c->inputs[0].bytes != nullptr) return "bytes";
    for (int i = 0; i < 2; ++i) c->output[i] = static_cast<std::uint8_t>(c->inputs[0].floats[i] + 4);
    return nullptr;
  });
  EXPECT_EQ(quantized->values, (std::vector<std::int32_t>{5, 2}));
  const auto floats = answer_to("dequantize shape=2 x=[1,2]", [](const tieout_operator* c) -> const char* {
    if (c->output != nullptr) return "bytes";
    for (int i = 0; i < 2; ++i) c->output_floats[i] = c->inputs[0].bytes[i];
    return nullptr;
  });
  EXPECT_EQ(floats->values, (std::vector<std::int32_t>{0x3F800000, 0x40000000}));
}

std::string misconduct(OperatorFunction kernel, const tieout_kernel_info* info = nullptr) {
  const auto answer = answer_to("clamp shape=12 min=-1 max=2 x=uniform seed=1", kernel, info);
  if (answer) return "none";
  EXPECT_EQ(answer.error().kind, Kind::misbehaved);
  return answer.error().message;
}

TEST(OperatorCall, MisbehaviourIsNamed) {
  EXPECT_EQ(misconduct(copy_bytes), "none");
  EXPECT_EQ(misconduct([](const tieout_operator* c) -> const char* {
              const_cast<std::uint8_t*>(c->inputs[0].bytes)[3] ^= 1U;
              return nullptr;
            }),
            "writes into its inputs");
  EXPECT_EQ(misconduct([](const tieout_operator* c) -> const char* {
              const_cast<double*>(tieout_attribute_values(c, "max"))[0] = 3;
              return nullptr;
            }),
            "writes into its inputs");
  EXPECT_EQ(misconduct([](const tieout_operator* c) -> const char* {
              const_cast<tieout_tensor*>(c->inputs)->zero_point = 9;
              return nullptr;
            }),
            "writes into its inputs");
  EXPECT_EQ(misconduct([](const tieout_operator* c) -> const char* {
              c->output[-1] = 0;
              return nullptr;
            }),
            "writes before its output");
  const tieout_kernel_info aligned{
      .size = sizeof(tieout_kernel_info), .version = TIEOUT_KERNEL_VERSION, .alignment = 64};
  EXPECT_EQ(misconduct(
                [](const tieout_operator* c) -> const char* {
                  const_cast<std::uint8_t*>(c->inputs[0].bytes)[12] = 0;
                  return nullptr;
                },
                &aligned),
            "writes behind its input 1");
  EXPECT_EQ(misconduct([](const tieout_operator*) -> const char* { throw std::runtime_error("no"); }), "throws: no");
  EXPECT_EQ(misconduct([](const tieout_operator*) -> const char* {
              _mm_setcsr(_mm_getcsr() | 0x8000U);  // flushes denormals to zero
              return nullptr;
            }),
            "leaves the thread with other floating-point modes");
}

TEST(OperatorCallDeathTest, NamesTheBufferOfAnAccessThatEndsTheProcess) {
  const auto read_behind = [](const tieout_operator* c) -> const char* {
    c->output[0] = c->inputs[1].bytes[c->inputs[1].count];
    return nullptr;
  };
  EXPECT_DEATH((void)answer_to("add shape=5 shape2=1 x=uniform x2=uniform", read_behind),
               "reads 1 byte behind its input 2");
}

TEST(OperatorCall, DeclinesWithItsReason) {
  EXPECT_EQ(answer_to("relu", [](const tieout_operator*) { return "too small"; }).error(),
            (SubjectError{Kind::declined, "too small"}));
  EXPECT_EQ(answer_to("relu", [](const tieout_operator*) { return ""; }).error(),
            (SubjectError{Kind::declined, kNoReason}));
}

TEST(OperatorCall, WhatAKernelLacksIsDeclined) {
  const auto convolutions = linked_subject("conv", [](const tieout_conv*) { return "called"; }, nullptr);
  EXPECT_EQ(convolutions->scope(), SubjectScope{});
  EXPECT_EQ(convolutions->run_operator(listed_case("relu")).error(),
            (SubjectError{Kind::declined,
                          "operators other than convolutions: the kernel does not export tieout_run_operator"}));
  const auto operators = linked_operator_subject("operators", copy_bytes, nullptr);
  EXPECT_EQ(operators->scope(), (SubjectScope{.convolutions = false, .operators = true}));
  ConvProblem problem;
  EXPECT_EQ(operators->run(problem).error(),
            (SubjectError{Kind::declined, "convolutions: the kernel does not export tieout_conv_relu"}));
}

TEST(OperatorCall, ReadsTheDeclaredOperators) {
  tieout_kernel_info info = info_with(" add  relu add");
  const auto declares = linked_operator_subject("mine", copy_bytes, &info);
  ASSERT_TRUE(declares->load());
  EXPECT_EQ(declares->scope().declared, (std::vector<std::string>{"add", "relu"}));
  info = info_with("add hardswich");
  const auto loaded = linked_operator_subject("mine", copy_bytes, &info)->load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("operators names 'hardswich', which is no operator; did you mean "
                                                "hardswish?"));
  // A kernel of an earlier header has no such field; what lies behind its struct is not read.
  info.size = offsetof(tieout_kernel_info, operators);
  const auto earlier = linked_operator_subject("mine", copy_bytes, &info);
  ASSERT_TRUE(earlier->load());
  EXPECT_TRUE(earlier->scope().declared.empty());
}

}  // namespace
}  // namespace tieout
