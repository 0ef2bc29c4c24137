#include "props/diagnose/condition.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

namespace tieout {
namespace {

using Relation = Literal::Relation;

bool compare(std::int64_t a, Relation relation, std::int64_t b) {
  switch (relation) {
    case Relation::equal: return a == b;
    case Relation::unequal: return a != b;
    case Relation::at_least: return a >= b;
    case Relation::below: break;
  }
  return a < b;
}

// Marks, for a literal, the elements of `outside` for which it does not hold.
using Marks = std::vector<std::uint64_t>;

struct Candidate {
  Literal literal;
  Marks excludes;
  int count = 0;  // number of marks
  int size = 0;
};

// The quantities that conditions compare with numbers.
std::vector<Formula> quantities(bool requantization) {
  using V = Variable;
  std::vector<Formula> all;
  for (auto v = static_cast<int>(V::dims); v <= static_cast<int>(V::inside); ++v) {
    all.emplace_back(static_cast<V>(v));
  }
  for (const auto& [h, w] :
       {std::pair{V::input_h, V::input_w}, std::pair{V::kernel_h, V::kernel_w}, std::pair{V::stride_h, V::stride_w},
        std::pair{V::dilation_h, V::dilation_w}, std::pair{V::output_h, V::output_w}, std::pair{V::batch, V::positions},
        std::pair{V::out_channels, V::positions}, std::pair{V::out_channels, V::length}}) {
    all.push_back(Formula(h) * w);
  }
  all.push_back(Formula(V::padding_h) + V::padding_w);
  if (requantization) {
    all.emplace_back(V::scaled_is_negative);
    all.emplace_back(V::sum_is_negative);
    all.emplace_back(V::bias_is_negative);
    all.emplace_back(V::scaled_exponent);
    all.emplace_back(V::multiplier_exponent);
  }
  all.push_back(Formula(V::batch) - V::image);
  all.push_back(Formula(V::output_h) - V::oh);
  all.push_back(Formula(V::output_w) - V::ow);
  all.push_back(Formula(V::out_channels) - V::k);
  all.push_back(Formula(V::positions) - V::position);
  return all;
}

// Pairs of quantities whose comparison is a condition that kernels have.
std::vector<std::pair<Formula, Formula>> comparisons() {
  using V = Variable;
  std::vector<std::pair<Formula, Formula>> pairs{
      {V::stride_w, V::kernel_w},     {V::stride_h, V::kernel_h},          {V::stride_h, V::stride_w},
      {V::dilation_h, V::dilation_w}, {V::padding_h, V::padding_w},        {V::kernel_h, V::kernel_w},
      {V::input_h, V::input_w},       {V::group_inputs, V::group_outputs}, {V::in_channels, V::groups},
      {V::out_channels, V::groups},   {V::in_channels, V::out_channels},   {V::padding_w, V::kernel_w},
      {V::padding_h, V::kernel_h},    {V::input_w, V::output_w},           {V::input_h, V::output_h},
      {V::k, V::group_outputs},       {V::output_h, V::output_w},          {V::inside, V::taps},
  };
  for (const std::int64_t block : {2, 4, 8, 16, 32, 64}) {
    pairs.emplace_back(V::k, Formula(V::out_channels) / block * block);
    pairs.emplace_back(V::ow, Formula(V::output_w) / block * block);
    pairs.emplace_back(V::oh, Formula(V::output_h) / block * block);
    pairs.emplace_back(V::position, Formula(V::positions) / block * block);
  }
  return pairs;
}

// Returns the number of low..high that a programmer is most likely to have written: a multiple of a high power of two,
// and otherwise the highest.
std::int64_t roundest(std::int64_t low, std::int64_t high) {
  if (low >= high || low <= 0) return high;
  std::int64_t best = high;
  for (std::int64_t power = 1; power <= high; power *= 2) {
    const std::int64_t multiple = high / power * power;
    if (multiple >= low) best = multiple;
  }
  return best < 8 ? high : best;
}

class Separator {
 public:
  Separator(std::span<const Variables> inside, std::span<const Variables> outside)
      : inside_(inside), outside_(outside), words_((outside.size() + 63) / 64) {}

  std::optional<EditCondition> find(bool requantization) {
    if (outside_.empty()) return EditCondition{};
    for (const Formula& q : quantities(requantization)) add_thresholds(q);
    for (const auto& [left, right] : comparisons()) add_comparison(left, right);
    std::ranges::sort(candidates_, [](const Candidate& a, const Candidate& b) {
      return std::pair(-a.count, a.size) < std::pair(-b.count, b.size);
    });
    return smallest();
  }

 private:
  // The values of a formula inside and outside.
  struct Values {
    std::vector<std::int64_t> inside, outside;
  };

  [[nodiscard]] Values values_of(const Formula& formula) const {
    Values values;
    values.inside.reserve(inside_.size());
    values.outside.reserve(outside_.size());
    for (const Variables& v : inside_) values.inside.push_back(formula.evaluate(v));
    for (const Variables& v : outside_) values.outside.push_back(formula.evaluate(v));
    return values;
  }

  // Adds the literal if it holds for everything inside. holds(l, r): the comparison of the values of its two sides.
  template <typename Holds>
  void add(const Literal& literal, const Values& left, const Holds& holds) {
    for (std::size_t i = 0; i < left.inside.size(); ++i) {
      if (!holds(left.inside[i], i, true)) return;
    }
    Candidate candidate{.literal = literal, .excludes = Marks(words_)};
    for (std::size_t i = 0; i < left.outside.size(); ++i) {
      if (holds(left.outside[i], i, false)) continue;
      candidate.excludes[i / 64] |= std::uint64_t{1} << (i % 64);
      ++candidate.count;
    }
    if (candidate.count == 0) return;
    candidate.size = literal.size();
    candidates_.push_back(std::move(candidate));
  }

  void add_number(const Formula& q, const Values& values, Relation relation, std::int64_t number) {
    add({q, relation, number}, values, [&](std::int64_t a, std::size_t, bool) { return compare(a, relation, number); });
  }

  void add_remainder(const Formula& q, const Values& values, std::int64_t modulus, Relation relation,
                     std::int64_t rest) {
    add({q % modulus, relation, rest}, values,
        [&](std::int64_t a, std::size_t, bool) { return compare(a % modulus, relation, rest); });
  }

  void add_comparison(const Formula& left, const Formula& right) {
    const Values a = values_of(left);
    const Values b = values_of(right);
    const auto add_one = [&](const Literal& literal, bool swapped) {
      add(literal, a, [&](std::int64_t l, std::size_t i, bool inside) {
        const std::int64_t r = inside ? b.inside[i] : b.outside[i];
        return swapped ? compare(r, literal.relation, l) : compare(l, literal.relation, r);
      });
    };
    for (const Relation relation : {Relation::equal, Relation::unequal, Relation::at_least, Relation::below}) {
      add_one({left, relation, right}, false);
    }
    for (const Relation relation : {Relation::at_least, Relation::below}) add_one({right, relation, left}, true);
  }

  void add_thresholds(const Formula& q) {
    const Values values = values_of(q);
    const std::int64_t low = *std::ranges::min_element(values.inside);
    const std::int64_t high = *std::ranges::max_element(values.inside);
    // The nearest values outside, below and above.
    std::int64_t below = std::numeric_limits<std::int64_t>::min();
    std::int64_t above = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t value : values.outside) {
      if (value < low) below = std::max(below, value);
      if (value > high) above = std::min(above, value);
    }
    if (low == high) add_number(q, values, Relation::equal, low);
    if (below != std::numeric_limits<std::int64_t>::min()) {
      add_number(q, values, Relation::at_least, roundest(below + 1, low));
    }
    if (above != std::numeric_limits<std::int64_t>::max()) {
      add_number(q, values, Relation::below, roundest(high + 1, above));
    }
    for (const std::int64_t number : {0, 1}) add_number(q, values, Relation::unequal, number);
    for (const std::int64_t modulus : {2, 4, 8, 16, 32}) {
      add_remainder(q, values, modulus, Relation::unequal, 0);
      const std::int64_t rest = values.inside.front() % modulus;
      if (rest >= 0) add_remainder(q, values, modulus, Relation::equal, rest);
    }
  }

  [[nodiscard]] bool covers(std::initializer_list<const Candidate*> chosen) const {
    for (std::size_t w = 0; w < words_; ++w) {
      std::uint64_t marks = 0;
      for (const Candidate* c : chosen) marks |= c->excludes[w];
      const std::size_t rest = outside_.size() - w * 64;
      const std::uint64_t all = rest >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << rest) - 1;
      if (marks != all) return false;
    }
    return true;
  }

  // Returns four or five literals: each time the one that excludes most of what is left.
  [[nodiscard]] std::optional<EditCondition> of_many() const {
    constexpr std::size_t kMany = 5;
    constexpr std::size_t kStarts = 40;
    std::optional<EditCondition> best;
    for (std::size_t first = 0; first < std::min(kStarts, candidates_.size()); ++first) {
      EditCondition condition{.literals = {candidates_[first].literal}};
      Marks marks = candidates_[first].excludes;
      while (condition.literals.size() < kMany) {
        const Candidate* next = nullptr;
        int most = 0;
        for (const Candidate& c : candidates_) {
          int gain = 0;
          for (std::size_t w = 0; w < words_; ++w) gain += std::popcount(c.excludes[w] & ~marks[w]);
          if (gain > most || (gain == most && next != nullptr && c.size < next->size)) {
            most = gain;
            next = &c;
          }
        }
        if (next == nullptr) break;
        condition.literals.push_back(next->literal);
        std::size_t excluded = 0;
        for (std::size_t w = 0; w < words_; ++w) {
          marks[w] |= next->excludes[w];
          excluded += static_cast<std::size_t>(std::popcount(marks[w]));
        }
        if (excluded < outside_.size()) continue;
        if (!best || condition.size() < best->size()) best = condition;
        break;
      }
    }
    return best;
  }

  // NOLINTNEXTLINE(readability-function-size): three searches alike, of one, two and three literals
  [[nodiscard]] std::optional<EditCondition> smallest() const {
    const Candidate* best[3] = {nullptr, nullptr, nullptr};
    int best_size = std::numeric_limits<int>::max();
    for (const Candidate& a : candidates_) {
      if (a.size < best_size && covers({&a})) {
        best_size = a.size;
        best[0] = &a;
      }
    }
    if (best[0] == nullptr) {
      for (std::size_t i = 0; i < candidates_.size(); ++i) {
        const Candidate& a = candidates_[i];
        if (a.count + a.count < std::ssize(outside_)) break;  // sorted: two of them cannot cover everything
        for (std::size_t j = i + 1; j < candidates_.size(); ++j) {
          const Candidate& b = candidates_[j];
          if (a.count + b.count < std::ssize(outside_)) break;
          if (a.size + b.size < best_size && covers({&a, &b})) {
            best_size = a.size + b.size;
            best[0] = &a;
            best[1] = &b;
          }
        }
      }
    }
    if (best[0] == nullptr) {
      const std::size_t most = std::min<std::size_t>(candidates_.size(), 120);
      for (std::size_t i = 0; i < most; ++i) {
        for (std::size_t j = i + 1; j < most; ++j) {
          const Candidate& a = candidates_[i];
          const Candidate& b = candidates_[j];
          if (a.count + b.count + b.count < std::ssize(outside_)) break;
          for (std::size_t l = j + 1; l < most; ++l) {
            const Candidate& c = candidates_[l];
            if (a.count + b.count + c.count < std::ssize(outside_)) break;
            if (a.size + b.size + c.size < best_size && covers({&a, &b, &c})) {
              best_size = a.size + b.size + c.size;
              best[0] = &a;
              best[1] = &b;
              best[2] = &c;
            }
          }
        }
      }
    }
    // So many conditions are believed only if there is much to believe them for.
    constexpr std::ptrdiff_t kMuch = 16;
    if (best[0] == nullptr && std::ssize(inside_) >= kMuch) return of_many();
    if (best[0] == nullptr) return {};
    EditCondition condition;
    for (const Candidate* c : best) {
      if (c != nullptr) condition.literals.push_back(c->literal);
    }
    return condition;
  }

  std::span<const Variables> inside_, outside_;
  std::size_t words_;
  std::vector<Candidate> candidates_;
};

}  // namespace

bool Literal::holds(const Variables& v) const { return compares(left.evaluate(v), right.evaluate(v)); }

bool Literal::compares(std::int64_t a, std::int64_t b) const { return compare(a, relation, b); }

std::string_view Literal::symbol() const {
  switch (relation) {
    case Relation::equal: return "==";
    case Relation::unequal: return "!=";
    case Relation::at_least: return ">=";
    case Relation::below: break;
  }
  return "<";
}

int Literal::size() const { return 1 + left.size() + right.size(); }

bool EditCondition::holds(const Variables& v) const {
  return std::ranges::all_of(literals, [&](const Literal& literal) { return literal.holds(v); });
}

int EditCondition::size() const {
  int size = 0;
  for (const Literal& literal : literals) size += literal.size();
  return size;
}

namespace {

// A variable that is 0 or 1 is named without a comparison.
std::string c_code_of(const Literal& literal) {
  const std::string left = literal.left.c_code();
  const auto name = literal.left.variable();
  for (const std::int64_t bit : {0, 1}) {
    if (!name || !is_flag(*name) || literal.right != Formula(bit)) continue;
    if (literal.relation == Relation::equal) return bit == 1 ? left : "!" + left;
    if (literal.relation == Relation::unequal) return bit == 0 ? left : "!" + left;
  }
  return fmt::format("{} {} {}", left, literal.symbol(), literal.right.c_code());
}

}  // namespace

std::string EditCondition::c_code() const {
  std::string code;
  for (const Literal& literal : literals) {
    if (!code.empty()) code += " && ";
    code += c_code_of(literal);
  }
  return code;
}

std::optional<EditCondition> separate(std::span<const Variables> inside, std::span<const Variables> outside,
                                      bool requantization) {
  return Separator(inside, outside).find(requantization);
}

}  // namespace tieout
