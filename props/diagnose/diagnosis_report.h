#pragma once
// Converts a diagnosis to the summary of a run, so that reports show it as they show the causes of a run of fuzz.

#include <string>

#include "props/diagnose/conduct.h"
#include "props/diagnose/diagnose.h"
#include "reports/data/run_summary.h"

namespace tieout {

// Names the subject of a diagnosis.
struct DiagnosedSubject {
  std::string argument;  // of --subject
  std::string name;      // Subject::name()
};

// Sets the run's counts, causes and findings. The cases of the run are the fresh cases of the proof. There is a finding
// for the smallest case of each cause, and one for each case that is not predicted, if the kernel still answers it.
void set_diagnosis(RunSummary& run, const Diagnosis& diagnosis, const KernelAnswer& kernel,
                   const DiagnosedSubject& subject);

// Sets the run's counts and its only cause, which is what the subject does beside its values.
void set_conduct(RunSummary& run, const Conduct& conduct, const DiagnosedSubject& subject);

}  // namespace tieout
