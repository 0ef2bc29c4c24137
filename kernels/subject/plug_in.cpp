// Implements the subjects that run in the caller's process: shared libraries, and kernels that are linked here.

#include "kernels/subject/plug_in.h"

#include <dlfcn.h>
#include <immintrin.h>

#include <utility>

#include "kernels/subject/kernel_call.h"

namespace tieout {
namespace {

tl::unexpected<SubjectError> absent(std::string why) {
  return tl::unexpected(SubjectError{SubjectError::Kind::absent, std::move(why)});
}

class LinkedSubject final : public Subject {
 public:
  LinkedSubject(std::string name, KernelFunction kernel, const tieout_kernel_info* info)
      : name_(std::move(name)), kernel_(kernel), info_(info) {}

  std::string name() const override { return name_; }
  std::string domain() const override { return traits_.domain; }
  KernelTypes types() const override { return traits_.types; }
  std::string text() const override { return name_; }
  Isolation isolation() const override { return Isolation::none; }

  using Subject::load;
  tl::expected<void, SubjectError> load(double) override {
    if (info_ == nullptr) return {};
    const auto traits = traits_of(*info_);
    if (!traits) return absent(name_ + ": " + traits.error());
    traits_ = *traits;
    info_ = nullptr;
    return {};
  }

  tl::expected<Answers, SubjectError> run(const ConvProblem& problem, const Conditions& conditions) override {
    if (auto loaded = load(); !loaded) return tl::unexpected(loaded.error());
    return call_.run(kernel_, traits_, problem, conditions);
  }

 private:
  std::string name_;
  KernelFunction kernel_;
  const tieout_kernel_info* info_;  // nullptr once it has been read
  KernelTraits traits_;
  KernelCall call_;
};

class PlugIn final : public Subject {
 public:
  explicit PlugIn(std::filesystem::path file) : file_(std::move(file)) {}

  std::string name() const override { return traits_.name.empty() ? file_.filename().string() : traits_.name; }
  std::string domain() const override { return traits_.domain; }
  KernelTypes types() const override { return traits_.types; }
  std::string text() const override { return file_.string(); }
  Isolation isolation() const override { return Isolation::none; }

  using Subject::load;
  tl::expected<void, SubjectError> load(double) override {
    if (kernel_ != nullptr) return {};
    // dlopen() gets a path with a slash, which it does not search for. Code that -ffast-math links into a library
    // changes the floating-point modes when the library is loaded. These modes apply to the kernel only: with them,
    // LibTorch in the same process would compute different results, and the same ones as the kernel.
    const unsigned ours = _mm_getcsr();
    void* const library = dlopen(std::filesystem::absolute(file_).c_str(), RTLD_NOW | RTLD_LOCAL);
    modes_ = _mm_getcsr();
    _mm_setcsr(ours);
    if (library == nullptr) {
      return absent(std::string(dlerror()) +
                    "; name a shared library for this machine, whose own libraries are found (see ldd): cc -shared "
                    "-fPIC makes one");
    }
    void* const kernel = dlsym(library, "tieout_conv_relu");
    if (kernel == nullptr) {
      return absent(file_.string() +
                    " does not export tieout_conv_relu: include tieout_kernel.h, in C++ too, and define it");
    }
    if (void* const describe = dlsym(library, "tieout_describe")) {
      const tieout_kernel_info* const info = reinterpret_cast<decltype(&tieout_describe)>(describe)();
      if (info == nullptr) return absent(file_.string() + ": tieout_describe() returned no struct");
      const auto traits = traits_of(*info);
      if (!traits) return absent(file_.string() + ": " + traits.error());
      traits_ = *traits;
    }
    // The library is never closed, because threads that it started may still run.
    kernel_ = reinterpret_cast<KernelFunction>(kernel);
    return {};
  }

  tl::expected<Answers, SubjectError> run(const ConvProblem& problem, const Conditions& conditions) override {
    if (auto loaded = load(); !loaded) return tl::unexpected(loaded.error());
    const unsigned ours = _mm_getcsr();
    _mm_setcsr(modes_);
    auto answer = call_.run(kernel_, traits_, problem, conditions);
    _mm_setcsr(ours);
    return answer;
  }

 private:
  std::filesystem::path file_;
  unsigned modes_ = 0;  // MXCSR, as loading the library left it
  KernelFunction kernel_ = nullptr;
  KernelTraits traits_;
  KernelCall call_;
};

}  // namespace

std::unique_ptr<Subject> plug_in(std::filesystem::path file) { return std::make_unique<PlugIn>(std::move(file)); }

std::unique_ptr<Subject> linked_subject(std::string name, KernelFunction kernel, const tieout_kernel_info* info) {
  return std::make_unique<LinkedSubject>(std::move(name), kernel, info);
}

}  // namespace tieout
