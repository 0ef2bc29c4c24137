// Tests what a kernel receives through the C interface, and which errors of a kernel are detected.

#include "kernels/subject/subject.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <immintrin.h>

#include <cstddef>
#include <stdexcept>
#include <string>

#include "cases/contents.h"
#include "cases/strings/printable.h"

namespace tieout {
namespace {

using testing::HasSubstr;

using Kind = SubjectError::Kind;

// Has 2 images of 2 channels of 1x3, and 2 output channels of a 1x1 kernel, so that the output has the input's
// positions.
ConvProblem small_problem() {
  ConvCase c{.batch = 2, .in_channels = 2, .out_channels = 2, .input = {1, 1, 3}};
  c.activation = {Fill::listed, {0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112}};
  c.weight = {Fill::listed, {1, 2, 3, 4}};
  return with_contents(c);
}

const char* copy_channels(const tieout_conv* c) {
  for (int i = 0; i < 12; ++i) c->output[i] = c->activation[i];
  return nullptr;
}

TEST(Subject, ReceivesTheDeclaredLayout) {
  const ConvProblem problem = small_problem();
  const auto plain = linked_subject("plain", copy_channels, nullptr)->run(problem);
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->shape, (Shape{2, 2, 1, 3}));
  const std::vector<std::int32_t> copied(problem.activation.begin(), problem.activation.end());
  EXPECT_EQ(plain->values, copied);
  // In NHWC a copy of the buffer is a copy of the tensor, too: output that is written channels last is returned
  // channels first.
  const tieout_kernel_info last{
      sizeof(tieout_kernel_info), TIEOUT_KERNEL_VERSION, nullptr, TIEOUT_NHWC, TIEOUT_OHWI, 0};
  EXPECT_EQ(linked_subject("last", copy_channels, &last)->run(problem)->values, copied);
  const auto first_pixel = [](const tieout_conv* c) -> const char* {
    for (int i = 0; i < 12; ++i) c->output[i] = 0;
    c->output[0] = c->activation[0];
    c->output[1] = c->activation[1];                         // the next channel
    c->output[2] = static_cast<std::uint8_t>(c->weight[1]);  // the next channel's weight: 1x1, so as in OIHW
    return nullptr;
  };
  const auto pixel = linked_subject("pixel", first_pixel, &last)->run(problem);
  EXPECT_EQ(pixel->values, (std::vector<std::int32_t>{0, 2, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0}));
}

// A kernel with int8 activations and outputs, an int32 bias and padding of its own at the end.
const char* add_bias_to_int8(const tieout_conv* c) {
  if (c->activation != nullptr || c->output != nullptr || c->bias != nullptr) return "other types";
  if (c->activation_zero_point != -118 || c->output_zero_point != -28) return "other zero points";
  if (c->padding_end[2] != c->padding[2] + 1) return "other padding";
  const int count = static_cast<int>(c->output_size[2]);
  for (int i = 0; i < count; ++i) {
    const int x = i < c->input[2] ? c->activation_int8[i] : -1;
    c->output_int8[i] = static_cast<std::int8_t>(x + c->int32_bias[0]);
  }
  return nullptr;
}

constexpr tieout_kernel_info kInt8{.size = sizeof(tieout_kernel_info),
                                   .version = TIEOUT_KERNEL_VERSION,
                                   .activation_type = TIEOUT_INT8,
                                   .output_type = TIEOUT_INT8,
                                   .int32_bias = 1,
                                   .end_padding = 1};

TEST(Subject, ReceivesTheDeclaredTypes) {
  ConvCase c{.input = {1, 1, 3}, .activation_zero_point = 10, .output_zero_point = 100, .int32_bias = {2}};
  c.extra_end_padding = {0, 0, 1};
  c.activation = {Fill::listed, {0, 128, 253}};
  const auto subject = linked_subject("int8", add_bias_to_int8, &kInt8);
  // The case's own types do not matter to the kernel: uint8 is int8 128 higher.
  for (const ActivationType type : {ActivationType::uint8, ActivationType::int8}) {
    c.activation_type = type;
    const auto y = subject->run(with_contents(c));
    ASSERT_TRUE(y) << y.error().message;
    EXPECT_EQ(y->values, (std::vector<std::int32_t>{2, 130, 255, 129}));
  }
  EXPECT_EQ(subject->types(), (KernelTypes{ActivationType::int8, OutputType::int8, true, true}));
}

TEST(Subject, ReturnsInt32Sums) {
  constexpr tieout_kernel_info kSums{
      .size = sizeof(tieout_kernel_info), .version = TIEOUT_KERNEL_VERSION, .output_type = TIEOUT_INT32};
  const auto write = [](const tieout_conv* c) -> const char* {
    for (int i = 0; i < 12; ++i) c->output_int32[i] = c->activation[i] * 100'000 - 1;
    return nullptr;
  };
  ConvProblem problem = small_problem();
  problem.spec.output_type = OutputType::int32;
  const auto y = linked_subject("sums", write, &kSums)->run(problem);
  ASSERT_TRUE(y) << y.error().message;
  EXPECT_EQ(y->values.back(), 11'199'999);
  EXPECT_EQ(y->values.front(), -1);
}

struct Declined {
  const char* reason;
  tieout_kernel_info info;
  void (*change)(ConvCase&);
};

class DeclinedTypes : public testing::TestWithParam<Declined> {};

// What cannot be converted exactly is declined by its name, and the kernel is not called.
TEST_P(DeclinedTypes, AreNamed) {
  ConvCase c = small_problem().spec;
  GetParam().change(c);
  tieout_kernel_info info = GetParam().info;
  info.size = sizeof info;
  info.version = TIEOUT_KERNEL_VERSION;
  const auto subject = linked_subject("strict", [](const tieout_conv*) -> const char* { return "called"; }, &info);
  EXPECT_EQ(subject->run(with_contents(c)).error(), (SubjectError{Kind::declined, GetParam().reason}));
}

INSTANTIATE_TEST_SUITE_P(
    Types, DeclinedTypes,
    testing::Values(
        Declined{"padding that differs between the sides", {}, [](ConvCase& c) { c.extra_end_padding = {0, 0, 1}; }},
        Declined{"an int32 bias", {}, [](ConvCase& c) { c.int32_bias = {1, 2}; }},
        Declined{"a float bias", {.int32_bias = 1}, [](ConvCase& c) { c.bias = {1, 2}; }},
        Declined{"a requantized output", {.output_type = TIEOUT_INT32}, [](ConvCase&) {}},
        Declined{"an int32 output", {}, [](ConvCase& c) { c.output_type = OutputType::int32; }},
        // Without such needs the kernel is called.
        Declined{"called", {.activation_type = TIEOUT_INT8, .output_type = TIEOUT_INT8}, [](ConvCase&) {}}));

// A kernel that was compiled with an earlier header has no types in its struct, which may end in the middle of them.
TEST(Subject, AKernelOfAnEarlierHeaderTakesUint8) {
  tieout_kernel_info info = kInt8;
  info.size = offsetof(tieout_kernel_info, activation_type);
  const auto subject = linked_subject("old", copy_channels, &info);
  ASSERT_TRUE(subject->load());
  EXPECT_EQ(subject->types(), KernelTypes{});
  EXPECT_TRUE(subject->run(small_problem()));
}

TEST(Subject, WrongTypesAreRefused) {
  for (auto change :
       {+[](tieout_kernel_info& i) { i.activation_type = TIEOUT_INT32; },
        +[](tieout_kernel_info& i) { i.output_type = 3; }, +[](tieout_kernel_info& i) { i.int32_bias = 2; },
        +[](tieout_kernel_info& i) { i.end_padding = -1; }}) {
    tieout_kernel_info info = kInt8;
    change(info);
    const auto loaded = linked_subject("wrong", copy_channels, &info)->load();
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().message, HasSubstr("must be"));
  }
}

TEST(Subject, DeclinesWithItsReason) {
  const auto shy = linked_subject("shy", [](const tieout_conv*) { return "too many"; }, nullptr);
  const auto answer = shy->run(small_problem());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), (SubjectError{Kind::declined, "too many"}));
}

std::string misconduct(KernelFunction kernel, const tieout_kernel_info* info = nullptr) {
  const auto answer = linked_subject("bad", kernel, info)->run(small_problem());
  if (answer) return "none";
  EXPECT_EQ(answer.error().kind, Kind::misbehaved);
  return answer.error().message;
}

TEST(Subject, MisbehaviourIsNamed) {
  EXPECT_EQ(misconduct(copy_channels), "none");
  EXPECT_EQ(misconduct([](const tieout_conv* c) -> const char* {
              const_cast<std::uint8_t*>(c->activation)[3] ^= 1U;
              return nullptr;
            }),
            "writes into its inputs");
  EXPECT_EQ(misconduct([](const tieout_conv* c) -> const char* {
              c->output[-1] = 0;
              return nullptr;
            }),
            "writes before its output");
  const tieout_kernel_info aligned{sizeof(tieout_kernel_info), TIEOUT_KERNEL_VERSION, nullptr, 0, 0, 64};
  EXPECT_EQ(misconduct(
                [](const tieout_conv* c) -> const char* {
                  c->output[12] = 0;
                  return nullptr;
                },
                &aligned),
            "writes behind its output");
  EXPECT_EQ(misconduct([](const tieout_conv*) -> const char* { throw std::runtime_error("no"); }), "throws: no");
  EXPECT_EQ(misconduct([](const tieout_conv*) -> const char* {
              _mm_setcsr(_mm_getcsr() | 0x8000U);  // flushes denormals to zero
              return nullptr;
            }),
            "leaves the thread with other floating-point modes");
  EXPECT_EQ(_mm_getcsr() & 0x8000U, 0U);
}

// EXPECT_DEATH() reads what the child process wrote to standard error before it ended by the signal.
TEST(Subject, AFaultBesideABufferIsNamed) {
  const auto reader = linked_subject(
      "reader",
      [](const tieout_conv* c) -> const char* {
        c->output[0] = *static_cast<const volatile std::uint8_t*>(c->activation + 14);
        return nullptr;
      },
      nullptr);
  EXPECT_DEATH((void)reader->run(small_problem()), "reads 3 bytes behind its activation");
  const auto writer = linked_subject(
      "writer",
      [](const tieout_conv* c) -> const char* {
        *static_cast<volatile std::uint8_t*>(c->output - 1) = 0;
        return nullptr;
      },
      nullptr);
  EXPECT_DEATH((void)writer->run(small_problem(), {.placement = Conditions::Placement::at_begin}),
               "writes 1 byte before its output");
}

TEST(Subject, AnotherVersionIsRefused) {
  const tieout_kernel_info later{sizeof(tieout_kernel_info), 99, nullptr, 0, 0, 0};
  const auto loaded = linked_subject("later", copy_channels, &later)->load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, Kind::absent);
  EXPECT_THAT(loaded.error().message, HasSubstr("version is 99"));
  const tieout_kernel_info odd{sizeof(tieout_kernel_info), TIEOUT_KERNEL_VERSION, nullptr, 0, 0, 48};
  EXPECT_FALSE(linked_subject("odd", copy_channels, &odd)->load());
}

// A library that was compiled with the first header has a struct that ends where `domain` was appended later.
TEST(Subject, AShorterStructOfAnEarlierHeaderIsRead) {
  tieout_kernel_info earlier{offsetof(tieout_kernel_info, domain), TIEOUT_KERNEL_VERSION, "early", 0, 0, 0};
  earlier.domain = reinterpret_cast<const char*>(1);  // lies behind the struct
  const auto subject = linked_subject("file", copy_channels, &earlier);
  ASSERT_TRUE(subject->load());
  EXPECT_EQ(subject->domain(), "");
  EXPECT_TRUE(subject->run(small_problem()));
  tieout_kernel_info shorter = earlier;
  shorter.size -= 8;
  EXPECT_FALSE(linked_subject("shorter", copy_channels, &shorter)->load());
}

TEST(Subject, GivesItsDomain) {
  const tieout_kernel_info info{.size = sizeof info, .version = TIEOUT_KERNEL_VERSION, .domain = "dims=2 kernel=3x3"};
  const auto subject = linked_subject("narrow", copy_channels, &info);
  EXPECT_EQ(subject->domain(), "");
  ASSERT_TRUE(subject->load());
  EXPECT_EQ(subject->domain(), "dims=2 kernel=3x3");
  const std::string endless(10'000, 'x');
  const tieout_kernel_info wordy{.size = sizeof info, .version = TIEOUT_KERNEL_VERSION, .domain = endless.c_str()};
  const auto loaded = linked_subject("wordy", copy_channels, &wordy)->load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, "wordy: tieout_describe(): domain is longer than 4096 characters");
}

TEST(Printable, ContainsNoControlCharacters) {
  EXPECT_EQ(printable("a \x1b[2J\n\xff\x7f~", 100), "a \\x1b[2J\\x0a\\xff\\x7f~");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
}

}  // namespace
}  // namespace tieout
