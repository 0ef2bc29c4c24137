#pragma once
// Finds what a kernel does wrong beside its values: crashes, hangs, accesses outside of its buffers, and answers that
// depend on earlier calls, threads or uninitialised memory. A diagnosis of values presupposes that there is none.

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/subject/subject.h"
#include "props/diagnose/diagnose.h"

namespace tieout {

struct Conduct {
  // What the kernel does, such as "kept state: the answer depends on the problem before, which had another bias".
  std::string text;
  // The smallest case on which it does so, and the one that must be computed before it, if there is one. They are
  // shrunk from those that were tried.
  ConvCase c;
  std::optional<ConvCase> before = {};
  // The condition that separates the cases on which it does so from the others; empty if there is none.
  std::string condition;
  // Numbers of cases that were tried, and on which it did so.
  std::int64_t cases = 0, failing = 0;
  // Number of cases that would have been tried if the time had not been up; 0: no time limit ended it.
  std::int64_t planned = 0;
};

// Runs the subject on cases of the options' seed and domain: first each by itself, under conditions that must not
// matter, then in reverse order, each after its twins (props/generate/twins.h). Where the answers differ, calls in
// processes of their own determine the condition of the call, or the parameter of the problem before, that they depend
// on. The result depends on the options and the subject only, unless a time limit ends it. seconds: time limit of one
// answer.
[[nodiscard]] std::optional<Conduct> find_conduct(Subject& subject, const DiagnoseOptions& options, double seconds);

}  // namespace tieout
