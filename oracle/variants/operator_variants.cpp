#include "oracle/variants/operator_variants.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "oracle/operators/operator_model.h"

namespace tieout {
namespace {

using Place = OperatorVariant::Place;

// Numbers of elements that kernels compute at a time: registers of floats and of bytes, and two of them.
constexpr std::array<std::int64_t, 4> kBlocks{8, 16, 32, 64};

// The operators whose vector code and scalar code compute differently.
constexpr std::array<std::string_view, 8> kOfTwoCodes{"add",         "mul",     "add_scalar", "hardswish",
                                                      "hardsigmoid", "sigmoid", "leaky_relu", "cat"};

OperatorVariant variant_of(const ChangeEntry& entry) {
  return {.name = std::string(entry.name),
          .what = std::string(entry.what),
          .instead = std::string(entry.instead),
          .changes = {entry.change}};
}

std::vector<ChangeEntry> entries_of(const OperatorSchema& schema) {
  std::vector<ChangeEntry> entries;
  std::ranges::copy_if(change_entries(), std::back_inserter(entries),
                       [&](const ChangeEntry& entry) { return applies(entry, schema); });
  return entries;
}

OperatorVariant libtorch_variant(std::string name, std::string what, std::optional<OperatorCode> code) {
  return {.name = std::move(name), .what = std::move(what), .is_libtorch = true, .code = code};
}

// True if the element is one of those that have the changes. count: number of elements of the output.
bool is_changed(const OperatorVariant& variant, std::int64_t element, std::int64_t count) {
  if (variant.place == Place::everywhere) return true;
  const bool in_blocks = element < count / variant.block * variant.block;
  return in_blocks == (variant.place == Place::blocks);
}

OperatorOutput predicted(const OperatorVariant& variant, const OperatorCase& c, const Hardware& hardware) {
  ElementRecord record;
  record.forced = variant.code;
  return predict_operator(c, hardware, record);
}

}  // namespace

std::vector<OperatorVariant> simple_variants(const OperatorSchema& schema) {
  std::vector<OperatorVariant> variants{{.name = "specification", .what = "the specification"},
                                        libtorch_variant("libtorch", "LibTorch", {})};
  if (std::ranges::find(kOfTwoCodes, schema.name) != kOfTwoCodes.end()) {
    variants.push_back(
        libtorch_variant("libtorch_vector", "LibTorch's vector code for every element", OperatorCode::vector));
    variants.push_back(
        libtorch_variant("libtorch_scalar", "LibTorch's scalar code for every element", OperatorCode::scalar));
  }
  for (const ChangeEntry& entry : entries_of(schema)) variants.push_back(variant_of(entry));
  return variants;
}

std::vector<OperatorVariant> placed_variants(const OperatorSchema& schema) {
  std::vector<OperatorVariant> variants;
  for (const ChangeEntry& entry : entries_of(schema)) {
    for (const Place place : {Place::tail, Place::blocks}) {
      for (const std::int64_t block : kBlocks) {
        OperatorVariant variant = variant_of(entry);
        const std::string elements = std::to_string(block) + " elements";
        variant.name += (place == Place::tail ? " in tails of " : " in blocks of ") + std::to_string(block);
        variant.what +=
            place == Place::tail ? ", behind the last whole block of " + elements : ", in whole blocks of " + elements;
        variant.place = place;
        variant.block = block;
        variants.push_back(std::move(variant));
      }
    }
  }
  return variants;
}

std::vector<OperatorVariant> paired_variants(const OperatorSchema& schema) {
  const std::vector<ChangeEntry> entries = entries_of(schema);
  std::vector<OperatorVariant> variants;
  for (std::size_t a = 0; a < entries.size(); ++a) {
    for (std::size_t b = a + 1; b < entries.size(); ++b) {
      OperatorVariant variant = variant_of(entries[a]);
      variant.name.append(" and ").append(entries[b].name);
      variant.what.append("; and ").append(entries[b].what);
      variant.instead.append("; and ").append(entries[b].instead);
      variant.changes = {entries[a].change, entries[b].change};
      variants.push_back(std::move(variant));
    }
  }
  return variants;
}

std::optional<OperatorOutput> compute_variant(const OperatorVariant& variant, const OperatorCase& c,
                                              const Hardware& hardware) {
  if (variant.is_libtorch) {
    if (!predicted_refusal(c).empty()) return {};
    return predicted(variant, c, hardware);
  }
  OperatorOutput output = compute_changed(c, variant.changes);
  if (variant.place == Place::everywhere) return output;
  const OperatorOutput specified = compute_changed(c, {});
  const std::int64_t count = std::ssize(output.values.values);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!is_changed(variant, i, count)) output.values.values[at] = specified.values.values[at];
  }
  return output;
}

std::vector<OperatorVariant> explain_difference(const OperatorCase& c, const Hardware& hardware,
                                                const OperatorOutput& expected, const OperatorOutput& actual) {
  if (actual == expected) return {};
  for (const auto& variants_of : {simple_variants, placed_variants, paired_variants}) {
    std::vector<OperatorVariant> variants = variants_of(*c.schema);
    std::erase_if(variants, [&](const OperatorVariant& variant) {
      return compute_variant(variant, c, hardware) != std::optional(actual);
    });
    if (!variants.empty()) return variants;
  }
  return {};
}

}  // namespace tieout
