#include "props/diagnose/emit_kernel.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "kernels/conv_relu.h"
#include "kernels/subject/plug_in.h"
#include "props/diagnose/edit_space.h"
#include "props/generate/discriminating_case.h"
#include "props/generate/strategy.h"

namespace tieout {
namespace {

// Cases of fuzz, and probes of ties and ends.
ConvCase case_at_index(std::uint64_t i) {
  return i % 2 == 0 ? case_of(11, i, kForSubjects)
                    : draw_discriminating_case(kFbgemmPaths[i / 2 % kFbgemmPaths.size()], i).c;
}

// The model without edits is a second implementation of the specification.
TEST(KernelModel, WithoutEditsIsTheSpecification) {
  for (std::uint64_t i = 0; i < 600; ++i) {
    const ModelProblem problem(with_contents(case_at_index(i)));
    const Answers y = conv_relu(problem.problem(), {});
    const std::vector<int> predicted = evaluate_all({}, problem);
    ASSERT_EQ(predicted.size(), y.values.size());
    for (std::size_t e = 0; e < predicted.size(); ++e) {
      ASSERT_EQ(predicted[e], y.values[e]) << print(problem.problem().spec);
    }
  }
}

// The loops that edits of the window go through give the same sums as the exact ones.
TEST(KernelModel, WithAnEditThatChangesNothingIsTheSpecification) {
  const KernelModel same{{.slot = Slot::weight, .formula = Variable::value}};
  for (std::uint64_t i = 0; i < 200; ++i) {
    const ModelProblem problem(with_contents(case_at_index(i)));
    EXPECT_EQ(evaluate_all(same, problem), evaluate_all({}, problem)) << print(problem.problem().spec);
  }
}

// Compiles an emitted kernel; the folder is removed with the object.
class CompiledKernel {
 public:
  explicit CompiledKernel(const KernelModel& model) {
    std::string name = (std::filesystem::temp_directory_path() / "tieout-emit-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::ofstream(folder_ / "kernel.c") << emit_kernel(model);
    const std::string command = fmt::format(
        "'{}' -O1 -Wall -Wextra -Werror -Wno-unused-variable -Wno-unused-function -Wno-unused-parameter "
        "-Wno-unused-but-set-variable  -ffp-contract=off -shared -fPIC "
        "-I '{}/kernels' '{}' -lm -o '{}' 2>&1",
        TIEOUT_C_COMPILER, TIEOUT_SOURCE_DIR, (folder_ / "kernel.c").string(), (folder_ / "kernel.so").string());
    if (std::system(command.c_str()) == 0) subject_ = plug_in(folder_ / "kernel.so");
  }
  ~CompiledKernel() { std::filesystem::remove_all(folder_); }
  CompiledKernel(const CompiledKernel&) = delete;
  CompiledKernel& operator=(const CompiledKernel&) = delete;

  // Null if the kernel was not compiled.
  [[nodiscard]] Subject* subject() const { return subject_.get(); }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Subject> subject_;
};

// Checks that the kernel that is emitted for a model computes what the model predicts.
void expect_emitted(const KernelModel& model) {
  const CompiledKernel compiled(model);
  ASSERT_NE(compiled.subject(), nullptr) << emit_kernel(model);
  for (std::uint64_t i = 0; i < 120; ++i) {
    const ModelProblem problem(with_contents(case_at_index(i)));
    const std::vector<int> predicted = evaluate_all(model, problem);
    if (std::ranges::any_of(predicted, [](int y) { return y < 0; })) continue;  // it would leave its buffers
    const auto y = compiled.subject()->run(problem.problem());
    ASSERT_TRUE(y) << y.error().message;
    for (std::size_t e = 0; e < predicted.size(); ++e) {
      ASSERT_EQ(predicted[e], y->values[e]) << print(problem.problem().spec) << "\n" << kernel_diff(model);
    }
  }
}

Edit of(const Requantization& r) {
  Edit edit{.slot = Slot::requantization};
  edit.requantization = r;
  return edit;
}

TEST(EmitKernel, ComputesWhatTheModelPredicts) {
  std::vector<Edit> edits;
  // At least one edit of every slot, and more of those that have many.
  std::array<int, kSlots> seen{};
  for (const Edit& edit : sum_edits()) {
    int& count = seen[static_cast<std::size_t>(edit.slot)];
    if (count == 0 || count % 700 == 350) edits.push_back(edit);
    ++count;
  }
  const RequantizationSpace space{.lows = {1}, .highs = {254}, .factors = {1.001}};
  const auto first = scalings(space);
  const auto last = endings(space);
  for (std::size_t i = 1; i < first.size(); i += first.size() / 40) {
    edits.push_back(of(combine(first[i], last[i % last.size()])));
  }
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (i % 3 == 1 && edits[i].accumulator.kind < Accumulator::Kind::real) {
      edits[i].condition.literals = {
          {Variable::k, Literal::Relation::at_least, Formula(Variable::out_channels) / 8 * 8}};
    }
    expect_emitted({edits[i]});
  }
}

// An edit with a condition stands before one of the same slot without, and counts where its condition holds.
TEST(EmitKernel, TheFirstOfSeveralEditsCounts) {
  using V = Variable;
  const EditCondition in_tail{.literals = {{V::k, Literal::Relation::at_least, Formula(V::out_channels) / 8 * 8}}};
  const std::array<std::array<Formula, 2>, 2> formulas{
      {{Formula(V::input) - 1, Formula(V::input) + V::padding}, {V::sum_products, Formula(V::sum_products) * 2}}};
  const std::array slots{Slot::inside, Slot::zero_points_out};
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const KernelModel both{{.slot = slots[i], .formula = formulas[i][0], .condition = in_tail},
                           {.slot = slots[i], .formula = formulas[i][1]}};
    expect_emitted(both);
    // The second alone is another kernel, so that the first has an effect.
    const ModelProblem problem(
        with_contents(parse("conv2d in_channels=2 out_channels=9 input=5x5 kernel=3x3 padding=2x2 "
                            "xz=3 wz=7 os=90 oz=100 x=uniform w=uniform")
                          .value()));
    EXPECT_NE(evaluate_all(both, problem), evaluate_all({both[1]}, problem));
  }
}

TEST(EmitKernel, ReadsWeightsWithTheOutputChannelsLast) {
  Edit edit{.slot = Slot::layout};
  edit.layout.weight_outputs_last = true;
  expect_emitted({edit});
}

TEST(EmitKernel, ChoosesByTheSignOfTheValue) {
  Requantization away;
  away.rounding = RoundingRule::away;
  Edit edit = of(away);
  edit.condition.literals = {{Variable::scaled_is_negative, Literal::Relation::equal, 1}};
  expect_emitted({edit});
  EXPECT_EQ(kernel_diff({edit}),
            "+ const float f = (float)raw;\n"
            "+ const float usual = !c->bias ? f : c->per_channel ? f + b / unit : fmaf(b, 1.0F / unit, f);\n"
            "+ const int negative = usual * (unit / os) < 0;\n"
            "- const float rounded = nearbyintf(scaled);\n"
            "+ const float rounded = negative ? roundf(scaled) : nearbyintf(scaled);\n");
}

}  // namespace
}  // namespace tieout
