#include "props/diagnose/tap_picture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "cases/contents.h"
#include "cases/text/case_cost.h"

namespace tieout {
namespace {

constexpr std::int64_t kPadding = -1;  // no position of the input is read
constexpr std::int64_t kSeveral = -2;  // different positions are read

// What one weight is multiplied by.
struct Read {
  std::int64_t times = 0;
  std::int64_t position = kPadding;  // offset in the activation

  bool operator==(const Read&) const = default;
};

// Finds the products of a model: the sum is linear in each activation and in each weight, so that its second difference
// by one weight and one activation is the number of times that they are multiplied.
class ProductFinder {
 public:
  ProductFinder(const KernelModel& model, const ConvCase& c, std::int64_t offset)
      : model_(model), problem_(with_contents(c)), offset_(offset) {
    positions_ = problem_.activation.size();
    std::ranges::fill(problem_.weight, std::int8_t{0});
    bits_ = static_cast<int>(std::bit_width(positions_));
    // Pattern 0 has zeros, pattern 1 ones, and pattern 2 + b bit b of each position's number.
    for (int i = 0; i < bits_ + 2; ++i) without_weight_.push_back(sum(i));
  }

  // Returns what the weight is multiplied by, or nothing if the model reads outside of a buffer.
  [[nodiscard]] std::optional<Read> read_by(std::size_t weight) {
    problem_.weight[weight] = 1;
    std::vector<std::optional<std::int64_t>> sums;
    for (int i = 0; i < bits_ + 2; ++i) sums.push_back(sum(i));
    problem_.weight[weight] = 0;
    const auto product = [&](std::size_t i) -> std::optional<std::int64_t> {
      if (!sums[0] || !sums[i] || !without_weight_[0] || !without_weight_[i]) return {};
      return *sums[i] - *sums[0] - *without_weight_[i] + *without_weight_[0];
    };
    const auto times = product(1);
    if (!times) return {};
    Read read{.times = *times};
    if (read.times == 0) return read;
    read.position = 0;
    for (int b = 0; b < bits_; ++b) {
      const auto with_bit = product(static_cast<std::size_t>(b) + 2);
      if (!with_bit) return {};
      if (*with_bit == read.times) {
        read.position += std::int64_t{1} << b;
      } else if (*with_bit != 0) {
        read.position = kSeveral;
        return read;
      }
    }
    return read;
  }

 private:
  [[nodiscard]] std::optional<std::int64_t> sum(int pattern) {
    for (std::size_t p = 0; p < positions_; ++p) {
      const std::size_t bit = pattern < 2 ? static_cast<std::size_t>(pattern) : p >> (pattern - 2) & 1U;
      problem_.activation[p] = static_cast<std::uint8_t>(bit);
    }
    const ModelProblem prepared(problem_);
    const auto in = KernelRun(model_, prepared).input(offset_);
    if (!in) return {};
    return in->raw;
  }

  const KernelModel& model_;
  ConvProblem problem_;
  std::int64_t offset_;
  std::size_t positions_ = 0;
  int bits_ = 0;
  std::vector<std::optional<std::int64_t>> without_weight_;  // the sums with all weights zero, by pattern
};

char sign_of(const Read& contract, const Read& model) {
  if (contract.times == 0) return model.times == 0 ? '.' : '+';
  if (model.times == 0) return '-';
  if (model.position != contract.position) return '>';
  if (model.times == 1) return '=';
  return 2 <= model.times && model.times <= 9 ? static_cast<char>('0' + model.times) : '*';
}

std::string legend(const std::string& signs) {
  std::vector<std::string> words;
  const auto add = [&](char sign, std::string_view meaning) {
    if (signs.find(sign) != std::string::npos) words.push_back(fmt::format("{} {}", sign, meaning));
  };
  add('=', "right");
  add('-', "missing");
  add('+', "read though it lies in padding");
  for (char times = '2'; times <= '9'; ++times) add(times, fmt::format("counted {} times", times));
  add('*', "counted more often, or subtracted");
  add('>', "misplaced");
  add('.', "padding");
  return fmt::format("{}", fmt::join(words, ", "));
}

// Returns the indices of an offset in a tensor of these extents; of the spatial ones the last `dims`.
std::string indices_text(std::int64_t offset, std::int64_t channels, const Spatial& size, int dims) {
  std::vector<std::int64_t> index;
  for (std::size_t d = 3; d-- > 3 - static_cast<std::size_t>(dims);) {
    index.insert(index.begin(), offset % size[d]);
    offset /= size[d];
  }
  index.insert(index.begin(), offset % channels);
  index.insert(index.begin(), offset / channels);
  return fmt::format("[{}]", fmt::join(index, ", "));
}

// The reads of one input channel, by tap.
struct ReadWindow {
  std::int64_t channel = 0;
  std::vector<Read> contract, model;
  std::string signs;
};

// Returns the first input channel of which model and contract read different positions.
std::optional<ReadWindow> first_difference(const KernelModel& model, const ConvCase& c, std::int64_t offset) {
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t taps = volume(c.kernel);
  const std::int64_t k = offset / volume(output_size(c)) % c.out_channels;
  const KernelModel none;
  ProductFinder by_contract(none, c, offset);
  ProductFinder by_model(model, c, offset);
  for (std::int64_t i = 0; i < channels; ++i) {
    ReadWindow window{.channel = k / (c.out_channels / c.groups) * channels + i};
    for (std::int64_t t = 0; t < taps; ++t) {
      const auto weight = static_cast<std::size_t>((k * channels + i) * taps + t);
      const auto contract = by_contract.read_by(weight);
      const auto read = by_model.read_by(weight);
      if (!contract || !read) return {};
      window.contract.push_back(*contract);
      window.model.push_back(*read);
      window.signs += sign_of(*contract, *read);
    }
    if (window.signs.find_first_not_of("=.") != std::string::npos) return window;
  }
  return {};
}

std::vector<std::string> grid(const ConvCase& c, const std::string& signs) {
  std::vector<std::string> lines;
  const std::string indent(c.dims == 3 ? 14 : 8, ' ');
  std::string head = indent + "kw ";
  for (std::int64_t w = 0; w < c.kernel[2]; ++w) head += fmt::format("{:>3}", w);
  lines.push_back(std::move(head));
  std::size_t at = 0;
  for (std::int64_t d = 0; d < c.kernel[0]; ++d) {
    for (std::int64_t h = 0; h < c.kernel[1]; ++h) {
      std::string row = c.dims == 1 ? indent + "   " : fmt::format("  kh {:<6}", h);
      if (c.dims == 3) row = fmt::format("  kd {:<3}", d) + row.substr(2) + " ";
      row.resize(indent.size() + 3, ' ');
      for (std::int64_t w = 0; w < c.kernel[2]; ++w) row += fmt::format("{:>3}", signs[at++]);
      lines.push_back(std::move(row));
    }
  }
  return lines;
}

}  // namespace

std::vector<std::string> tap_picture(const KernelModel& model, const ConvCase& c, std::int64_t offset) {
  constexpr std::int64_t kLargest = 1'000'000;
  constexpr std::int64_t kMostTaps = 1'024;
  constexpr std::int64_t kMostColumns = 24;
  // The order of a tensor changes all positions, and a picture of one window does not show how.
  if (std::ranges::any_of(model, [](const Edit& edit) { return edit.slot == Slot::layout; })) return {};
  const std::int64_t taps = volume(c.kernel) * (c.in_channels / c.groups);
  const std::int64_t products = product_count(c);
  if (products == 0 || taps > kMostTaps || products * taps > kLargest || c.kernel[2] > kMostColumns) return {};
  const auto window = first_difference(model, c, offset);
  if (!window) return {};
  std::vector<std::string> lines{fmt::format("window of output {}, input channel {}: {}",
                                             indices_text(offset, c.out_channels, output_size(c), c.dims),
                                             window->channel, legend(window->signs))};
  for (std::string& line : grid(c, window->signs)) lines.push_back(std::move(line));
  constexpr int kMostNamed = 3;
  int named = 0;
  const auto position = [&](const Read& read) {
    if (read.times == 0) return std::string("padding");
    if (read.position == kSeveral) return std::string("several positions");
    return "x" + indices_text(read.position, c.in_channels, c.input, c.dims);
  };
  for (std::size_t t = 0; t < window->signs.size(); ++t) {
    const char sign = window->signs[t];
    if (sign != '>' && sign != '+') continue;
    if (++named > kMostNamed) {
      lines.emplace_back("...");
      break;
    }
    // The index of a tap has no batch and no channel.
    std::string tap = indices_text(static_cast<std::int64_t>(t), 1, c.kernel, c.dims);
    tap = "[" + tap.substr(std::string_view("[0, 0, ").size());
    lines.push_back(
        fmt::format("tap {} reads {} and not {}", tap, position(window->model[t]), position(window->contract[t])));
  }
  return lines;
}

}  // namespace tieout
