#include "layers/disagreement.h"

#include <algorithm>
#include <cstdlib>

namespace tieout {
namespace {

bool earlier(const Disagreement::Element& a, const Disagreement::Element& b) { return a.offset < b.offset; }

}  // namespace

void Differences::note(std::int64_t offset, std::uint8_t says, std::uint8_t answer) {
  if (says == answer) return;
  ++found_.differing;
  found_.largest = std::max(found_.largest, std::abs(int{says} - int{answer}));
  keep({offset, says});
}

void Differences::keep(const Disagreement::Element& element) {
  if (element.offset > last_) return;
  std::vector<Disagreement::Element>& first = found_.first;
  first.push_back(element);
  if (first.size() / 2 < most_) return;
  std::nth_element(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(most_), first.end(), earlier);
  last_ = first[most_].offset;
  first.resize(most_);
}

void Differences::add(const Differences& others) {
  found_.differing += others.found_.differing;
  found_.largest = std::max(found_.largest, others.found_.largest);
  for (const Disagreement::Element& element : others.found_.first) keep(element);
}

Disagreement Differences::sorted() const {
  Disagreement result = found_;
  std::sort(result.first.begin(), result.first.end(), earlier);
  if (result.first.size() > most_) result.first.resize(most_);
  return result;
}

}  // namespace tieout
