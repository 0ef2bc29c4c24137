#pragma once
// A finding: a case on which subject and reference differ, with all that a reader needs to see why. Plain data, filled
// by those who compute, formatted by the sinks.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cases/tensor.h"

namespace tieout {

// Where a case is counted: one combination of path, instruction set, engine, granularity and bias.
struct Cell {
  std::string engine, isa, path, granularity, bias;

  auto operator<=>(const Cell&) const = default;
};

// One element that differs. accumulator and scaled are FBGEMM's, as the specification kernel traces them, whichever engine
// is the reference.
struct DiffElement {
  std::int64_t offset = 0;       // in the output, row-major
  int expected = 0, actual = 0;  // output units
  std::int64_t accumulator = 0;  // int32 sum, zero points taken out; unit xs * ws
  float scaled = 0;              // the value before rounding, in output units, zero point not yet added

  bool operator==(const DiffElement&) const = default;
};

struct Finding {
  std::string case_line;      // the smallest case that still shows it
  std::string original_line;  // as it was drawn or given; equal to case_line where it was not shrunk
  std::string expected_name = "expected";
  std::string actual_name = "actual";
  Tensor<std::uint8_t> expected, actual;  // of case_line
  std::vector<DiffElement> elements;      // the first of them
  std::string diff_class;                 // "tie", "pair saturation", ...: oracle/difference_class.h
  std::string derivation;                 // the one step that, exchanged, gives the subject's values
  std::int64_t explained = 0;             // how many of the differing elements it gives
  std::string failure;                    // "refused: WORDS" or "died: SIGSEGV" where there was no answer
  std::string undescribed;  // why the tensors are missing although both answered: "the run was stopped before"
  Cell cell;                // of original_line
  std::int64_t index = 0;   // of the case in its run's sequence
  std::string drawn_kind;   // kind_of() the case as it was drawn, by which it was counted; empty: the same
  std::string explanation;  // the worst element's arithmetic, step by step; plain text, may be empty
  std::string subject;      // as --subject names it; empty: LibTorch itself was verified
  // Cases that the same process runs before case_line, in this order. Without them case_line does not fail.
  std::vector<std::string> before;

  bool operator==(const Finding&) const = default;
};

// True if both tensors are there and can be compared: they have one shape, and as many values as it says.
[[nodiscard]] bool has_tensors(const Finding& finding);

// The text without what differs from case to case and from run to run: numbers, addresses, hashes and paths are "#". Its
// first line, at most 100 characters.
[[nodiscard]] std::string kind_of_text(std::string_view text);

// What a finding is counted by: its class; or how there was no answer, as kind_of_text(). A finding without tensors keeps the
// kind that it was counted by.
[[nodiscard]] std::string kind_of(const Finding& finding);

// What it was counted by, before it was made small.
[[nodiscard]] std::string counted_kind(const Finding& finding);

}  // namespace tieout
