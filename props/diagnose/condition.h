#pragma once
// Provides conditions over the variables of a case and an output element, and learns the simplest one that separates
// two sets of elements: where a kernel departs from the contract, and where it does not.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "props/diagnose/formula.h"

namespace tieout {

// A comparison of two formulas, such as "k >= K / 8 * 8".
struct Literal {
  enum class Relation { equal, unequal, at_least, below };
  Formula left;
  Relation relation = Relation::equal;
  Formula right;

  [[nodiscard]] bool holds(const Variables& v) const;
  // Returns whether two values of the sides compare.
  [[nodiscard]] bool compares(std::int64_t a, std::int64_t b) const;
  // Returns the relation as C writes it.
  [[nodiscard]] std::string_view symbol() const;
  // Returns the length of the comparison, which ranks conditions.
  [[nodiscard]] int size() const;

  bool operator==(const Literal&) const = default;
};

// All literals must hold; an empty condition always holds.
struct EditCondition {
  std::vector<Literal> literals;

  [[nodiscard]] bool always() const { return literals.empty(); }
  [[nodiscard]] bool holds(const Variables& v) const;
  [[nodiscard]] int size() const;
  // Returns C code of an emitted kernel; words for reports that follow "where", such as "there is no bias and
  // k >= K / 8 * 8".
  [[nodiscard]] std::string c_code() const;
  [[nodiscard]] std::string text() const;

  bool operator==(const EditCondition&) const = default;
};

// Returns the simplest condition that holds for all of `inside` and none of `outside`, or nothing. It has at most three
// literals, or five if there is much inside. inside: not empty. requantization: whether variables that are only known
// then may be used.
[[nodiscard]] std::optional<EditCondition> separate(std::span<const Variables> inside,
                                                    std::span<const Variables> outside, bool requantization);

}  // namespace tieout
