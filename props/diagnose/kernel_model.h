#pragma once
// Provides an executable model of a user's kernel: the contract of tieout_kernel.h with edits. An edit replaces one
// expression of the contract's kernel, always or under a condition. A diagnosis is the list of edits with which the
// model computes what the user's kernel computes.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cases/conv_case.h"
#include "props/diagnose/condition.h"
#include "props/diagnose/formula.h"
#include "props/diagnose/requantization.h"

namespace tieout {

// The expressions of the contract's kernel that edits may replace.
enum class Slot : std::uint8_t {
  // Integers, by Edit::formula. Of one axis:
  output_position,  // o
  kernel_tap,       // t
  stride,
  dilation,
  padding,
  read_position,  // o * stride + t * dilation - padding, as Variable::value
  // Of one product:
  image,                  // n
  input_channel,          // k / group_outputs * group_inputs + i
  weight_channel,         // k
  weight_input,           // i, where the weight is read
  weight_tap,             // tap, where the weight is read
  row_distance,           // input_w
  image_channels,         // C, the channels between two images
  input_tap,              // tap, whose position is read
  padding_value,          // xz
  activation,             // x, as Variable::value
  weight,                 // w, as Variable::value
  activation_difference,  // x - xz, as Variable::value
  weight_difference,      // w - wz, as Variable::value
  // Of one output channel:
  scale_channel,       // k, of the scale
  multiplier_channel,  // k, of the scale in the multiplier only
  zero_point_channel,  // k, of the weight zero point
  bias_channel,        // k, of the bias
  bias_scale_channel,  // k, of the scale by which the bias is divided
  correction_channel,  // k, of the sum of weights that is multiplied by xz
  // Of one element:
  written_channel,        // k, of the element that is computed and written at k
  written_position,       // position, of the element that is computed and written there
  activation_zero_point,  // xz, as Variable::value
  weight_zero_point,      // wz, as Variable::value
  output_zero_point,      // oz, as Variable::value
  sum_of_activations,     // sum_x, as Variable::value
  sum_of_weights,         // sum_w, as Variable::value
  weight_correction,      // sum_w - count * wz, which is multiplied by xz, as Variable::value
  zero_points_out,        // products - xz * sum_w - wz * sum_x + length * xz * wz
  raw,                    // int32(...), as Variable::value
  // Others, by their own members of Edit:
  layout,    // in which order tensors are read and written
  inside,    // by Edit::formula, the begin or the end of the positions of an axis that are read
  in_plane,  // whether a position is read, by its offset in the channel: of all axes, or of the width only
  times,     // how often a product is counted
  accumulator,
  requantization,
};
inline constexpr std::size_t kSlots = static_cast<std::size_t>(Slot::requantization) + 1;

// The sums in which products are counted another number of times, where Edit::when holds: of x * w, of x, of w, and of
// 1, which is their number.
struct Times {
  bool products = true, x = false, w = false, count = false;
  EditCondition when = {};  // may use the variables of one product
  std::int64_t times = 0;

  bool operator==(const Times&) const = default;
};

// A block that is as long as a run of the innermost loop.
inline constexpr int kWholeRun = 1 << 20;
// The largest number of sums to which products are added in turn.
inline constexpr int kMostLanes = 16;

// Sums that are not exact.
struct Accumulator {
  enum class Kind : std::uint8_t {
    exact,
    wraps,           // the sum is kept in so many bits
    saturates,       // the final sum saturates to so many bits
    saturates_each,  // the sum saturates to so many bits after every product
    float32,         // the sum is accumulated in float32
    product_wraps,   // every product is kept in so many bits
    product_saturates,
    blocks_wrap,      // the sums of `block` products each are kept in so many bits
    blocks_saturate,  // the sum within a block saturates to so many bits after every product
    pairs_saturate,   // the sum of two products saturates to so many bits, and then the sum of the pairs of a block
    replaced_once,    // the second block of products replaces the first
    replaced_each,    // every block of products replaces those before
    raw_float32,      // the zero points are taken out in float32
    lanes_wrap,       // `block` sums, to which products are added in turn, are kept in so many bits
    lanes_saturate,   // these sums saturate to so many bits after every product
    lanes_float32,    // these sums are float32
    real,             // float32 products of dequantized values are summed up, and the bias is added to that
    real_after_bias,  // ... beginning with the bias
  } kind = Kind::exact;
  int bits = 32;
  int block = 1;
  // Whether the channels are the innermost loop.
  bool channels_innermost = false;
  // Whether blocks begin anew with every run of the innermost loop, over channels or over a row of the kernel.
  bool restarts = false;
  // The products that are accumulated.
  enum class Factors : std::uint8_t {
    plain,                  // x * w
    differences,            // (x - xz) * (w - wz)
    signed_activation,      // (x - 128) * w
    swapped_signs,          // (x - 128) * (w + 128)
    activation_difference,  // (x - xz) * w
    weight_difference,      // x * (w - wz)
  } factors = Factors::plain;
  // Of real sums: whether products are added by fused operations, and whether the sum is multiplied by 1 / os instead
  // of divided by os.
  bool fused = false, by_reciprocal = false;

  bool operator==(const Accumulator&) const = default;
};

// Returns the product as C code, such as "x * w".
[[nodiscard]] std::string_view factors_text(Accumulator::Factors factors);

// The order of tensors that the kernel assumes, where it is not NCHW and OIHW.
struct Layout {
  bool activation_channels_last = false, weight_channels_last = false, output_channels_last = false;
  bool weight_outputs_last = false;  // HWIO, and of depthwise kernels HWC

  bool operator==(const Layout&) const = default;
};

// The formula of Slot::inside where an end is not checked: no position lies that far from the input.
inline constexpr std::int64_t kUnchecked = std::int64_t{1} << 40U;

struct Edit {
  Slot slot = Slot::raw;
  Formula formula = 0;
  int axis = -1;       // for slots of an axis: the only one; -1: all
  bool begin = false;  // for Slot::inside: the formula is the begin of the positions, and not their end
  Layout layout = {};
  Times times = {};
  Accumulator accumulator = {};
  Requantization requantization = {};
  // May use the variables of the element, for requantization also scaled_is_negative.
  EditCondition condition = {};
  // For slots of one product and for Slot::times: may use the variables of the product, too.
  EditCondition when = {};

  [[nodiscard]] int size() const;
  // Returns the edit in one line of words, without its condition.
  [[nodiscard]] std::string text() const;

  bool operator==(const Edit&) const = default;
};

// Returns whether the edit changes single products, so that evaluating it takes a loop over the window.
[[nodiscard]] bool loops_over_window(const Edit& edit);

// Of several edits of a slot, the first counts whose condition holds. Edits of the requantization are combined, because
// each changes some of its steps.
using KernelModel = std::vector<Edit>;

// The indices of an output element: image, output channel, position.
struct ElementIndex {
  std::int64_t image = 0, k = 0;
  Spatial o{};
};

// The sums over one window.
struct WindowSums {
  std::int64_t products = 0, x = 0, w = 0, count = 0;
};

// A problem, prepared for many models: the exact sums of all elements are computed once.
class ModelProblem {
 public:
  explicit ModelProblem(ConvProblem problem);
  ModelProblem(ModelProblem&&) = default;

  [[nodiscard]] const ConvProblem& problem() const { return problem_; }
  [[nodiscard]] std::int64_t elements() const { return elements_; }
  [[nodiscard]] const std::vector<WindowSums>& sums() const;
  // Returns the sums of the weights of each output channel.
  [[nodiscard]] const std::vector<std::int64_t>& weight_sums() const;
  // Returns the variables of an element.
  [[nodiscard]] Variables variables(std::int64_t offset) const;
  // Returns what the contract's requantization is computed from.
  [[nodiscard]] RequantizationInput requantization_input(std::int64_t offset) const;

 private:
  ConvProblem problem_;
  std::int64_t elements_;
  Variables of_case_{};
  std::array<std::vector<std::int64_t>, 3> taps_inside_;  // by axis and output position
  mutable std::vector<WindowSums> sums_;
  mutable std::vector<std::int64_t> weight_sums_;
};

// Sets the variables that conditions of the requantization may use.
void set_requantization_variables(Variables& v, const RequantizationInput& in);

// Evaluates a model on a problem.
class KernelRun {
 public:
  // Both must outlive this.
  KernelRun(const KernelModel& model, const ModelProblem& problem);

  // Returns the model's value of an element, or -1 where the model reads outside of a buffer, so that it predicts
  // nothing.
  [[nodiscard]] int evaluate(std::int64_t offset);

  // Returns what the model's requantization is computed from, with all other edits applied, or nothing as above.
  [[nodiscard]] std::optional<RequantizationInput> input(std::int64_t offset);
  // Returns the combined edits of requantization that apply to the element of the last call of input().
  [[nodiscard]] Requantization requantization(const RequantizationInput& in);

 private:
  [[nodiscard]] const Edit* edit_of(Slot slot) const { return first_active_[static_cast<std::size_t>(slot)]; }
  [[nodiscard]] const Edit* edit_of(Slot slot, int axis) const;
  [[nodiscard]] std::int64_t value_of(Slot slot, std::int64_t usual);
  [[nodiscard]] std::int64_t value_of(Slot slot, std::int64_t usual, int axis);
  // Returns the offset of the element whose value is written at an offset, or nothing if there is none.
  [[nodiscard]] std::optional<std::int64_t> written_at(std::int64_t offset);
  // Finds the edits whose condition holds. Returns whether one of them needs the products of the window.
  [[nodiscard]] bool find_active();
  // Returns the channel of a parameter, or -1 if it has no value there.
  [[nodiscard]] std::int64_t parameter(Slot slot, std::int64_t k, std::int64_t count);
  // Returns the sum without the zero points' contributions, in 64 bits, or nothing if the model leaves a buffer.
  [[nodiscard]] std::optional<std::int64_t> sum_without_zero_points(const ElementIndex& e, std::int64_t xz,
                                                                    std::int64_t wz, WindowSums sums);
  // Fills positions_ and inside_ for an element.
  void find_positions(const ElementIndex& e);
  // Returns whether a position is read if only its offset within the channel is checked. tap: its tap of each axis.
  [[nodiscard]] bool is_in_plane(int axis, const std::array<std::size_t, 3>& tap) const;
  // Returns the value of a slot of products, where channel and tap are set, and below also the padding.
  [[nodiscard]] std::int64_t value_of_product(Slot slot, std::int64_t usual);
  // Computes what is the same for many products of an element.
  void prepare_products();
  [[nodiscard]] bool is_counted_differently(const EditCondition& when);
  // Sums up the window with all edits. Returns false if the model reads outside of a buffer.
  [[nodiscard]] bool add_products(const ElementIndex& e, std::int64_t xz, std::int64_t wz, WindowSums& sums);
  // Where the activation of a product is read: the tap of each axis, and whether the position lies in the input.
  struct Place {
    std::array<std::size_t, 3> tap;
    bool inside;
  };
  // Sets the variables of a product. Returns its place, or nothing if an edit names a tap that is none.
  [[nodiscard]] std::optional<Place> place_of(std::int64_t channel, const Spatial& t);
  // Return w and x of the product whose variables are set, or nothing outside of the buffer.
  [[nodiscard]] std::optional<std::int64_t> read_weight(std::int64_t k, std::int64_t channel);
  [[nodiscard]] std::optional<std::int64_t> read_activation(const ElementIndex& e, std::int64_t channel,
                                                            const Place& place, std::int64_t xz);
  [[nodiscard]] std::int64_t accumulated(const Accumulator& how) const;
  // Returns the sum of real_factors_ with the bias of output channel `bias`.
  [[nodiscard]] float real_sum(const Accumulator& how, std::int64_t bias) const;
  [[nodiscard]] std::int64_t accumulated_in_lanes(const Accumulator& how) const;

  const KernelModel& model_;
  const ModelProblem& p_;
  Variables v_{};
  std::vector<const Edit*> active_;                 // the edits whose condition holds at the element
  std::array<const Edit*, kSlots> first_active_{};  // the first of them for each slot
  std::vector<std::int64_t> positions_[3];
  std::vector<char> inside_[3];
  std::vector<std::int64_t> products_;  // of the window, channels outermost
  // Of an accumulator of real products: the dequantized factors.
  std::vector<std::pair<float, float>> real_factors_;

  // The values of a formula over the products of an element, by what it depends on.
  struct Table {
    const Formula* formula = nullptr;  // null if the slot has no edit
    unsigned depends = 0;
    std::vector<std::int64_t> values;
    std::vector<char> known;
  };
  void prepare(Table& table, const Formula& formula);
  [[nodiscard]] std::int64_t look_up(Table& table);
  static constexpr std::size_t kProductSlots = static_cast<std::size_t>(Slot::weight_difference) + 1;
  std::array<Table, kProductSlots> tables_;
  std::vector<std::array<Table, 2>> times_tables_;  // of both sides of the literals of Edit::when of Slot::times
};

// Returns the model's values of all elements.
[[nodiscard]] std::vector<int> evaluate_all(const KernelModel& model, const ModelProblem& problem);

}  // namespace tieout
