#include "props/verify/reference.h"

#include <utility>

#include "cases/text/case_words.h"
#include "kernels/subject/subject_digest.h"

namespace tieout {

std::string Reference::text() const {
  if (libtorch_ != nullptr) {
    return "LibTorch " + libtorch_->version() + ", " + std::string(name(libtorch_->native_isa()));
  }
  std::string text = other_->text();
  if (!subject_files(text).empty()) text += ", digest " + subject_digest(text);
  const std::string version = other_->version();
  return version.empty() ? text : text + ", " + version;
}

Hardware Reference::hardware() const {
  return libtorch_ != nullptr ? libtorch_->hardware() : Hardware{.avx512 = true, .avx512_vnni = true};
}

Isa Reference::native_isa() const { return libtorch_ != nullptr ? libtorch_->native_isa() : Isa::native; }

double Reference::seconds_inside() const { return libtorch_ != nullptr ? libtorch_->seconds_inside() : 0; }

ConvCase as_run(ConvCase c, const Reference& reference) {
  return reference.libtorch() == nullptr ? c : as_run(std::move(c), *reference.libtorch());
}

std::string change_of(const Subject* subject, const Reference& reference) {
  if (std::string change = subject == nullptr ? "" : subject->change(); !change.empty()) return "--subject: " + change;
  if (std::string change = reference.other() == nullptr ? "" : reference.other()->change(); !change.empty()) {
    return "--reference: " + change;
  }
  return {};
}

std::string expected_name(const Subject& reference, const Subject& subject) {
  const std::string name = reference.name();
  return name == subject.name() ? name + " (reference)" : name;
}

}  // namespace tieout
