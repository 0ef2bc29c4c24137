#include "kernels/packed/packed_conv.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/packed/conv_plan.h"
#include "kernels/packed/depthwise_work.h"
#include "kernels/packed/window_copy.h"
#include "kernels/packed/workers.h"

namespace tieout {
namespace {

// Computes a part of one image.
class Run {
 public:
  Run(const ConvPlan& plan, const std::uint8_t* image, std::uint8_t* y, std::int32_t* sums)
      : plan_(plan),
        c_(plan.spec),
        image_(image),
        y_(y),
        sums_(sums),
        loops_(&plan.loops),
        row_numbers_(plan.out[2] * c_.out_channels),
        panels_(plan.panels),
        copy_(plan, image) {}

  // Restricts the work to `count` panels from `first` on.
  void only_panels(std::int64_t first, std::int64_t count) {
    panels_ = panels_.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  }

  // Computes `count` rows from `first` on. y_ and sums_ begin with row `first`.
  void rows(std::int64_t first, std::int64_t count) {
    first_row_ = first;
    for (std::int64_t row = first; row < first + count;) {
      if (plan_.windows == Windows::joined || plan_.windows == Windows::gathered) {
        row_of_windows(row++);
      } else {
        // A chunk ends at the latest with the requested rows and with the plane.
        const std::int64_t h = row % plan_.out[1];
        const std::int64_t many = std::min({plan_.chunk_rows, first + count - row, plan_.out[1] - h});
        if (plan_.reduction == Reduction::depthwise_3x3) {
          depthwise_3x3_rows(row, many);
        } else {
          chunk(row, many);
        }
        row += many;
      }
    }
  }

 private:
  [[nodiscard]] std::int64_t output_offset(std::int64_t row) const { return (row - first_row_) * row_numbers_; }
  [[nodiscard]] std::uint8_t* y_of(std::int64_t row) const { return y_ + output_offset(row); }
  [[nodiscard]] std::int32_t* sums_of(std::int64_t row) const {
    return sums_ == nullptr ? nullptr : sums_ + output_offset(row);
  }

  void chunk(std::int64_t row, std::int64_t count) {
    const std::int64_t d = row / plan_.out[1] * c_.stride[0];
    const std::int64_t h = row % plan_.out[1] * c_.stride[1];
    const std::uint8_t* source = nullptr;
    if (plan_.windows == Windows::padded) {
      source = copy_.pad(d - c_.padding[0], h - c_.padding[1], count);
    } else {
      source = image_ + (d * c_.input[1] + h) * plan_.line_bytes;
    }
    choose_loops(source, plan_.lines_of(count));
    if (plan_.reduction == Reduction::depthwise) {
      for (std::int64_t r = 0; r < count; ++r) {
        const std::uint8_t* const x = source + r * c_.stride[1] * plan_.line_bytes;
        loops_->depthwise(depthwise_row(plan_, x, y_of(row + r), sums_of(row + r)), plan_.range);
      }
      return;
    }
    if (!plan_.trimmed_areas.empty()) return trimmed_chunk(source, row, count);
    DenseArea work = plan_.one_row ? dense_area(1, count * plan_.out[2]) : dense_area(count, plan_.out[2]);
    for (const ConvPlan::PlacedPanel& placed : panels_) {
      work.x = source + placed.group * plan_.group_channels;
      dense(placed, work, output_offset(row));
    }
  }

  // Chooses the 7-bit loops if all activations in `lines` lines of the window's planes fit 7 bits.
  void choose_loops(const std::uint8_t* source, std::int64_t lines) {
    if (!plan_.seven_bit_loops) return;
    bool seven_bits = true;
    for (std::int64_t d = 0; d < c_.kernel[0] && seven_bits; ++d) {
      seven_bits = plan_.loops.seven_bits(source + d * plan_.plane_bytes, lines * plan_.line_bytes);
    }
    loops_ = seven_bits ? &*plan_.seven_bit_loops : &plan_.loops;
  }

  // Computes the rows by areas of positions that have the same taps inside of the input.
  void trimmed_chunk(const std::uint8_t* source, std::int64_t row, std::int64_t count) {
    const std::int64_t h = row % plan_.out[1];
    for (const ConvPlan::PlacedPanel& placed : panels_) {
      for (const auto& [rows, columns] : plan_.trimmed_areas) {
        const std::int64_t first = std::max(rows.first, h), end = std::min(rows.first + rows.count, h + count);
        if (first >= end) continue;
        DenseArea work = dense_area(end - first, columns.count);
        work.runs = rows.to - rows.from;
        work.run_offsets += rows.from;
        work.steps = (columns.to - columns.from) * c_.in_channels / kStep;
        work.x =
            source + (first - h) * work.line_distance + (columns.first * c_.stride[2] + columns.from) * c_.in_channels;
        const std::int64_t offset = output_offset(row + first - h) + columns.first * c_.out_channels;
        dense(trimmed(placed, rows, columns), work, offset);
      }
    }
  }

  // Returns the panel without the taps outside of the input. Its sums start with what these taps contribute.
  ConvPlan::PlacedPanel trimmed(ConvPlan::PlacedPanel placed, const Span& rows, const Span& columns) {
    Panel& panel = placed.panel;
    const std::int64_t block = plan_.loops.block;
    const std::int64_t first_step = rows.from * plan_.steps + columns.from * c_.in_channels / kStep;
    panel.weights += first_step * kStep * panel.blocks * block;
    if (c_.activation_zero_point == 0) return placed;
    numbers_.assign(panel.numbers, panel.numbers + panel.blocks);
    const std::int32_t* sums = plan_.sums_outside.data() + placed.first_block * block * volume(c_.kernel);
    for (std::int64_t h = 0; h < c_.kernel[1]; ++h) {
      for (std::int64_t w = 0; w < c_.kernel[2]; ++w, sums += panel.blocks * block) {
        if (h >= rows.from && h < rows.to && w >= columns.from && w < columns.to) continue;
        for (std::int64_t i = 0; i < panel.blocks * block; ++i) {
          std::int32_t& start = numbers_[static_cast<std::size_t>(i / block)].start[i % block];
          start = static_cast<std::int32_t>(static_cast<std::uint32_t>(start) + static_cast<std::uint32_t>(sums[i]));
        }
      }
    }
    panel.numbers = numbers_.data();
    return placed;
  }

  [[nodiscard]] DenseArea dense_area(std::int64_t lines, std::int64_t positions) const {
    return {.x = nullptr,
            .lines = lines,
            .positions = positions,
            .line_distance = c_.stride[1] * plan_.line_bytes,
            .distance = c_.stride[2] * c_.in_channels,
            .run_offsets = plan_.run_offsets.data(),
            .runs = static_cast<std::int64_t>(plan_.run_offsets.size()),
            .steps = plan_.steps,
            .packed_steps = plan_.steps,
            .activation_sums = nullptr,
            .y = nullptr,
            .sums = nullptr,
            .y_line_distance = row_numbers_,
            .y_distance = c_.out_channels};
  }

  // Computes one panel of an area whose x is set, and writes to the output at `offset`.
  void dense(const ConvPlan::PlacedPanel& placed, DenseArea work, std::int64_t offset) {
    if (plan_.weight_zero_points) {
      sum_activations(work);
      work.activation_sums = activation_sums_.data();
    }
    work.y = y_ + offset + placed.first_channel;
    work.sums = sums_ == nullptr ? nullptr : sums_ + offset + placed.first_channel;
    loops_->dense(placed.panel, work, plan_.range);
  }

  void sum_activations(const DenseArea& work) {
    activation_sums_.resize(static_cast<std::size_t>(work.lines * work.positions));
    constexpr std::int64_t kShort = 1 << 16;
    for (std::int64_t p = 0; p < work.lines * work.positions; ++p) {
      const std::uint8_t* const window =
          work.x + p / work.positions * work.line_distance + p % work.positions * work.distance;
      std::int64_t sum = 0;
      for (std::int64_t run = 0; run < work.runs; ++run) {
        const std::uint8_t* const x = window + work.run_offsets[run];
        for (std::int64_t i = 0; i < plan_.run_bytes; i += kShort) {
          std::uint32_t of_part = 0;  // 32 bits, so that the compiler vectorizes the loop
          for (std::int64_t j = i; j < std::min(i + kShort, plan_.run_bytes); ++j) of_part += x[j];
          sum += of_part;
        }
      }
      if (plan_.arithmetic.activation_sum == Arithmetic::ActivationSum::int16) sum = std::min<std::int64_t>(sum, 32767);
      activation_sums_[static_cast<std::size_t>(p)] = static_cast<std::int32_t>(sum);  // modulo 2^32
    }
  }

  void depthwise_3x3_rows(std::int64_t row, std::int64_t count) {
    const std::uint8_t* const plane = image_ + row / plan_.out[1] * c_.stride[0] * c_.input[1] * plan_.line_bytes;
    const std::int64_t corner = row % plan_.out[1] * c_.stride[1] - c_.padding[1];
    const std::int64_t top = std::clamp<std::int64_t>(corner, 0, c_.input[1]);
    const std::int64_t bottom = std::clamp<std::int64_t>(corner + plan_.lines_of(count), top, c_.input[1]);
    choose_loops(plane + top * plan_.line_bytes, bottom - top);
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t first_line = corner + r * c_.stride[1];
      loops_->depthwise_3x3(depthwise_3x3_row(plan_, plane, first_line, y_of(row + r), sums_of(row + r)), plan_.range);
    }
  }

  void row_of_windows(std::int64_t row) {
    const std::int64_t d = row / plan_.out[1] * c_.stride[0] - c_.padding[0];
    const std::int64_t h = row % plan_.out[1] * c_.stride[1] - c_.padding[1];
    const std::uint8_t* const lines = plan_.windows == Windows::joined ? copy_.pad(d, h, 1) : nullptr;
    DenseArea work = dense_area(1, 0);
    work.distance = plan_.steps * kStep;
    for (std::int64_t group = 0; group < c_.groups; ++group) {
      for (std::int64_t w = 0; w < plan_.out[2]; w += plan_.chunk_positions) {
        work.positions = std::min(plan_.chunk_positions, plan_.out[2] - w);
        work.x = lines != nullptr ? copy_.join(lines, w, work.positions, group)
                                  : copy_.gather(d, h, w, work.positions, group);
        for (const ConvPlan::PlacedPanel& placed : panels_) {
          if (placed.group == group) dense(placed, work, output_offset(row) + w * c_.out_channels);
        }
      }
    }
  }

  const ConvPlan& plan_;
  const ConvCase& c_;
  const std::uint8_t* image_;
  std::uint8_t* y_;
  std::int32_t* sums_;
  const Loops* loops_;
  std::int64_t row_numbers_, first_row_ = 0;
  std::span<const ConvPlan::PlacedPanel> panels_;
  WindowCopy copy_;
  std::vector<std::int32_t> activation_sums_;
  std::vector<BlockNumbers> numbers_;
};

// Returns the share of their time for which threads wait for the thread with the most items; 1 if there are no items.
double idle_share(std::int64_t items, std::int64_t threads) {
  if (items == 0) return 1;
  const std::int64_t longest = (items + threads - 1) / threads;
  return 1 - static_cast<double>(items) / static_cast<double>(longest * threads);
}

}  // namespace

PackedConv::PackedConv(const ConvCase& spec, std::span<const std::int8_t> weight, const Arithmetic& arithmetic,
                       SimdIsa isa)
    : plan_(std::make_shared<const ConvPlan>(make_plan(spec, weight, arithmetic, isa))) {}

void PackedConv::run(const std::uint8_t* x, const OutputRows& rows, std::uint8_t* y, std::int32_t* sums) const {
  Run(*plan_, x + rows.image * plan_->image_bytes(), y, sums).rows(rows.first, rows.count);
}

void PackedConv::run(const std::uint8_t* x, std::uint8_t* y, int threads) const {
  const ConvPlan& plan = *plan_;
  const std::int64_t rows = plan.spec.batch * plan.out_rows(), row = plan.out[2] * plan.spec.out_channels;
  const auto panels = static_cast<std::int64_t>(plan.panels.size());
  // Threads share the rows, or the panels of output channels if these divide more evenly.
  const bool by_panels = idle_share(panels, threads) < idle_share(rows, threads);
  const std::int64_t items = by_panels ? panels : rows;
  const auto parts = static_cast<int>(std::clamp<std::int64_t>(threads, 1, std::max<std::int64_t>(items, 1)));
  Workers::shared().run(parts, [&](int part) {
    const std::int64_t begin = items * part / parts, end = items * (part + 1) / parts;
    if (by_panels) {
      for (std::int64_t image = 0; image < plan.spec.batch; ++image) {
        Run work(plan, x + image * plan.image_bytes(), y + image * plan.out_rows() * row, nullptr);
        work.only_panels(begin, end - begin);
        work.rows(0, plan.out_rows());
      }
      return;
    }
    for (std::int64_t at = begin; at < end;) {
      const std::int64_t image = at / plan.out_rows(), first = at % plan.out_rows();
      const std::int64_t count = std::min(end - at, plan.out_rows() - first);
      run(x, OutputRows{image, first, count}, y + at * row);
      at += count;
    }
  });
}

}  // namespace tieout
