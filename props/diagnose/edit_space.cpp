#include "props/diagnose/edit_space.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tieout {
namespace {

using V = Variable;
using Op = Formula::Op;
using Relation = Literal::Relation;

constexpr std::array<std::int64_t, 8> kBlocks{2, 4, 8, 16, 32, 64, 128, 256};

Formula min_of(const Formula& a, const Formula& b) { return Formula::of(Op::minimum, a, b); }
Formula max_of(const Formula& a, const Formula& b) { return Formula::of(Op::maximum, a, b); }
Formula signed_bits(const Formula& a, std::int64_t bits) { return Formula::of(Op::signed_bits, a, bits); }
Formula unsigned_bits(const Formula& a, std::int64_t bits) { return Formula::of(Op::unsigned_bits, a, bits); }
Formula saturate(const Formula& a, std::int64_t bits) { return Formula::of(Op::saturate, a, bits); }

// Returns the atoms, and every two of them joined by an operator.
std::vector<Formula> combinations(const std::vector<Formula>& atoms) {
  std::vector<Formula> all = atoms;
  for (const Formula& a : atoms) {
    for (const Formula& b : atoms) {
      if (&a == &b) continue;
      all.push_back(a - b);
      // Of these, only what is at least 1 may be a divisor.
      const bool divides = b != Formula(V::padding) && b != Formula(V::other_padding) && b != Formula(0);
      if (divides && b != Formula(1)) {
        all.push_back(a / b);
        all.push_back(a % b);
      }
      for (const Op op : {Op::add, Op::multiply, Op::minimum, Op::maximum}) {
        if (&a < &b) all.push_back(Formula::of(op, a, b));
      }
    }
  }
  return all;
}

class Space {
 public:
  Space() {
    add_geometry();
    add_reads();
    add_values();
    add_channels();
    add_zero_points();
    add_times();
    add_accumulators();
    add_layouts();
    std::ranges::stable_sort(edits_, {}, &Edit::size);
  }

  std::vector<Edit> take() { return std::move(edits_); }

 private:
  void add(Slot slot, const Formula& formula, int axis = -1) {
    edits_.push_back({.slot = slot, .formula = formula, .axis = axis});
  }
  void add(Slot slot, const std::vector<Formula>& formulas) {
    for (const Formula& formula : formulas) add(slot, formula);
  }
  // Adds each formula for all axes, and for each of them alone.
  void add_on_axes(Slot slot, const std::vector<Formula>& formulas) {
    for (const Formula& formula : formulas) {
      for (int axis = -1; axis < 3; ++axis) add(slot, formula, axis);
    }
  }

  void add_geometry() {
    const std::vector<Formula> sizes{V::stride,         V::dilation,      V::padding, V::kernel, V::other_stride,
                                     V::other_dilation, V::other_padding, 0,          1,         2};
    const std::vector<Formula> pairs = combinations(sizes);
    for (const Slot slot : {Slot::stride, Slot::dilation, Slot::padding}) add_on_axes(slot, pairs);
    add_on_axes(
        Slot::padding,
        {max_of(Formula(V::padding) - (Formula(V::kernel) + 1) % 2, 0),
         max_of(Formula(V::padding) - Formula(V::kernel) % 2, 0), max_of(Formula(V::padding) - 1, 0),
         Formula(V::dilation) * (Formula(V::kernel) - 1) / 2, Formula(V::padding) + (Formula(V::kernel) + 1) % 2,
         min_of(V::padding, max_of((Formula(V::output) - 1) * V::stride +
                                       Formula(V::dilation) * (Formula(V::kernel) - 1) + 1 - V::input,
                                   0) /
                                2),
         min_of(V::padding, Formula(V::kernel) / 2), min_of(V::padding, Formula(V::kernel) - 1),
         min_of(V::padding, Formula(V::input) - 1), min_of(V::padding, V::input), min_of(V::padding, 1),
         Formula(V::padding) - Formula(V::stride) / 2, Formula(V::padding) - Formula(V::dilation) + 1});
    add_on_axes(Slot::output_position,
                {min_of(V::o, Formula(V::output) - 2), Formula(V::output) - 1 - V::o, Formula(V::o) + 1,
                 Formula(V::o) - 1, max_of(Formula(V::o) - 1, 0), Formula(V::o) / 2 * 2, signed_bits(V::o, 8),
                 unsigned_bits(V::o, 8), signed_bits(V::o, 16), unsigned_bits(V::o, 16), 0});
    for (const std::int64_t block : {4, 8, 16, 32, 64, 128, 256, 512}) {
      add_on_axes(Slot::output_position,
                  {Formula(V::o) - block, Formula(V::o) % block, min_of(V::o, block - 1), Formula(V::o) / block * block,
                   min_of(V::o, max_of(Formula(V::output) / block * block - 1, 0))});
    }
    add_on_axes(Slot::kernel_tap, {Formula(V::kernel) - 1 - V::t, Formula(V::t) + 1, Formula(V::t) - 1,
                                   min_of(V::t, Formula(V::kernel) - 2), Formula(V::t) / 2, 0});
    const Formula last = Formula(V::input) - 1;
    const Formula wrapped = (Formula(V::value) + V::input) % V::input;
    const Formula wrapped_often = (Formula(V::value) % V::input + V::input) % V::input;
    add_on_axes(Slot::read_position, {max_of(0, min_of(V::value, last)),
                                      min_of(V::value, last),
                                      max_of(V::value, 0),
                                      wrapped,
                                      Formula(V::value) + 1,
                                      Formula(V::value) - 1,
                                      Formula(V::value) + 2,
                                      Formula(V::value) - 2,
                                      Formula(V::value) / 2 * 2,
                                      unsigned_bits(V::value, 8),
                                      signed_bits(V::value, 8),
                                      max_of(V::value, Formula(0) - V::value),
                                      last - V::value,
                                      Formula(V::value) + V::o,
                                      Formula(V::value) - V::o,
                                      Formula(V::value) + V::t,
                                      Formula(V::value) - V::t,
                                      min_of(V::value, Formula(V::input) - 2),
                                      wrapped_often,
                                      max_of(V::value, wrapped_often),
                                      min_of(V::value, Formula(V::value) % V::input),
                                      min_of(V::value, last + last - V::value)});
    add_bounds();
  }

  void add_bounds() {
    const std::vector<Formula> ends{kUnchecked,
                                    Formula(V::input) - 1,
                                    Formula(V::input) + 1,
                                    Formula(V::input) + V::padding,
                                    Formula(V::input) - V::padding,
                                    V::output,
                                    V::input_d,
                                    V::input_h,
                                    V::input_w,
                                    min_of(V::input, V::input_h),
                                    min_of(V::input, V::input_w),
                                    min_of(V::input, V::output),
                                    max_of(V::input_h, V::input_w),
                                    Formula(V::output) * V::stride};
    const std::vector<Formula> begins{-kUnchecked, 1, -1, V::padding, Formula(0) - V::padding, V::stride, V::dilation};
    for (int axis = -1; axis < 3; ++axis) {
      for (const Formula& end : ends) edits_.push_back({.slot = Slot::inside, .formula = end, .axis = axis});
      for (const Formula& begin : begins) {
        edits_.push_back({.slot = Slot::inside, .formula = begin, .axis = axis, .begin = true});
      }
    }
    for (const int axis : {-1, 2}) edits_.push_back({.slot = Slot::in_plane, .axis = axis});
  }

  // NOLINTNEXTLINE(readability-function-size): one line for each formula
  void add_reads() {
    const Formula group = Formula(V::k) / V::group_outputs;
    std::vector<Formula> groups{Formula(V::k) % V::groups,
                                0,
                                Formula(V::k) / V::group_inputs,
                                V::k,
                                Formula(V::groups) - 1 - group,
                                Formula(V::k) % V::group_outputs,
                                min_of(group, Formula(V::groups) - 2),
                                group + 1,
                                group - 1};
    for (const std::int64_t block : {2, 4, 8, 16, 32}) {
      groups.push_back(min_of(group, block - 1));
      groups.push_back(min_of(Formula(V::k) / block * block / V::group_outputs, Formula(V::groups) - 1));
      groups.push_back(group / block * block);
      groups.push_back(group % block);
    }
    for (const Formula& g : groups) add(Slot::input_channel, g * V::group_inputs + V::channel);
    std::vector<Formula> channels{Formula(V::group_inputs) - 1 - V::channel, 0, Formula(V::channel) + 1,
                                  Formula(V::channel) - 1};
    for (const std::int64_t block : {2, 4, 8, 16, 32, 64, 128}) {
      channels.push_back(Formula(V::channel) / block * block);
      channels.push_back(Formula(V::channel) % block);
      channels.push_back(Formula(V::channel) - block);
      channels.push_back(min_of(V::channel, block - 1));
      channels.push_back(min_of(V::channel, max_of(Formula(V::group_inputs) / block * block - 1, 0)));
    }
    for (const Formula& i : channels) {
      add(Slot::input_channel, group * V::group_inputs + i);
      add(Slot::weight_input, i);
    }
    // From the second block on.
    for (const std::int64_t block : {2, 4, 8, 16, 32, 64}) {
      const Literal second{V::channel, Literal::Relation::at_least, block};
      const Formula next = min_of(Formula(V::channel) + 1, Formula(V::group_inputs) - 1);
      for (const Formula& i : {Formula(V::channel) + 1, Formula(V::channel) - 1, next}) {
        add_when(Slot::input_channel, group * V::group_inputs + i, second);
        add_when(Slot::weight_input, i, second);
      }
    }
    add(Slot::input_channel, Formula(V::channel) * V::groups + group);
    add(Slot::input_channel, V::channel);
    add(Slot::input_channel, group + V::channel);
    add(Slot::weight_channel, channel_formulas());

    const Formula kw = Formula(V::tap) % V::kernel_w;
    const Formula kh = Formula(V::tap) / V::kernel_w % V::kernel_h;
    const Formula kd = Formula(V::tap) / (Formula(V::kernel_w) * V::kernel_h);
    const auto index = [](const Formula& d, const Formula& h, const Formula& w) {
      return (d * V::kernel_h + h) * V::kernel_w + w;
    };
    add(Slot::weight_tap,
        {(kd * V::kernel_w + kw) * V::kernel_h + kh, Formula(V::taps) - 1 - V::tap,
         Formula(V::tap) % (Formula(V::kernel_h) * V::kernel_w), index(kd, kh, Formula(V::kernel_w) - 1 - kw),
         index(kd, Formula(V::kernel_h) - 1 - kh, kw), index(Formula(V::kernel_d) - 1 - kd, kh, kw),
         (kh * V::kernel_d + kd) * V::kernel_w + kw,
         index(kd, Formula(V::kernel_h) - 1 - kh, Formula(V::kernel_w) - 1 - kw), Formula(V::tap) % V::kernel_w, 0});
    add(Slot::image, {0, Formula(V::image) - 1, Formula(V::batch) - 1 - V::image, Formula(V::image) / 2,
                      Formula(V::image) % 2, Formula(V::image) + 1});
    add(Slot::image_channels, {V::group_inputs, V::out_channels, V::groups, 1});
    add(Slot::row_distance,
        {V::output_w, min_of(V::input_w, V::output_w), V::input_h, Formula(V::input_w) + Formula(2) * V::padding_w,
         Formula(V::input_w) - 1, Formula(V::input_w) + 1, (Formula(V::input_w) + 3) / 4 * 4,
         (Formula(V::input_w) + 7) / 8 * 8, (Formula(V::input_w) + 15) / 16 * 16});
    add(Slot::padding_value, {V::xz, 0, 128, 255, V::oz, V::wz, 1, 127, signed_bits(V::xz, 8), Formula(0) - V::xz,
                              Formula(V::xz) - 1, Formula(V::xz) + 1, Formula(V::xz) - 128});
    for (const V place :
         {V::before, V::behind, V::before_d, V::before_h, V::before_w, V::behind_d, V::behind_h, V::behind_w}) {
      for (const std::int64_t lies : {1, 0}) {
        for (const std::int64_t value : {0, 128, 255}) {
          add_when(Slot::padding_value, value, {place, Literal::Relation::equal, lies});
        }
      }
    }
    add_mistaken_taps();
  }

  void add_when(Slot slot, const Formula& formula, const Literal& when) {
    edits_.push_back({.slot = slot, .formula = formula, .when = {{when}}});
  }

  // Adds that the position or the weight of one tap is that of another, as in code that is unrolled by hand.
  void add_mistaken_taps() {
    constexpr std::int64_t kUnrolled = 9;
    for (std::int64_t tap = 0; tap < kUnrolled; ++tap) {
      for (std::int64_t other = 0; other < kUnrolled; ++other) {
        if (tap == other) continue;
        for (const Slot slot : {Slot::input_tap, Slot::weight_tap}) {
          add_when(slot, Formula(V::tap) + (other - tap),
                   {Formula(V::tap) % (Formula(V::kernel_h) * V::kernel_w), Literal::Relation::equal, tap});
        }
      }
    }
  }

  // Returns permutations within blocks that instructions make: even ones before odd ones, and the reverse.
  static std::vector<Formula> interleaved(const Formula& of, std::int64_t block) {
    if (block < 4) return {};
    const Formula first = of / block * block;
    const Formula rest = of % block;
    return {first + rest % 2 * (block / 2) + rest / 2, first + rest % (block / 2) * 2 + rest / (block / 2)};
  }

  static std::vector<Formula> channel_formulas() {
    std::vector<Formula> all{0,
                             Formula(V::k) + 1,
                             Formula(V::k) - 1,
                             min_of(Formula(V::k) + 1, Formula(V::out_channels) - 1),
                             max_of(Formula(V::k) - 1, 0),
                             (Formula(V::k) + 1) % V::out_channels,
                             Formula(V::k) % V::group_outputs,
                             Formula(V::k) / V::group_outputs,
                             Formula(V::k) % V::groups,
                             Formula(V::out_channels) - 1 - V::k,
                             Formula(V::out_channels) - 1,
                             Formula(V::k) / 2,
                             unsigned_bits(V::k, 8),
                             signed_bits(V::k, 8)};
    for (const std::int64_t block : kBlocks) {
      all.push_back(Formula(V::k) - block);
      all.push_back(Formula(V::k) % block);
      all.push_back(Formula(V::k) / block * block);
      all.push_back(min_of(V::k, block - 1));
      all.push_back(Formula(V::out_channels) / block * block - 1);
      all.push_back(min_of(V::k, max_of(Formula(V::out_channels) / block * block - 1, 0)));
      all.push_back(Formula(V::k) - Formula(V::out_channels) / block * block);
      // The last block overlaps the one before it, or counts from its own begin.
      all.push_back(Formula(V::k) - Formula(V::out_channels) % block);
      all.push_back(Formula(V::k) + Formula(V::out_channels) % block);
      all.push_back(Formula(V::k) / block * block + (Formula(block - 1) - Formula(V::k) % block));
      all.push_back(min_of(Formula(V::k) / block * block + (Formula(block - 1) - Formula(V::k) % block),
                           Formula(V::out_channels) - 1));
      for (const Formula& other : interleaved(V::k, block)) all.push_back(other);
    }
    const Formula group = Formula(V::k) / V::group_outputs;
    const Formula within = Formula(V::k) % V::group_outputs;
    const std::vector<Formula> grouped{group * V::group_outputs, within * V::groups + group,
                                       Formula(V::k) % V::groups * V::group_outputs + Formula(V::k) / V::groups,
                                       group * V::group_outputs + (Formula(V::group_outputs) - 1 - within)};
    all.insert(all.end(), grouped.begin(), grouped.end());
    return all;
  }

  void add_values() {
    std::vector<Formula> bytes{signed_bits(V::value, 8),
                               unsigned_bits(V::value, 8),
                               Formula(0) - V::value,
                               Formula(V::value) - 128,
                               Formula(V::value) + 128,
                               Formula(V::value) + 1,
                               Formula(V::value) - 1,
                               0,
                               max_of(V::value, Formula(0) - V::value),
                               signed_bits(V::value, 7),
                               unsigned_bits(V::value, 7),
                               saturate(V::value, 7),
                               Formula(V::value) / 2 * 2};
    for (const std::int64_t end : {254, 253, 252, 250, 240, 127, 126, 128}) bytes.push_back(min_of(V::value, end));
    for (const std::int64_t end : {-127, -126, 1, 0, 2, -128}) bytes.push_back(max_of(V::value, end));
    add(Slot::activation, bytes);
    add(Slot::weight, bytes);
    for (const std::int64_t bits : {6, 7, 8, 9}) {
      add(Slot::activation_difference, {signed_bits(V::value, bits), saturate(V::value, bits)});
      add(Slot::weight_difference, {signed_bits(V::value, bits), saturate(V::value, bits)});
    }
    add(Slot::activation_difference, {unsigned_bits(V::value, 8), max_of(V::value, 0), max_of(V::value, -127)});
    add(Slot::weight_difference, {max_of(V::value, -127), max_of(V::value, -128), min_of(V::value, 127)});
    for (const Slot slot : {Slot::activation_zero_point, Slot::weight_zero_point, Slot::output_zero_point}) {
      add(slot, bytes);
    }
  }

  void add_channels() {
    const std::vector<Formula> formulas = channel_formulas();
    for (const Slot slot :
         {Slot::scale_channel, Slot::multiplier_channel, Slot::bias_scale_channel, Slot::zero_point_channel,
          Slot::bias_channel, Slot::written_channel, Slot::correction_channel}) {
      add(slot, formulas);
    }
    const Formula p = V::position;
    const Formula image = Formula(V::output_h) * V::output_w;
    const Formula in_image = p % image;
    std::vector<Formula> positions{p / image * image + in_image % V::output_h * V::output_w + in_image / V::output_h,
                                   Formula(V::positions) - 1 - p,
                                   p / V::output_w * V::output_w + (Formula(V::output_w) - 1 - p % V::output_w),
                                   max_of(p - 1, 0),
                                   p - 1,
                                   p + 1,
                                   0,
                                   in_image / V::output_w * V::output_w + p % V::output_w};
    for (const std::int64_t block : kBlocks) {
      positions.push_back(p / block * block);
      positions.push_back(p - block);
      positions.push_back(p % block);
      positions.push_back(p - Formula(V::positions) % block);
      positions.push_back(p + Formula(V::positions) % block);
      positions.push_back(min_of(p, max_of(Formula(V::positions) / block * block - 1, 0)));
    }
    add(Slot::written_position, positions);
  }

  void add_zero_points() {
    for (const Slot slot : {Slot::sum_of_activations, Slot::sum_of_weights}) {
      for (const std::int64_t bits : {8, 12, 15, 16, 17, 18, 20, 24}) {
        add(slot, {signed_bits(V::value, bits), unsigned_bits(V::value, bits), saturate(V::value, bits)});
      }
      add(slot, {min_of(V::value, 65535), 0});
    }
    const std::vector<Formula> counts{V::length,
                                      Formula(V::in_channels) * V::taps,
                                      V::taps,
                                      V::group_inputs,
                                      V::in_channels,
                                      Formula(V::group_inputs) * V::kernel_h * V::kernel_w,
                                      Formula(V::group_inputs) * V::kernel_w,
                                      Formula(V::length) - 1,
                                      Formula(V::length) + 1};
    std::vector<Formula> padded_counts;
    for (const std::int64_t block : {2, 4, 8, 16, 32, 64}) {
      padded_counts.push_back((Formula(V::group_inputs) + (block - 1)) / block * block * V::taps);
      padded_counts.push_back((Formula(V::length) + (block - 1)) / block * block);
      padded_counts.push_back(Formula(V::group_inputs) / block * block * V::taps);
      padded_counts.push_back(Formula(V::length) / block * block);
    }
    for (const Formula& count : padded_counts) {
      add(Slot::zero_points_out,
          Formula(V::sum_products) - Formula(V::xz) * V::sum_w - Formula(V::wz) * V::sum_x + count * V::xz * V::wz);
    }
    for (const std::int64_t bits : {8, 12, 15, 16, 17, 18, 20, 24}) {
      add(Slot::weight_correction,
          {signed_bits(V::value, bits), unsigned_bits(V::value, bits), saturate(V::value, bits)});
    }
    add(Slot::weight_correction, {V::sum_w, 0, Formula(0) - V::value});
    for (const std::int64_t a : {-1, 0, 1}) {
      for (const std::int64_t b : {-1, 0, 1}) {
        for (const std::int64_t c : {1, 0, -1}) {
          for (const Formula& count : counts) {
            if (a == -1 && b == -1 && c == 1 && &count == &counts.front()) continue;
            if (c == 0 && &count != &counts.front()) continue;
            Formula sum = V::sum_products;
            if (a != 0) sum = a < 0 ? sum - Formula(V::xz) * V::sum_w : sum + Formula(V::xz) * V::sum_w;
            if (b != 0) sum = b < 0 ? sum - Formula(V::wz) * V::sum_x : sum + Formula(V::wz) * V::sum_x;
            const Formula both = count * V::xz * V::wz;
            if (c != 0) sum = c < 0 ? sum - both : sum + both;
            add(Slot::zero_points_out, sum);
          }
        }
      }
    }
    add(Slot::raw,
        {V::value, saturate(V::value, 32), max_of(signed_bits(V::value, 32), 0), Formula(0) - signed_bits(V::value, 32),
         signed_bits(V::value, 32) + 1, signed_bits(V::value, 32) - 1, signed_bits(V::value, 32) / 2 * 2,
         signed_bits(V::value, 32) - unsigned_bits(V::value, 1), signed_bits(V::value, 32) - unsigned_bits(V::value, 2),
         Formula(V::value) - unsigned_bits(V::value, 1), Formula(V::value) - unsigned_bits(V::value, 2),
         signed_bits(V::value, 32) +
             Formula(V::relu) * (max_of(signed_bits(V::value, 32), 0) - signed_bits(V::value, 32))});
    for (const std::int64_t bits : {16, 17, 18, 19, 20, 22, 24, 28, 31}) {
      add(Slot::raw, {signed_bits(V::value, bits), saturate(V::value, bits)});
    }
  }

  // Adds products that are left out, or added twice. terms: also in the sums for the zero points alone.
  void add_times(const Literal& first, std::optional<Literal> second = {}, bool terms = false) {
    // Whether x * w, x, w and 1 are counted differently.
    std::vector<std::array<bool, 4>> sums{
        {true, true, true, true}, {true, false, false, false}, {true, true, false, false}, {true, true, true, false}};
    if (terms) {
      const std::vector<std::array<bool, 4>> more{{false, true, false, false}, {false, false, true, false},
                                                  {false, false, false, true}, {false, true, false, true},
                                                  {false, false, true, true},  {true, false, true, false}};
      sums.insert(sums.end(), more.begin(), more.end());
    }
    for (const std::int64_t times : {0, 2}) {
      for (const auto& [products, x, w, count] : sums) {
        Edit edit{.slot = Slot::times};
        edit.times = {.products = products, .x = x, .w = w, .count = count, .times = times};
        edit.when.literals = {first};
        if (second) edit.when.literals.push_back(*second);
        edits_.push_back(edit);
      }
    }
  }

  void add_times() {
    add_times({V::padded, Relation::equal, 1}, {}, true);
    add_times({V::before, Relation::equal, 1}, {}, true);
    add_times({V::behind, Relation::equal, 1}, {}, true);
    for (const V side : {V::before_d, V::before_h, V::before_w, V::behind_d, V::behind_h, V::behind_w}) {
      add_times({side, Relation::equal, 1}, {}, true);
    }
    for (const V index : {V::product, V::product_by_position}) {
      add_times({index, Relation::equal, 0});
      add_times({index, Relation::equal, Formula(V::length) - 1});
      for (const std::int64_t block : {2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}) {
        add_times({index, Relation::at_least, Formula(V::length) / block * block});
        add_times({index, Relation::at_least, block});
        add_times({index, Relation::equal, block});
        add_times({index, Relation::equal, block - 1});
        add_times({index, Relation::at_least, block}, Literal{index, Relation::below, 2 * block});
        add_times({index, Relation::below, block});
        add_times({Formula(index) % block, Relation::equal, 0});
        add_times({Formula(index) % block, Relation::equal, block - 1});
        // The last block that is not full is overlapped with the one before.
        add_times({index, Relation::at_least, Formula(V::length) - block},
                  Literal{index, Relation::below, Formula(V::length) / block * block});
      }
    }
    // Products that are skipped because a factor is stored as 0.
    for (const V factor : {V::x, V::w}) add_times({factor, Relation::equal, 0}, {}, true);
    const Formula plane = Formula(V::kernel_h) * V::kernel_w;
    add_times({Formula(V::tap) % plane, Relation::equal, plane - 1});
    for (std::int64_t tap = 1; tap < 9; ++tap) add_times({V::tap, Relation::equal, tap});
    const std::array<std::pair<V, V>, 2> loops{{{V::channel, V::group_inputs}, {V::tap, V::taps}}};
    for (const auto& [index, count] : loops) {
      add_times({index, Relation::equal, 0});
      add_times({index, Relation::equal, Formula(count) - 1});
      for (const std::int64_t block : {2, 4, 8, 16, 32, 64}) {
        add_times({index, Relation::at_least, Formula(count) / block * block}, {}, true);
        add_times({index, Relation::at_least, block}, {}, true);
        add_times({index, Relation::below, block});
        add_times({index, Relation::at_least, Formula(count) - block},
                  Literal{index, Relation::below, Formula(count) / block * block});
      }
    }
    const Formula kw = Formula(V::tap) % V::kernel_w;
    const Formula kh = Formula(V::tap) / V::kernel_w % V::kernel_h;
    const Formula kd = Formula(V::tap) / (Formula(V::kernel_w) * V::kernel_h);
    add_tap_times(kd, V::kernel_d, Formula(V::input_d) + V::padding_d - Formula(V::od) * V::stride_d, V::dilation_d);
    add_tap_times(kh, V::kernel_h, Formula(V::input_h) + V::padding_h - Formula(V::oh) * V::stride_h, V::dilation_h);
    add_tap_times(kw, V::kernel_w, Formula(V::input_w) + V::padding_w - Formula(V::ow) * V::stride_w, V::dilation_w);
  }

  // Taps of one axis. room: number of positions from the first tap's to the end of the input.
  void add_tap_times(const Formula& t, V kernel, const Formula& room, V dilation) {
    add_times({t, Relation::equal, Formula(kernel) - 1});
    add_times({t, Relation::equal, 0});
    add_times({t, Relation::at_least, room / dilation});
    add_times({t, Relation::at_least, room});
    for (const std::int64_t end : {2, 3, 4, 5, 7, 8}) add_times({t, Relation::at_least, end});
    for (const std::int64_t block : {2, 4}) add_times({t, Relation::at_least, Formula(kernel) / block * block});
  }

  void add_accumulators() {
    using Kind = Accumulator::Kind;
    using Factors = Accumulator::Factors;
    for (const Factors factors : {Factors::plain, Factors::differences, Factors::signed_activation,
                                  Factors::swapped_signs, Factors::activation_difference, Factors::weight_difference}) {
      const auto add_one = [&](Kind kind, int bits, int block = 1, bool innermost = false, bool restarts = false) {
        Edit edit{.slot = Slot::accumulator};
        edit.accumulator = {.kind = kind,
                            .bits = bits,
                            .block = block,
                            .channels_innermost = innermost,
                            .restarts = restarts,
                            .factors = factors};
        edits_.push_back(edit);
      };
      for (const int bits : {12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 30, 31, 32}) {
        if (bits < 32) add_one(Kind::wraps, bits);
        add_one(Kind::saturates, bits);
        for (const bool innermost : {false, true}) add_one(Kind::saturates_each, bits, 1, innermost);
      }
      for (const int bits : {8, 12, 14, 15, 16}) {
        add_one(Kind::product_wraps, bits);
        add_one(Kind::product_saturates, bits);
      }
      for (const bool innermost : {false, true}) {
        add_one(Kind::float32, 32, 1, innermost);
        for (const int block : {2, 3, 4, 8, 9, 16, 32, 64}) {
          if (block == 4 || block == 8) add_one(Kind::pairs_saturate, 16, block, innermost);
          add_one(Kind::blocks_wrap, 16, block, innermost);
          add_one(Kind::blocks_saturate, 16, block, innermost);
        }
        for (const int block : {2, 4, 8, kWholeRun}) {
          if (block == 4 || block == 8) add_one(Kind::pairs_saturate, 16, block, innermost, true);
          add_one(Kind::blocks_wrap, 16, block, innermost, true);
          add_one(Kind::blocks_saturate, 16, block, innermost, true);
        }
        for (const int lanes : {2, 4, 8, 16}) {
          add_one(Kind::lanes_wrap, 16, lanes, innermost);
          add_one(Kind::lanes_saturate, 16, lanes, innermost);
          add_one(Kind::lanes_float32, 32, lanes, innermost);
        }
        if (factors != Factors::plain) continue;
        for (const int block : {4, 8, 16, 32, 64, 128, 256, 512, 1024}) {
          add_one(Kind::replaced_once, 32, block, innermost);
          add_one(Kind::replaced_each, 32, block, innermost);
        }
      }
      if (factors == Factors::plain) add_one(Kind::raw_float32, 32);
    }
    add_real_sums();
  }

  void add_real_sums() {
    using Kind = Accumulator::Kind;
    for (int i = 0; i < 16; ++i) {
      Edit edit{.slot = Slot::accumulator};
      edit.accumulator = {.kind = (i & 1) != 0 ? Kind::real_after_bias : Kind::real,
                          .channels_innermost = (i & 2) != 0,
                          .fused = (i & 4) != 0,
                          .by_reciprocal = (i & 8) != 0};
      edits_.push_back(edit);
    }
  }

  void add_layouts() {
    for (int bits = 1; bits < 16; ++bits) {
      constexpr int kBothOfWeight = 2 | 8;
      if ((bits & kBothOfWeight) == kBothOfWeight) continue;
      Edit edit{.slot = Slot::layout};
      edit.layout = {.activation_channels_last = (bits & 1) != 0,
                     .weight_channels_last = (bits & 2) != 0,
                     .output_channels_last = (bits & 4) != 0,
                     .weight_outputs_last = (bits & 8) != 0};
      edits_.push_back(edit);
    }
  }

  std::vector<Edit> edits_;
};

}  // namespace

const std::vector<Edit>& sum_edits() {
  static const std::vector<Edit> edits = Space().take();
  return edits;
}

namespace {

std::vector<Requantization> sorted_by_changes(const std::vector<Requantization>& all) {
  std::vector<std::vector<Requantization>> by_changes;
  for (const Requantization& r : all) {
    const auto changes = static_cast<std::size_t>(r.changes());
    if (by_changes.size() <= changes) by_changes.resize(changes + 1);
    by_changes[changes].push_back(r);
  }
  std::vector<Requantization> sorted;
  sorted.reserve(all.size());
  for (const auto& some : by_changes) sorted.insert(sorted.end(), some.begin(), some.end());
  return sorted;
}

// Adds each rounding with each precision of one of the values before it, and the measured roundings.
void add_precisions(const RequantizationSpace& space, std::vector<Requantization>& all) {
  for (Precision Requantization::* const of :
       {&Requantization::of_multiplier, &Requantization::of_reciprocal, &Requantization::of_scale,
        &Requantization::of_bias, &Requantization::of_scaled}) {
    for (int precision = 1; precision < kPrecisions; ++precision) {
      for (const MultiplierRule multiplier :
           {MultiplierRule::contract, MultiplierRule::reciprocal, MultiplierRule::dequantized_reciprocal}) {
        if (of == &Requantization::of_reciprocal && multiplier == MultiplierRule::contract) continue;
        if (of == &Requantization::of_multiplier && multiplier == MultiplierRule::dequantized_reciprocal) continue;
        for (auto rounding = RoundingRule::even; rounding < RoundingRule::twice;
             rounding = static_cast<RoundingRule>(static_cast<int>(rounding) + 1)) {
          Requantization r;
          r.*of = static_cast<Precision>(precision);
          r.multiplier = multiplier;
          r.rounding = rounding;
          all.push_back(r);
        }
      }
    }
  }
  for (const auto& [up_from, negative_up_from] : space.fractions) {
    for (int bias = 0; bias < kBiasRules; ++bias) {
      Requantization r;
      r.bias = static_cast<BiasRule>(bias);
      if (r.bias == BiasRule::real || r.bias == BiasRule::real_fused) continue;
      r.rounding = RoundingRule::measured;
      r.up_from = up_from;
      r.negative_up_from = negative_up_from;
      all.push_back(r);
    }
  }
}

}  // namespace

std::vector<Requantization> scalings(const RequantizationSpace& space) {
  std::vector<Requantization> all;
  const auto add_roundings = [&](Requantization r) {
    for (int rounding = 0; rounding < kRoundingRules; ++rounding) {
      r.rounding = static_cast<RoundingRule>(rounding);
      const bool twice = rounds_twice(r.rounding);
      if (twice && (!is_fixed_point(r.multiplier) || r.multiplier == MultiplierRule::power_of_two)) continue;
      if (is_fixed_point(r.multiplier) && r.multiplier != MultiplierRule::power_of_two) {
        for (int limit = 1; limit < (space.overflow ? kMultiplierLimits : 1); ++limit) {
          Requantization limited = r;
          limited.limit = static_cast<MultiplierLimit>(limit);
          all.push_back(limited);
        }
      }
      for (const ZeroPointRule zero_point : {ZeroPointRule::after, ZeroPointRule::before_rounding}) {
        if (zero_point == ZeroPointRule::before_rounding && is_fixed_point(r.multiplier)) continue;
        r.zero_point = zero_point;
        all.push_back(r);
      }
    }
  };
  for (int bias = 0; bias < kBiasRules; ++bias) {
    for (int multiplier = 0; multiplier < kMultiplierRules; ++multiplier) {
      Requantization r;
      r.bias = static_cast<BiasRule>(bias);
      r.multiplier = static_cast<MultiplierRule>(multiplier);
      const bool of_integers = r.bias == BiasRule::contract || r.bias == BiasRule::zero || r.bias == BiasRule::twice;
      if (space.int32_bias && !of_integers) continue;
      const bool real = r.bias == BiasRule::real || r.bias == BiasRule::real_fused;
      const bool dequantizes =
          MultiplierRule::dequantized <= r.multiplier && r.multiplier <= MultiplierRule::dequantized_inverse;
      if (real && !dequantizes) continue;
      const bool measured = r.multiplier == MultiplierRule::factor || r.multiplier == MultiplierRule::factor_inside;
      const std::vector<double> factors = measured ? space.factors : std::vector<double>{1.0};
      for (const double factor : factors) {
        r.factor = factor;
        for (int addition = 0; addition < (has_integer_bias(r.bias) || space.int32_bias ? kIntegerAdditions : 1);
             ++addition) {
          r.addition = static_cast<IntegerAddition>(addition);
          const bool fits = r.addition == IntegerAddition::int32 || r.addition == IntegerAddition::in_float;
          if (!space.overflow && !fits) continue;
          const bool fixed = is_fixed_point(r.multiplier);
          for (int sum = 0; sum < (fixed ? 1 : kSumRules); ++sum) {
            r.sum = static_cast<SumRule>(sum);
            add_roundings(r);
          }
        }
      }
    }
  }
  for (int limit = 1; limit < kMultiplierLimits; ++limit) {
    Requantization limited;
    limited.limit = static_cast<MultiplierLimit>(limit);
    all.push_back(limited);
  }
  add_precisions(space, all);
  return sorted_by_changes(all);
}

std::vector<Requantization> endings(const RequantizationSpace& space) {
  std::vector<Requantization> all;
  std::vector<int> lows{0};
  std::vector<int> highs{255};
  lows.insert(lows.end(), space.lows.begin(), space.lows.end());
  highs.insert(highs.end(), space.highs.begin(), space.highs.end());
  for (int overflow = 0; overflow < (space.overflow ? kOverflowRules : 1); ++overflow) {
    for (int nan = 0; nan < (space.overflow ? kNanRules : 1); ++nan) {
      for (const ZeroPointRule zero_point :
           {ZeroPointRule::after, ZeroPointRule::wraps, ZeroPointRule::wraps_16, ZeroPointRule::signed_byte}) {
        for (int relu = 0; relu < kReluRules; ++relu) {
          for (int clamp = 0; clamp < kClampRules; ++clamp) {
            for (const int low : lows) {
              for (const int high : highs) {
                // Without a clamp, nothing wraps that would not be cut off.
                if (zero_point != ZeroPointRule::after && static_cast<ClampRule>(clamp) == ClampRule::low_8_bits)
                  continue;
                Requantization r;
                r.overflow = static_cast<OverflowRule>(overflow);
                r.nan = static_cast<NanRule>(nan);
                r.zero_point = zero_point;
                r.relu = static_cast<ReluRule>(relu);
                r.clamp = static_cast<ClampRule>(clamp);
                r.low = low;
                r.high = high;
                all.push_back(r);
                if (overflow + nan > 0) continue;
                for (const double cap : space.caps) {
                  r.cap = cap;
                  all.push_back(r);
                }
              }
            }
          }
        }
      }
    }
  }
  return sorted_by_changes(all);
}

}  // namespace tieout
