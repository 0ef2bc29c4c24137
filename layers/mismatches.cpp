#include "layers/mismatches.h"

#include <algorithm>
#include <cstdlib>

namespace tieout {
namespace {

bool earlier(const Mismatches::Element& a, const Mismatches::Element& b) { return a.offset < b.offset; }

}  // namespace

void MismatchCollector::note(std::int64_t offset, std::uint8_t value, std::uint8_t answer) {
  if (value == answer) return;
  ++found_.differing;
  found_.largest = std::max(found_.largest, std::abs(int{value} - int{answer}));
  keep({offset, value});
}

void MismatchCollector::keep(const Mismatches::Element& element) {
  if (element.offset > last_) return;
  std::vector<Mismatches::Element>& first = found_.first;
  first.push_back(element);
  if (first.size() / 2 < most_) return;
  std::nth_element(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(most_), first.end(), earlier);
  last_ = first[most_].offset;
  first.resize(most_);
}

void MismatchCollector::add(const MismatchCollector& others) {
  found_.differing += others.found_.differing;
  found_.largest = std::max(found_.largest, others.found_.largest);
  for (const Mismatches::Element& element : others.found_.first) keep(element);
}

Mismatches MismatchCollector::sorted() const {
  Mismatches result = found_;
  std::sort(result.first.begin(), result.first.end(), earlier);
  if (result.first.size() > most_) result.first.resize(most_);
  return result;
}

}  // namespace tieout
