// Compares every text that conditions and causes have with a golden file, so that each can be read in one place. After
// an intended change, check the new texts and copy them over the file as the failure message shows.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "props/diagnose/kernel_model.h"
#include "props/generate/twins.h"

namespace tieout {
namespace {

using Relation = Literal::Relation;
using V = Variable;

constexpr std::array kRelations{Relation::equal, Relation::unequal, Relation::at_least, Relation::below};

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void add(std::string& text, const EditCondition& condition) { text += "where " + condition.text() + "\n"; }

std::string condition_texts() {
  std::string text;
  for (const Relation relation : kRelations) {
    // The lowest values of quantities have words of their own.
    for (const std::int64_t number : {1, 2}) {
      for (const V name : {V::padding_w, V::stride_w, V::groups, V::length, V::positions, V::image}) {
        add(text, {{{name, relation, number}}});
      }
    }
    add(text, {{{V::dims, relation, 2}}});
    for (const V flag :
         {V::per_channel, V::has_bias, V::relu, V::scaled_is_negative, V::sum_is_negative, V::bias_is_negative})
      add(text, {{{flag, relation, 1}}});
  }
  for (auto i = static_cast<int>(V::batch); i < static_cast<int>(V::axis); ++i) {
    const auto name = static_cast<V>(i);
    if (is_flag(name)) continue;
    for (const Relation relation : kRelations) add(text, {{{name, relation, 9}}});
  }
  for (const V name : {V::channel, V::tap, V::product, V::product_by_position, V::padded, V::before, V::before_h,
                       V::behind, V::behind_w}) {
    add(text, {{{name, Relation::equal, 1}}});
    add(text, {{{name, Relation::below, 1}}});
  }
  for (const auto& [left, right] : {std::pair{Formula(V::stride_w), Formula(V::kernel_w)},
                                    {V::in_channels, V::groups},
                                    {V::k, V::group_outputs},
                                    {V::k, Formula(V::out_channels) / 8 * 8},
                                    {V::product, Formula(V::length) / 8 * 8},
                                    {Formula(V::output_h) - V::oh, 8},
                                    {Formula(V::input_h) * V::input_w, 64}}) {
    for (const Relation relation : kRelations) add(text, {{{left, relation, right}}});
  }
  for (const V name : {V::scaled_exponent, V::multiplier_exponent}) {
    add(text, {{{name, Relation::at_least, 1000}}});
    add(text, {{{name, Relation::below, -999}}});
  }
  add(text, {{{V::has_bias, Relation::equal, 0}, {V::dims, Relation::below, 2}, {V::k, Relation::at_least, 9}}});
  return text;
}

std::string formula_texts() {
  using Op = Formula::Op;
  std::string text;
  const auto add_edit = [&](const Edit& edit) { text += edit.text() + "\n"; };
  for (auto i = static_cast<int>(Slot::output_position); i < static_cast<int>(Slot::layout); ++i) {
    const auto slot = static_cast<Slot>(i);
    for (const Formula& formula : {Formula(0), Formula(V::k) % 4, Formula(V::groups), Formula(V::other_stride)}) {
      add_edit({.slot = slot, .formula = formula});
    }
  }
  for (const Slot slot :
       {Slot::read_position, Slot::padding_value, Slot::activation, Slot::weight, Slot::activation_difference,
        Slot::weight_difference, Slot::activation_zero_point, Slot::weight_zero_point, Slot::output_zero_point,
        Slot::sum_of_activations, Slot::sum_of_weights, Slot::weight_correction, Slot::zero_points_out, Slot::raw}) {
    for (const Formula& formula :
         {Formula(V::value) + 1, Formula(0) - V::value, Formula::of(Op::signed_bits, V::value, 8),
          Formula::of(Op::unsigned_bits, V::value, 7), Formula::of(Op::saturate, V::value, 16),
          Formula::of(Op::minimum, V::value, 7)}) {
      add_edit({.slot = slot, .formula = formula});
    }
  }
  for (int axis = 0; axis < 3; ++axis) add_edit({.slot = Slot::stride, .formula = V::other_stride, .axis = axis});
  for (const bool begin : {true, false}) {
    add_edit({.slot = Slot::inside, .formula = Formula(V::input) - 1, .axis = 1, .begin = begin});
    add_edit({.slot = Slot::inside, .formula = begin ? -kUnchecked : kUnchecked, .axis = -1, .begin = begin});
  }
  for (int i = 1; i < 8; ++i) {
    add_edit({.slot = Slot::layout,
              .layout = {.activation_channels_last = (i & 1) != 0,
                         .weight_channels_last = (i & 2) != 0,
                         .output_channels_last = (i & 4) != 0}});
  }
  const EditCondition tail{{{V::product, Relation::at_least, Formula(V::length) / 8 * 8}}};
  for (int i = 1; i < 16; ++i) {
    add_edit({.slot = Slot::times,
              .times = {.products = (i & 1) != 0,
                        .x = (i & 2) != 0,
                        .w = (i & 4) != 0,
                        .count = (i & 8) != 0,
                        .times = i % 2 == 0 ? 2 : 0},
              .when = tail});
  }
  for (auto kind = static_cast<int>(Accumulator::Kind::wraps);
       kind <= static_cast<int>(Accumulator::Kind::real_after_bias); ++kind) {
    for (const bool last : {false, true}) {
      add_edit({.slot = Slot::accumulator,
                .accumulator = {.kind = static_cast<Accumulator::Kind>(kind),
                                .bits = 16,
                                .block = last ? kWholeRun : 8,
                                .channels_innermost = last,
                                .restarts = last,
                                .factors = last ? Accumulator::Factors::differences : Accumulator::Factors::plain}});
    }
  }
  return text;
}

std::string requantization_texts() {
  std::string text;
  const auto add_steps = [&](const Requantization& r) {
    text += Edit{.slot = Slot::requantization, .requantization = r}.text() + "\n";
  };
  const auto add_each = [&](auto Requantization::* step, int count) {
    for (int i = 1; i < count; ++i) {
      Requantization r;
      r.*step = static_cast<std::remove_reference_t<decltype(r.*step)>>(i);
      add_steps(r);
    }
  };
  add_each(&Requantization::sum, kSumRules);
  add_each(&Requantization::bias, kBiasRules);
  add_each(&Requantization::addition, kIntegerAdditions);
  add_each(&Requantization::multiplier, kMultiplierRules);
  add_each(&Requantization::rounding, kRoundingRules + 1);
  add_each(&Requantization::zero_point, kZeroPointRules);
  add_each(&Requantization::overflow, kOverflowRules);
  add_each(&Requantization::nan, kNanRules);
  add_each(&Requantization::relu, kReluRules);
  add_each(&Requantization::clamp, kClampRules);
  add_each(&Requantization::limit, kMultiplierLimits);
  add_each(&Requantization::of_multiplier, kPrecisions);
  for (const auto precision : {&Requantization::of_reciprocal, &Requantization::of_scale, &Requantization::of_bias,
                               &Requantization::of_scaled}) {
    add_each(precision, 2);
  }
  add_steps({.low = 1, .high = 254});
  add_steps({.rounding = RoundingRule::measured, .up_from = 0.49, .negative_up_from = 0.51});
  add_steps({.cap = 6});
  return text;
}

TEST(Texts, ReadAsTheyShould) {
  std::string text = condition_texts() + formula_texts() + requantization_texts();
  for (std::size_t kind = 0; kind < twin_kinds(); ++kind) {
    text += "the problem before, which had " + another(twin_name(kind)) + "\n";
  }
  const std::string golden = TIEOUT_SOURCE_DIR "/props/diagnose/testdata/texts.txt";
  if (contents(golden) == text) return;
  const std::string is = std::filesystem::temp_directory_path() / "tieout_texts.txt";
  std::ofstream(is, std::ios::binary) << text;
  ADD_FAILURE() << "A text has changed. Look:  diff " << golden << " " << is << "\nIf it is meant:  cp " << is << " "
                << golden;
}

}  // namespace
}  // namespace tieout
