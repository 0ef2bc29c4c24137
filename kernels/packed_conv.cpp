#include "kernels/packed_conv.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "cases/parallel.h"
#include "kernels/conv_plan.h"

namespace tieout {
namespace {

constexpr std::int64_t kSlack = 64;  // bytes behind a copy that the loops may read, and do not use

// One call's work: a part of one image.
class Run {
 public:
  Run(const ConvPlan& plan, const std::uint8_t* image, std::uint8_t* y, std::int32_t* sums)
      : plan_(plan), c_(plan.spec), image_(image), y_(y), sums_(sums), row_numbers_(plan.out[2] * c_.out_channels) {}

  // y_ and sums_ begin with row `first`.
  void rows(std::int64_t first, std::int64_t count) {
    first_row_ = first;
    for (std::int64_t row = first; row < first + count;) {
      const std::int64_t h = row % plan_.out[1];
      if (plan_.windows == Windows::gathered) {
        gathered_row(row);
        ++row;
        continue;
      }
      // Up to the end of the chunk, of what is asked for, and of the plane.
      const std::int64_t many = std::min({plan_.chunk_rows, first + count - row, plan_.out[1] - h});
      chunk(row, many);
      row += many;
    }
  }

 private:
  [[nodiscard]] std::int64_t output_offset(std::int64_t row) const { return (row - first_row_) * row_numbers_; }

  void chunk(std::int64_t row, std::int64_t count) {
    const std::int64_t d = row / plan_.out[1] * c_.stride[0];
    const std::int64_t h = row % plan_.out[1] * c_.stride[1];
    const std::uint8_t* source = nullptr;
    if (plan_.windows == Windows::padded) {
      pad(d - c_.padding[0], h - c_.padding[1], count);
      source = copy_.data();
    } else {
      source = image_ + (d * c_.input[1] + h) * plan_.line_bytes;
    }
    if (plan_.reduction == Reduction::depthwise) {
      for (std::int64_t r = 0; r < count; ++r) {
        depthwise_row(source + r * c_.stride[1] * plan_.line_bytes, output_offset(row + r));
      }
      return;
    }
    const bool one_row = plan_.one_row == ConvPlan::OneRow::yes;
    const std::int64_t lines = one_row ? 1 : count;
    DenseRow work = dense_row(one_row ? count * plan_.out[2] : plan_.out[2]);
    for (const ConvPlan::PlacedPanel& placed : plan_.panels) {
      for (std::int64_t r = 0; r < lines; ++r) {
        work.x = source + r * c_.stride[1] * plan_.line_bytes + placed.group * plan_.group_channels;
        dense(placed, work, output_offset(row + r));
      }
    }
  }

  // Lines of the input from h on, in each of the window's planes from d on, with what lies outside.
  void pad(std::int64_t d, std::int64_t h, std::int64_t rows) {
    const std::int64_t lines = (rows - 1) * c_.stride[1] + c_.dilation[1] * (c_.kernel[1] - 1) + 1;
    copy_.resize(static_cast<std::size_t>(c_.kernel[0] * plan_.plane_bytes + kSlack));
    const std::int64_t before = std::min(c_.padding[2] * c_.in_channels, plan_.line_bytes);
    const std::int64_t inside = std::min(c_.input[2] * c_.in_channels, plan_.line_bytes - before);
    const auto zero_point = static_cast<int>(c_.activation_zero_point);
    for (std::int64_t kd = 0; kd < c_.kernel[0]; ++kd) {
      const std::int64_t plane = d + kd * c_.dilation[0];
      for (std::int64_t line = 0; line < lines; ++line) {
        std::uint8_t* const to = copy_.data() + kd * plan_.plane_bytes + line * plan_.line_bytes;
        const bool exists = plane >= 0 && plane < c_.input[0] && h + line >= 0 && h + line < c_.input[1];
        if (!exists) {
          std::memset(to, zero_point, static_cast<std::size_t>(plan_.line_bytes));
          continue;
        }
        const std::uint8_t* const from = image_ + (plane * c_.input[1] + h + line) * c_.input[2] * c_.in_channels;
        std::memset(to, zero_point, static_cast<std::size_t>(before));
        std::memcpy(to + before, from, static_cast<std::size_t>(inside));
        std::memset(to + before + inside, zero_point, static_cast<std::size_t>(plan_.line_bytes - before - inside));
      }
    }
  }

  [[nodiscard]] DenseRow dense_row(std::int64_t positions) const {
    return {.x = nullptr,
            .positions = positions,
            .distance = c_.stride[2] * c_.in_channels,
            .run_offsets = plan_.run_offsets.data(),
            .runs = static_cast<std::int64_t>(plan_.run_offsets.size()),
            .steps = plan_.steps,
            .activation_sums = nullptr,
            .y = nullptr,
            .sums = nullptr,
            .out_channels = c_.out_channels};
  }

  // One panel of a row whose x is set; to the output at `offset`.
  void dense(const ConvPlan::PlacedPanel& placed, DenseRow work, std::int64_t offset) {
    if (plan_.weight_zero_points) {
      sum_activations(work);
      work.activation_sums = activation_sums_.data();
    }
    work.y = y_ + offset + placed.first_channel;
    work.sums = sums_ == nullptr ? nullptr : sums_ + offset + placed.first_channel;
    plan_.loops.dense(placed.panel, work, plan_.range);
  }

  void sum_activations(const DenseRow& work) {
    activation_sums_.resize(static_cast<std::size_t>(work.positions));
    constexpr std::int64_t kShort = 1 << 16;
    for (std::int64_t p = 0; p < work.positions; ++p) {
      std::int64_t sum = 0;
      for (std::int64_t run = 0; run < work.runs; ++run) {
        const std::uint8_t* const x = work.x + p * work.distance + work.run_offsets[run];
        for (std::int64_t i = 0; i < plan_.run_bytes; i += kShort) {
          std::uint32_t of_part = 0;  // 32 bits, so that the compiler adds up many at a time
          for (std::int64_t j = i; j < std::min(i + kShort, plan_.run_bytes); ++j) of_part += x[j];
          sum += of_part;
        }
      }
      if (plan_.arithmetic.activation_sum == Arithmetic::ActivationSum::int16) sum = std::min<std::int64_t>(sum, 32767);
      activation_sums_[static_cast<std::size_t>(p)] = static_cast<std::int32_t>(sum);  // modulo 2^32
    }
  }

  void depthwise_row(const std::uint8_t* x, std::int64_t offset) {
    const bool int16 = plan_.arithmetic.activation_sum == Arithmetic::ActivationSum::int16;
    const bool one_row = plan_.one_row == ConvPlan::OneRow::yes;
    DepthwiseRow work{.x = x,
                      .bytes = one_row ? row_numbers_ : c_.out_channels,
                      .tap_offsets = plan_.run_offsets.data(),
                      .quads = static_cast<std::int64_t>(plan_.run_offsets.size()) / kStep,
                      .period = plan_.period,
                      .weights = plan_.weights.front().bytes,
                      .ones = plan_.weight_zero_points ? plan_.ones.front().bytes : nullptr,
                      .largest_activation_sum = int16 ? 32767 : std::numeric_limits<std::int32_t>::max(),
                      .numbers = plan_.table.from(0),
                      .y = y_ + offset,
                      .sums = sums_ == nullptr ? nullptr : sums_ + offset};
    for (std::int64_t at = 0; at < row_numbers_; at += work.bytes) {
      plan_.loops.depthwise(work, plan_.range);
      work.x += c_.stride[2] * c_.in_channels;
      work.y += work.bytes;
      if (work.sums != nullptr) work.sums += work.bytes;
    }
  }

  void gathered_row(std::int64_t row) {
    DenseRow work = dense_row(0);
    work.distance = plan_.steps * kStep;
    for (std::int64_t group = 0; group < c_.groups; ++group) {
      for (std::int64_t w = 0; w < plan_.out[2]; w += plan_.chunk_rows) {
        work.positions = std::min(plan_.chunk_rows, plan_.out[2] - w);
        gather(row, w, work.positions, group);
        work.x = copy_.data();
        for (const ConvPlan::PlacedPanel& placed : plan_.panels) {
          if (placed.group == group) dense(placed, work, output_offset(row) + w * c_.out_channels);
        }
      }
    }
  }

  // The windows of `count` positions of a row, one after the other.
  void gather(std::int64_t row, std::int64_t first, std::int64_t count, std::int64_t group) {
    const std::int64_t bytes = plan_.steps * kStep;
    copy_.resize(static_cast<std::size_t>(count * bytes));
    const Spatial corner{row / plan_.out[1] * c_.stride[0] - c_.padding[0],
                         row % plan_.out[1] * c_.stride[1] - c_.padding[1], 0};
    for (std::int64_t p = 0; p < count; ++p) {
      std::uint8_t* to = copy_.data() + p * bytes;
      const std::int64_t left = (first + p) * c_.stride[2] - c_.padding[2];
      for (std::int64_t kd = 0; kd < c_.kernel[0]; ++kd) {
        for (std::int64_t kh = 0; kh < c_.kernel[1]; ++kh) {
          for (std::int64_t kw = 0; kw < c_.kernel[2]; ++kw, to += plan_.group_channels) {
            const std::int64_t d = corner[0] + kd * c_.dilation[0];
            const std::int64_t h = corner[1] + kh * c_.dilation[1];
            const std::int64_t w = left + kw * c_.dilation[2];
            const auto size = static_cast<std::size_t>(plan_.group_channels);
            if (d < 0 || d >= c_.input[0] || h < 0 || h >= c_.input[1] || w < 0 || w >= c_.input[2]) {
              std::memset(to, static_cast<int>(c_.activation_zero_point), size);
            } else {
              const std::int64_t pixel = (d * c_.input[1] + h) * c_.input[2] + w;
              std::memcpy(to, image_ + pixel * c_.in_channels + group * plan_.group_channels, size);
            }
          }
        }
      }
    }
  }

  const ConvPlan& plan_;
  const ConvCase& c_;
  const std::uint8_t* image_;
  std::uint8_t* y_;
  std::int32_t* sums_;
  std::int64_t row_numbers_, first_row_ = 0;
  std::vector<std::uint8_t> copy_;
  std::vector<std::int32_t> activation_sums_;
};

}  // namespace

PackedConv::PackedConv(const ConvCase& spec, std::span<const std::int8_t> weight, const Arithmetic& arithmetic,
                       KernelIsa isa)
    : plan_(std::make_shared<const ConvPlan>(make_plan(spec, weight, arithmetic, isa))) {}

void PackedConv::run(const std::uint8_t* x, const OutputRows& rows, std::uint8_t* y, std::int32_t* sums) const {
  const std::int64_t image = volume(plan_->spec.input) * plan_->spec.in_channels;
  Run(*plan_, x + rows.image * image, y, sums).rows(rows.first, rows.count);
}

void PackedConv::run(const std::uint8_t* x, std::uint8_t* y, int threads) const {
  const std::int64_t rows = plan_->out_rows();
  const std::int64_t row = plan_->out[2] * plan_->spec.out_channels;
  in_parts(plan_->spec.batch * rows, threads, [&](std::size_t, std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t image = begin / rows, first = begin % rows;
      const std::int64_t count = std::min(end - begin, rows - first);
      run(x, OutputRows{image, first, count}, y + begin * row);
      begin += count;
    }
  });
}

}  // namespace tieout
