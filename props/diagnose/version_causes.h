#pragma once
// Names the causes of the differences between two versions of LibTorch.

#include "oracle/engines/fbgemm_path.h"
#include "props/diagnose/finding_causes.h"
#include "reports/data/run_summary.h"

namespace tieout {

// Sets the causes of a run whose subject is LibTorch of version `subject` and whose reference is that of version
// `reference`, and of its findings, and counts its cases by cause. A finding has the cause that a known change of the
// arithmetic is (oracle/engines/version_changes.h) if the predictions for the two versions equal both answers and only
// that change makes them different. hardware: of this CPU.
void set_version_causes(RunSummary& run, const LibTorchVersion& subject, const LibTorchVersion& reference,
                        const Hardware& hardware, const DifferingCases& differing);

}  // namespace tieout
