#pragma once
// Defines what a subject is compared with: LibTorch, or another implementation.
//
// Everything that is special about LibTorch applies to LibTorch only: its engines and paths, its known defects, and the
// elements at which FBGEMM's code departs from its contract.

#include <string>

#include "kernels/subject/subject.h"
#include "oracle/libtorch/libtorch.h"

namespace tieout {

// The reasons of cases that are not verified because a reference other than LibTorch died or gave no answer in time.
inline constexpr const char* kReferenceDied = "the reference died: ";
inline constexpr const char* kReferenceHangs = "the reference hangs: no answer in time";

// Refers to the reference of a run. The implementation must outlive it.
class Reference {
 public:
  // Not explicit, because LibTorch is the reference unless another one is named.
  Reference(LibTorch& libtorch) : libtorch_(&libtorch) {}
  explicit Reference(Subject& other) : other_(&other) {}

  // Returns LibTorch; nullptr if another implementation is the reference.
  [[nodiscard]] LibTorch* libtorch() const { return libtorch_; }
  // Returns the other implementation; nullptr if LibTorch is the reference.
  [[nodiscard]] Subject* other() const { return other_; }

  // Returns the text by which reports name the reference: "LibTorch 2.15.0, avx512_vnni", or the argument of
  // --reference, with a digest of its files and its version if it has these: "./libmine.so, digest 0123456789abcdef".
  [[nodiscard]] std::string text() const;

  // Returns the CPU's capabilities, on which FBGEMM's paths depend. For another implementation they are the same on
  // every machine, so that the paths only distinguish shapes.
  [[nodiscard]] Hardware hardware() const;
  // Returns the instruction set that FBGEMM uses if none is forced; Isa::native for another implementation.
  [[nodiscard]] Isa native_isa() const;
  // Returns the seconds spent inside of LibTorch's calls so far; 0 for another implementation.
  [[nodiscard]] double seconds_inside() const;

 private:
  LibTorch* libtorch_ = nullptr;
  Subject* other_ = nullptr;
};

// Returns the case with the instruction set that FBGEMM uses if the case does not name one; see as_run() of LibTorch.
// For another implementation the case is returned unchanged.
[[nodiscard]] ConvCase as_run(ConvCase c, const Reference& reference);

// Returns which file of the subject or of the reference has changed since it was opened, with the option that names it
// and what to do; empty if none has. subject: nullptr if LibTorch itself is verified.
[[nodiscard]] std::string change_of(const Subject* subject, const Reference& reference);

// Returns the name of the reference in a finding. Two implementations of one name are told apart.
[[nodiscard]] std::string expected_name(const Subject& reference, const Subject& subject);

}  // namespace tieout
