#include "props/identify/operator_identify.h"

#include <algorithm>
#include <bit>
#include <sstream>
#include <utility>

#include "cases/operators/operator_text.h"
#include "props/identify/operator_probes.h"

namespace tieout {
namespace {

// Answers with more elements are kept only while there are few.
constexpr std::int64_t kSmallAnswer = 5000;
constexpr std::size_t kFewAnswers = 6, kMostAnswers = 200;
// A number of elements that has whole blocks of each size of placed_variants() and of LibTorch, and a tail.
constexpr std::size_t kBlocksAndTail = 79;

std::string value_text(const OperatorCase& c, std::int32_t value) {
  std::ostringstream text;
  if (c.schema->has_float_output) {
    text << std::hexfloat << std::bit_cast<float>(value);
  } else {
    text << value;
  }
  return text.str();
}

// Returns the first element at which the variant's output differs from the subject's. c: with contents.
std::optional<DecidingElement> difference_from(const OperatorVariant& variant, const OperatorCase& c,
                                               const OperatorOutput& subject, const Hardware& hardware) {
  const auto output = compute_variant(variant, c, hardware);
  if (!output) return {};
  const auto [of_variant, of_subject] = std::ranges::mismatch(output->values.values, subject.values.values);
  if (of_variant == output->values.values.end()) return {};
  return DecidingElement{.c = c,
                         .offset = of_variant - output->values.values.begin(),
                         .of_variant = *of_variant,
                         .of_subject = *of_subject};
}

}  // namespace

std::vector<OperatorVariant> OperatorIdentification::standing() const {
  std::vector<OperatorVariant> variants;
  for (const VariantVerdict& verdict : verdicts) {
    if (!verdict.refuted_by) variants.push_back(verdict.variant);
  }
  return variants;
}

OperatorIdentifier::OperatorIdentifier(const OperatorSchema& schema, const Hardware& hardware)
    : schema_(schema), hardware_(hardware) {
  for (OperatorVariant& variant : simple_variants(schema)) result_.verdicts.push_back({std::move(variant)});
}

void OperatorIdentifier::compare(const Answer& answer, std::size_t first) {
  for (std::size_t i = first; i < result_.verdicts.size(); ++i) {
    VariantVerdict& verdict = result_.verdicts[i];
    if (verdict.refuted_by) continue;
    verdict.refuted_by = difference_from(verdict.variant, answer.with_contents, answer.output, hardware_);
    if (verdict.refuted_by) verdict.refuted_by->c = answer.c;
  }
}

void OperatorIdentifier::add_further_variants() {
  compared_ = compared_ == Kind::simple ? Kind::placed : Kind::paired;
  const std::size_t first = result_.verdicts.size();
  for (OperatorVariant& variant : compared_ == Kind::placed ? placed_variants(schema_) : paired_variants(schema_)) {
    result_.verdicts.push_back({std::move(variant)});
  }
  for (const Answer& answer : seen_) compare(answer, first);
}

void OperatorIdentifier::add(const OperatorCase& c, const OperatorOutput& output) {
  const auto elements = std::ssize(output.values.values);
  ++result_.cases;
  result_.elements += elements;
  const Answer answer{c, with_contents(c), output};
  compare(answer, 0);
  if (seen_.size() < kFewAnswers || (elements <= kSmallAnswer && seen_.size() < kMostAnswers)) seen_.push_back(answer);
  while (compared_ != Kind::paired && result_.standing().empty()) add_further_variants();
}

void OperatorIdentifier::shorten(const OperatorResponder& subject) {
  if (!is_elementwise(schema_)) return;
  for (VariantVerdict& verdict : result_.verdicts) {
    if (!verdict.refuted_by) continue;
    const OperatorCase from = with_contents(verdict.refuted_by->c);
    for (const std::size_t count : {std::size_t{1}, kBlocksAndTail}) {
      const std::vector<std::int64_t> offsets(count, verdict.refuted_by->offset);
      const OperatorCase c = case_of_elements(from, offsets);
      const auto output = subject(c);
      if (!output) continue;
      auto shorter = difference_from(verdict.variant, c, *output, hardware_);
      if (!shorter) continue;
      verdict.refuted_by = std::move(shorter);
      break;
    }
  }
}

tl::expected<OperatorIdentification, SubjectError> identify_operator(const OperatorResponder& subject,
                                                                     const OperatorSchema& schema,
                                                                     const Hardware& hardware, std::int64_t cases,
                                                                     std::uint64_t seed) {
  OperatorIdentifier identifier(schema, hardware);
  for (std::int64_t index = 0; index < cases; ++index) {
    const OperatorCase c = operator_probe(schema, seed, static_cast<std::uint64_t>(index));
    const auto output = subject(with_contents(c));
    if (output) {
      identifier.add(c, *output);
    } else if (output.error().kind == SubjectError::Kind::declined) {
      identifier.add_declined();
    } else {
      return tl::unexpected(output.error());
    }
  }
  identifier.shorten(subject);
  return identifier.result();
}

std::string identification_text(const OperatorIdentification& found, bool all) {
  std::ostringstream text;
  for (const VariantVerdict& verdict : found.verdicts) {
    if (!verdict.refuted_by || !all) continue;
    const DecidingElement& element = *verdict.refuted_by;
    text << verdict.variant.name << ": refuted by element " << element.offset << ", "
         << value_text(element.c, element.of_subject) << " and not " << value_text(element.c, element.of_variant)
         << ", of " << print(element.c) << '\n';
  }
  for (const OperatorVariant& variant : found.standing()) {
    text << variant.name << ": equal in all cases\n  computed: " << variant.what << '\n';
    if (!variant.instead.empty()) text << "  specified: " << variant.instead << '\n';
  }
  if (found.standing().empty()) text << "no variant is equal in all cases\n";
  return text.str();
}

}  // namespace tieout
