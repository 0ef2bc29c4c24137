#include "oracle/variants/changes.h"

#include <array>
#include <string>

#include "oracle/variants/quantization_steps.h"

namespace tieout {
namespace {

constexpr std::array kEntries{
#define X(name, operators, what, instead) ChangeEntry{Change::name, #name, operators, what, instead},
#include "oracle/variants/change_list.def"
#undef X
};

template <typename Real>
OperatorOutput compute_in(const OperatorCase& c, const Changes& changes) {
  const QuantizationSteps<Real> steps(c, changes);
  OperatorOutput output = compute_windows(c, steps);
  return output.values.values.empty() ? compute_elements(c, steps) : output;
}

}  // namespace

std::span<const ChangeEntry> change_entries() { return kEntries; }

bool applies(const ChangeEntry& entry, const OperatorSchema& schema) {
  return (" " + std::string(entry.operators)).find(" " + std::string(schema.name) + " ") != std::string::npos;
}

OperatorOutput compute_changed(const OperatorCase& c, const Changes& changes) {
  return changes.has(Change::float64) ? compute_in<double>(c, changes) : compute_in<float>(c, changes);
}

}  // namespace tieout
