#pragma once
// Identifies the arithmetic of a subject's operator: each variant of oracle/variants/ is either refuted by a case, or
// equal to the subject on all cases.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/operators/operator_case.h"
#include "kernels/subject/subject.h"
#include "oracle/variants/operator_variants.h"

namespace tieout {

// Returns the subject's output for a case with contents, or why there is none.
using OperatorResponder = std::function<tl::expected<OperatorOutput, SubjectError>(const OperatorCase&)>;

// An element at which a variant and the subject differ.
struct DecidingElement {
  OperatorCase c;           // its contents may be drawn by its seed
  std::int64_t offset = 0;  // of the element in the row-major output
  std::int32_t of_variant = 0, of_subject = 0;
};

struct VariantVerdict {
  OperatorVariant variant;
  // The smallest case found that refutes the variant; empty: it equals the subject on all cases.
  std::optional<DecidingElement> refuted_by{};
};

struct OperatorIdentification {
  // The simple variants; and, if all of these are refuted, those of further kinds that were compared.
  std::vector<VariantVerdict> verdicts;
  std::int64_t cases = 0, elements = 0;  // that the subject has answered
  std::int64_t declined = 0;             // number of cases

  // Returns the variants that equal the subject on all cases, the simplest first.
  [[nodiscard]] std::vector<OperatorVariant> standing() const;
};

// Compares a subject's answers with the variants, one case after the other.
class OperatorIdentifier {
 public:
  // hardware: of the LibTorch that variants predict.
  OperatorIdentifier(const OperatorSchema& schema, const Hardware& hardware);

  // c: valid. output: the subject's.
  void add(const OperatorCase& c, const OperatorOutput& output);
  void add_declined() { ++result_.declined; }

  [[nodiscard]] const OperatorIdentification& result() const { return result_; }

  // Replaces the refuting cases of elementwise operators by cases of one element, or of the same element repeated, that
  // refute as well.
  void shorten(const OperatorResponder& subject);

 private:
  struct Answer {
    OperatorCase c, with_contents;
    OperatorOutput output;
  };
  enum class Kind { simple, placed, paired };

  void compare(const Answer& answer, std::size_t first);
  void add_further_variants();

  const OperatorSchema& schema_;
  Hardware hardware_;
  OperatorIdentification result_;
  // The answers with which variants of further kinds are compared, without the largest ones.
  std::vector<Answer> seen_;
  Kind compared_ = Kind::simple;
};

// Compares the subject with the variants on the first `cases` probes of a seed. Error: of the first case without an
// answer, unless the subject declined it.
[[nodiscard]] tl::expected<OperatorIdentification, SubjectError> identify_operator(const OperatorResponder& subject,
                                                                                   const OperatorSchema& schema,
                                                                                   const Hardware& hardware,
                                                                                   std::int64_t cases,
                                                                                   std::uint64_t seed);

// Returns the result as lines: the standing variants with what they compute and what the specification has instead, and
// for each refuted one the deciding element. all: with the refuted variants.
[[nodiscard]] std::string identification_text(const OperatorIdentification& found, bool all);

}  // namespace tieout
