#include "reports/text/document_text.h"

#include <fmt/core.h>

#include <cmath>

#include "reports/text/tensor_text.h"

namespace tieout {

std::string document_text(const Document& document) {
  std::string text;
  for (const TitledTensor& t : document.tensors) {
    // The script's print("title:\n", tensor) puts a space between its two arguments.
    text += t.title + ":\n ";
    text += std::visit([&t](const auto& tensor) { return tensor_text(tensor, t.grad_fn); }, t.tensor) + "\n";
  }
  for (const SignedDifference& d : document.differences) {
    text += fmt::format("{} and {} differ by: {}\n", d.subject, d.reference, python_float(d.sum));
  }
  return text;
}

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  // {fmt} writes python's digits and changes to exponents where python does, below 1e-4 and from 1e16, but writes 1 for
  // 1.0.
  std::string text = fmt::format("{}", value);
  const bool looks_whole = text.find_first_not_of("-0123456789") == std::string::npos;
  return looks_whole ? text + ".0" : text;
}

std::string python_literal(double value) {
  return std::isfinite(value) ? python_float(value) : fmt::format("float(\"{}\")", python_float(value));
}

std::string python_literal(std::int64_t value) { return fmt::format("{}", value); }

}  // namespace tieout
