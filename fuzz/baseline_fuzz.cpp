// Fuzzes the reader of baselines: it refuses the input with a message, or every entry names findings and has a reason.

#include "fuzz/fuzz_target.h"
#include "reports/data/baseline.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tieout;
  const auto known = parse_baseline(text_of(data, size));
  if (!known) {
    require(!known.error().empty());
    return 0;
  }
  for (const KnownFinding& finding : *known) {
    require(!finding.reason.empty());
    require(!(finding.kind + finding.engine + finding.isa + finding.path + finding.case_line).empty());
  }
  return 0;
}
