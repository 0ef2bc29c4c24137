// Implements the subjects that run in the caller's process: shared libraries, and kernels that are linked here.

#include "kernels/subject/plug_in.h"

#include <dlfcn.h>
#include <immintrin.h>

#include <utility>

#include "kernels/subject/kernel_call.h"
#include "kernels/subject/operator_call.h"

namespace tieout {
namespace {

tl::unexpected<SubjectError> absent(std::string why) {
  return tl::unexpected(SubjectError{SubjectError::Kind::absent, std::move(why)});
}

// The functions that a kernel exports; nullptr: it lacks them.
struct KernelFunctions {
  KernelFunction conv = nullptr;
  OperatorFunction operators = nullptr;
};

// A kernel's functions with their traits and buffers.
class LoadedKernel {
 public:
  KernelFunctions functions;
  KernelTraits traits;

  [[nodiscard]] SubjectScope scope() const {
    if (functions.conv == nullptr && functions.operators == nullptr) return {};
    return {.convolutions = functions.conv != nullptr,
            .operators = functions.operators != nullptr,
            .declared = functions.operators == nullptr ? std::vector<std::string>{} : traits.operators};
  }

  [[nodiscard]] SubjectAnswer run(const ConvProblem& problem, const Conditions& conditions) {
    if (functions.conv == nullptr) return declined("convolutions: the kernel does not export tieout_conv_relu");
    return conv_.run(functions.conv, traits, problem, conditions);
  }

  [[nodiscard]] SubjectAnswer run(const OperatorCase& c, const Conditions& conditions) {
    if (functions.operators == nullptr) {
      return declined(std::string(kNoOperators) + ": the kernel does not export tieout_run_operator");
    }
    return operators_.run(functions.operators, traits, c, conditions);
  }

 private:
  static tl::unexpected<SubjectError> declined(std::string why) {
    return tl::unexpected(SubjectError{SubjectError::Kind::declined, std::move(why)});
  }

  KernelCall conv_;
  OperatorCall operators_;
};

class LinkedSubject final : public Subject {
 public:
  LinkedSubject(std::string name, KernelFunctions functions, const tieout_kernel_info* info)
      : name_(std::move(name)), info_(info) {
    kernel_.functions = functions;
  }

  std::string name() const override { return name_; }
  std::string domain() const override { return kernel_.traits.domain; }
  KernelTypes types() const override { return kernel_.traits.types; }
  SubjectScope scope() const override { return kernel_.scope(); }
  std::string text() const override { return name_; }
  Isolation isolation() const override { return Isolation::none; }

  using Subject::load;
  tl::expected<void, SubjectError> load(double) override {
    if (info_ == nullptr) return {};
    const auto traits = traits_of(*info_);
    if (!traits) return absent(name_ + ": " + traits.error());
    kernel_.traits = *traits;
    info_ = nullptr;
    return {};
  }

  SubjectAnswer run(const ConvProblem& problem, const Conditions& conditions) override {
    if (auto loaded = load(); !loaded) return tl::unexpected(loaded.error());
    return kernel_.run(problem, conditions);
  }
  SubjectAnswer run_operator(const OperatorCase& c, const Conditions& conditions) override {
    if (auto loaded = load(); !loaded) return tl::unexpected(loaded.error());
    return kernel_.run(c, conditions);
  }

 private:
  std::string name_;
  const tieout_kernel_info* info_;  // nullptr once it has been read
  LoadedKernel kernel_;
};

class PlugIn final : public Subject {
 public:
  explicit PlugIn(std::filesystem::path file) : file_(std::move(file)) {}

  std::string name() const override {
    return kernel_.traits.name.empty() ? file_.filename().string() : kernel_.traits.name;
  }
  std::string domain() const override { return kernel_.traits.domain; }
  KernelTypes types() const override { return kernel_.traits.types; }
  SubjectScope scope() const override { return kernel_.scope(); }
  std::string text() const override { return file_.string(); }
  Isolation isolation() const override { return Isolation::none; }

  using Subject::load;
  tl::expected<void, SubjectError> load(double) override {
    if (is_loaded_) return {};
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
    const KernelFunctions functions{
        .conv = reinterpret_cast<KernelFunction>(dlsym(library, "tieout_conv_relu")),
        .operators = reinterpret_cast<OperatorFunction>(dlsym(library, "tieout_run_operator"))};
    if (functions.conv == nullptr && functions.operators == nullptr) {
      return absent(file_.string() +
                    " does not export tieout_conv_relu: include tieout_kernel.h, in C++ too, and define it; or define "
                    "tieout_run_operator, see tieout_operator.h");
    }
    if (void* const describe = dlsym(library, "tieout_describe")) {
      const tieout_kernel_info* const info = reinterpret_cast<decltype(&tieout_describe)>(describe)();
      if (info == nullptr) return absent(file_.string() + ": tieout_describe() returned no struct");
      const auto traits = traits_of(*info);
      if (!traits) return absent(file_.string() + ": " + traits.error());
      kernel_.traits = *traits;
    }
    // The library is never closed, because threads that it started may still run.
    kernel_.functions = functions;
    is_loaded_ = true;
    return {};
  }

  SubjectAnswer run(const ConvProblem& problem, const Conditions& conditions) override {
    return run_with_modes(problem, conditions);
  }
  SubjectAnswer run_operator(const OperatorCase& c, const Conditions& conditions) override {
    return run_with_modes(c, conditions);
  }

 private:
  template <typename Problem>
  SubjectAnswer run_with_modes(const Problem& problem, const Conditions& conditions) {
    if (auto loaded = load(); !loaded) return tl::unexpected(loaded.error());
    const unsigned ours = _mm_getcsr();
    _mm_setcsr(modes_);
    auto answer = kernel_.run(problem, conditions);
    _mm_setcsr(ours);
    return answer;
  }

  std::filesystem::path file_;
  unsigned modes_ = 0;  // MXCSR, as loading the library left it
  bool is_loaded_ = false;
  LoadedKernel kernel_;
};

}  // namespace

std::unique_ptr<Subject> plug_in(std::filesystem::path file) { return std::make_unique<PlugIn>(std::move(file)); }

std::unique_ptr<Subject> linked_subject(std::string name, KernelFunction kernel, const tieout_kernel_info* info) {
  return std::make_unique<LinkedSubject>(std::move(name), KernelFunctions{.conv = kernel}, info);
}

std::unique_ptr<Subject> linked_operator_subject(std::string name, OperatorFunction kernel,
                                                 const tieout_kernel_info* info) {
  return std::make_unique<LinkedSubject>(std::move(name), KernelFunctions{.operators = kernel}, info);
}

}  // namespace tieout
