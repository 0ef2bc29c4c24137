#pragma once
// Defines a finding: a case on which subject and reference differ, with everything that a reader needs to see why. It
// is plain data, filled by the verification and formatted by the report formats.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

// The combination of engine, instruction set, path, granularity and bias under which a case is counted.
struct Cell {
  std::string engine, isa, path, granularity, bias;

  auto operator<=>(const Cell&) const = default;
};

// One element that differs. accumulator and scaled are FBGEMM's, traced by the specification kernel, whichever engine
// is the reference. Of other operators, scaled is the predicted value, and there is no accumulator.
struct MismatchedElement {
  std::int64_t offset = 0;  // in the output, row-major
  // As the output's type stores them, in output units; int32 outputs: in units of the sum.
  std::int32_t expected = 0, actual = 0;
  std::int64_t accumulator = 0;  // int32 sum without the zero points' contributions; unit xs * ws
  float scaled = 0;              // the value before rounding, in output units, zero point not yet added

  bool operator==(const MismatchedElement&) const = default;
};

struct Finding {
  std::string case_line;      // the smallest case that still shows the difference
  std::string original_line;  // the case as drawn or given; equal to case_line if it was not shrunk
  std::string expected_name = "expected";
  std::string actual_name = "actual";
  Answers expected, actual;                 // the outputs for case_line, as their type stores them
  std::vector<MismatchedElement> elements;  // the first elements that differ
  // "tie", "pair saturation", ...: oracle/hypotheses/mismatch_class.h. Of a subject it is a guess from one case, by
  // which cases are only sampled; reports have the cause.
  std::string mismatch_class;
  std::string derivation;      // the single step that gives the subject's values if it is exchanged
  std::int64_t explained = 0;  // number of the differing elements that the derivation explains
  std::string failure;         // "refused: WORDS" or "died: SIGSEGV" if there was no answer; else empty
  std::string undescribed;     // why the tensors are missing although both answered: "the run was stopped before"
  Cell cell;                   // cell of original_line
  std::int64_t index = 0;      // index of the case in the run's sequence
  std::string drawn_kind;      // kind_of() the finding before shrinking, by which it was counted; empty: the same
  std::string explanation;     // arithmetic of the worst element, step by step, as plain text; may be empty
  std::string subject;         // argument of --subject; empty: LibTorch itself was verified
  std::string reference;       // argument of --reference; empty: LibTorch
  // Cases that must run before case_line in the same process, in this order, for case_line to fail.
  std::vector<std::string> before;
  // The proven cause that explains every element of case_line, and its condition; empty: none is proven.
  std::string cause, condition;

  bool operator==(const Finding&) const = default;
};

// Returns the type of output that a printed case line names; int32 for the bits of floats.
[[nodiscard]] OutputType output_type_of_line(std::string_view case_line);

// Returns the type of the finding's tensors, which its case names.
[[nodiscard]] OutputType output_type(const Finding& finding);

// Returns true if both tensors exist and can be compared: they have the same shape, and as many values as the shape
// requires.
[[nodiscard]] bool has_tensors(const Finding& finding);

// Returns the first line of the text, at most 100 characters, in which numbers, addresses, hashes and paths are
// replaced by "#": these differ from case to case and from run to run.
[[nodiscard]] std::string kind_of_text(std::string_view text);

// Returns true if the class of a finding is a guess: it is a subject's, and was concluded from this case alone.
[[nodiscard]] bool is_guess(const Finding& finding);

// Returns the kind by which a finding is reported: its cause, its class, or kind_of_text() of its failure. The class of
// a subject's finding is kUnexplained if it is a guess.
[[nodiscard]] std::string kind_of(const Finding& finding);

// Returns the derivation, or nothing if it is a guess that no longer counts.
[[nodiscard]] std::string reported_derivation(const Finding& finding);

// Returns the kind by which a finding is sampled: its class, also if it is a guess, or kind_of_text() of its failure. A
// finding without tensors keeps the kind by which it was counted.
[[nodiscard]] std::string sampled_kind(const Finding& finding);

// Returns the sampled kind by which the finding was counted before it was shrunk.
[[nodiscard]] std::string counted_kind(const Finding& finding);

}  // namespace tieout
