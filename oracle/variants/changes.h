#pragma once
// Provides Changes, a set of departures from the specification of the quantized operators: what a kernel does
// differently. change_list.def lists them; no other code than compute_changed() has their arithmetic.

#include <bitset>
#include <initializer_list>
#include <span>
#include <string_view>

#include "cases/operators/operator_case.h"

namespace tieout {

enum class Change {
#define X(name, operators, what, instead) name,
#include "oracle/variants/change_list.def"
#undef X
  kCount
};

class Changes {
 public:
  Changes() = default;
  Changes(std::initializer_list<Change> changes) {
    for (const Change change : changes) bits_.set(static_cast<std::size_t>(change));
  }
  [[nodiscard]] bool has(Change change) const { return bits_.test(static_cast<std::size_t>(change)); }

  bool operator==(const Changes&) const = default;

 private:
  std::bitset<static_cast<std::size_t>(Change::kCount)> bits_;
};

struct ChangeEntry {
  Change change;
  std::string_view name;
  std::string_view operators;  // names of the operators to which it applies, each followed by a space
  std::string_view what;       // what the kernel computes
  std::string_view instead;    // what the specification has in its place
};

// Returns all changes, in the order of the list.
[[nodiscard]] std::span<const ChangeEntry> change_entries();

// True if the change applies to the operator.
[[nodiscard]] bool applies(const ChangeEntry& entry, const OperatorSchema& schema);

// Returns the output of a kernel that follows the specification but for the changes. Changes that do not apply to the
// operator have no effect. c: a valid case with contents.
[[nodiscard]] OperatorOutput compute_changed(const OperatorCase& c, const Changes& changes);

}  // namespace tieout
