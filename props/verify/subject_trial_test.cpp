// Tests that kernels whose answers depend on conditions that must not matter are detected, and that the condition is
// named.

#include "props/verify/subject_trial.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "cases/contents.h"

namespace tieout {
namespace {

ConvProblem small_problem() {
  return with_contents({.in_channels = 1, .out_channels = 1, .input = {1, 1, 8}, .seed = 5});
}

void copy(const tieout_conv* c) {
  for (std::int64_t i = 0; i < c->batch * c->input[1] * c->input[2]; ++i) c->output[i] = c->activation[i];
}

Trial trial_of(KernelFunction kernel, double seconds = 5) {
  const auto subject = linked_subject("bad", kernel, nullptr);
  return run_trial_alone(*subject, small_problem(), WarmUp::other_problems, seconds);
}

TEST(Trial, ACorrectKernelAnswers) {
  const Trial trial = trial_of([](const tieout_conv* c) -> const char* {
    copy(c);
    return nullptr;
  });
  EXPECT_EQ(trial.kind, Trial::Kind::answered) << trial.message;
  const std::vector<std::uint8_t> copied = small_problem().activation;
  EXPECT_EQ(trial.first, (std::vector<std::int32_t>{copied.begin(), copied.end()}));
}

void expect_unstable(KernelFunction kernel, std::string_view cls) {
  const Trial trial = trial_of(kernel);
  EXPECT_EQ(trial.kind, Trial::Kind::unstable) << trial.message;
  EXPECT_TRUE(trial.message.starts_with(cls)) << trial.message;
  EXPECT_NE(trial.first, trial.second);
}

TEST(Trial, UnwrittenOutput) {
  expect_unstable(
      [](const tieout_conv* c) -> const char* {
        const std::uint8_t before = c->output[c->input[2] - 1];
        copy(c);
        c->output[c->input[2] - 1] = before;
        return nullptr;
      },
      "unwritten output");
}

TEST(Trial, UninitialisedMemory) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "malloc is the sanitizer's, which fills memory itself";
#endif
  expect_unstable(
      [](const tieout_conv* c) -> const char* {
        copy(c);
        void* const scratch = std::malloc(100);
        // Without this, the compiler sees that the memory was never written.
        asm volatile("" : : "r"(scratch) : "memory");
        c->output[0] = static_cast<std::uint8_t*>(scratch)[50];
        std::free(scratch);
        return nullptr;
      },
      "uninitialised memory");
}

TEST(Trial, Alignment) {
  expect_unstable(
      [](const tieout_conv* c) -> const char* {
        copy(c);
        if (reinterpret_cast<std::uintptr_t>(c->activation) % 64 == 0) c->output[0] ^= 1U;
        return nullptr;
      },
      "alignment");
}

TEST(Trial, Thread) {
  expect_unstable(
      [](const tieout_conv* c) -> const char* {
        thread_local int calls = 0;
        copy(c);
        // The main thread's first call is that of the warm-up.
        if (++calls == 1) c->output[0] ^= 1U;
        return nullptr;
      },
      "thread");
}

TEST(Trial, NotRepeatable) {
  expect_unstable(
      [](const tieout_conv* c) -> const char* {
        static int calls = 0;
        copy(c);
        c->output[0] = static_cast<std::uint8_t>(++calls);
        return nullptr;
      },
      "not repeatable");
}

// The kernel keeps the first activation of each size, which is stale for every later problem of that shape.
TEST(Trial, StateKeptFromAnotherProblemIsFound) {
  const Trial trial = trial_of([](const tieout_conv* c) -> const char* {
    static std::vector<std::uint8_t> kept;
    const auto size = static_cast<std::size_t>(c->input[2]);
    if (kept.size() != size) kept.assign(c->activation, c->activation + size);
    std::copy(kept.begin(), kept.end(), c->output);
    return nullptr;
  });
  EXPECT_EQ(trial.kind, Trial::Kind::answered);
  const std::vector<std::uint8_t> now = small_problem().activation;
  EXPECT_NE(trial.first, (std::vector<std::int32_t>{now.begin(), now.end()}));
}

// Multipliers are cached under the input's scale, as in QNNPACK, or under the output's.
TEST(Trial, StateThatIgnoresOneParameterIsFound) {
  expect_unstable(
      [](const tieout_conv* c) -> const char* {
        static double of = 0;
        static double kept = 0;
        if (of != c->activation_scale) kept = c->output_scale;
        of = c->activation_scale;
        copy(c);
        c->output[0] = kept == c->output_scale ? 1 : 2;
        return nullptr;
      },
      "kept state");
}

TEST(Trial, CrashesAndHangsAreReported) {
  const Trial crash = trial_of([](const tieout_conv*) -> const char* {
    raise(SIGILL);
    return nullptr;
  });
  EXPECT_EQ(crash.kind, Trial::Kind::died);
  EXPECT_EQ(crash.message, "SIGILL");
  const Trial hang = trial_of(
      [](const tieout_conv*) -> const char* {
        for (;;) std::this_thread::yield();
      },
      0.3);
  EXPECT_EQ(hang.kind, Trial::Kind::hung);
  const Trial second = trial_of([](const tieout_conv* c) -> const char* {
    static int calls = 0;
    if (++calls == 3) raise(SIGILL);
    copy(c);
    return nullptr;
  });
  EXPECT_EQ(second.message, "SIGILL, after it was asked for other problems");
}

}  // namespace
}  // namespace tieout
