// Tests that what oneDNN computes on older CPUs is predicted, by restricting it to fewer instructions than this CPU
// has. oneDNN reads the limit once for each process, so that each instruction set has a process of its own.

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "cases/case_predicates.h"
#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "cases/text/case_words.h"
#include "oracle/engines/engine_model.h"
#include "oracle/engines/known_defects.h"
#include "oracle/libtorch/libtorch_isa_limit.h"
#include "props/generate/conform.h"
#include "props/generate/generator.h"
#include "props/process/forked_task.h"

namespace tieout {
namespace {

constexpr std::int64_t kCases = 3000, kLinearCases = 1500;

Hardware hardware_with(Isa isa, const LibTorch& libtorch) {
  return {.avx512 = isa != Isa::avx2, .avx512_vnni = isa == Isa::avx512_vnni, .libtorch = libtorch.hardware().libtorch};
}

// True for convolutions whose code with AVX-512 but no VNNI is not described: it may pair kernel positions.
bool is_undescribed(const ConvCase& c, Isa isa) {
  return isa == Isa::avx512 && c.in_channels == c.groups && !is_depthwise(c) && volume(c.kernel) > 1;
}

std::int64_t cases_of(Call call) { return call == Call::linear ? kLinearCases : kCases; }

// Returns the number of cases that were compared, as text, or a case that is not predicted.
std::string compare(Engine engine, Call call, Isa isa) {
  const auto libtorch = libtorch_held_to(isa);
  if (!libtorch) {
    return libtorch.error().kind == EngineError::Kind::unsupported ? "unsupported" : libtorch.error().message;
  }
  const Hardware hardware = hardware_with(isa, **libtorch);
  const Domain domain =
      Domain::parse("wz=0 call=" + std::string(name(call)) + " engine=" + std::string(name(engine))).value();
  std::int64_t compared = 0;
  for (std::int64_t i = 0; i < cases_of(call); ++i) {
    Random random(static_cast<std::uint64_t>(i));
    const GeneratorOptions options{.where = pick_alternative(domain, random)};
    const ConvCase c = draw_case(random, options);
    const ConvCase even = with_even_padding(c);
    const bool comparable = c.execution.engine == engine && refusal(c, hardware).empty() &&
                            known_defect(c, hardware) == nullptr && !is_undescribed(even, isa);
    if (!comparable) continue;
    const ConvProblem problem = with_contents(c);
    const auto answer = (*libtorch)->conv(problem);
    if (!answer) return print(c) + ": " + answer.error().message;
    const Answers y = as_answers(answer->y);
    if (nearest_prediction(problem, engine, hardware, y) != y) return "differs: " + print(c);
    ++compared;
  }
  return std::to_string(compared);
}

class OnednnHeldTo : public testing::TestWithParam<std::tuple<Engine, Call, Isa>> {};

TEST_P(OnednnHeldTo, IsPredicted) {
  const Engine engine = std::get<Engine>(GetParam());
  const Call call = std::get<Call>(GetParam());
  const Isa isa = std::get<Isa>(GetParam());
  const auto answer = run_alone([&] { return compare(engine, call, isa); }, 300);
  ASSERT_TRUE(answer) << answer.error().text();
  const std::string& found = *answer;
  if (found == "unsupported") GTEST_SKIP() << "this CPU lacks " << name(isa);
  ASSERT_EQ(found.find_first_not_of("0123456789"), std::string::npos) << found;
  EXPECT_GT(std::stol(found), cases_of(call) / 2);
}

INSTANTIATE_TEST_SUITE_P(Isas, OnednnHeldTo,
                         testing::Combine(testing::Values(Engine::onednn, Engine::onednn_pointwise),
                                          testing::Values(Call::conv, Call::linear),
                                          testing::Values(Isa::avx2, Isa::avx512, Isa::avx512_vnni)),
                         [](const auto& test) {
                           return std::string(name(std::get<Engine>(test.param))) + "_" +
                                  std::string(name(std::get<Call>(test.param))) + "_" +
                                  std::string(name(std::get<Isa>(test.param)));
                         });

}  // namespace
}  // namespace tieout
