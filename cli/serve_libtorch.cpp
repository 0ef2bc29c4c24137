#include "cli/serve_libtorch.h"

#include <fmt/core.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "cases/strings/printable.h"
#include "cases/text/case_text.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/options/libtorch_subject.h"
#include "oracle/engines/engine_model.h"
#include "oracle/engines/known_defects.h"
#include "props/verify/reference_answer.h"

namespace tieout {
namespace {

// Reads the contents that follow a request line. Returns false if fewer bytes come.
template <typename T>
bool read_contents(std::vector<T>& values, std::size_t size) {
  values.resize(size);
  std::cin.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(size));
  return static_cast<std::size_t>(std::cin.gcount()) == size;
}

// Writes the answer of LibTorch, or the reason why there is none.
void answer(const ConvProblem& problem, LibTorch& libtorch) {
  const auto decline = [](std::string_view why) { fmt::print("declined {}\n", printable(why, 300)); };
  if (problem.spec.output_type == OutputType::int32) return decline("an int32 output");
  const Hardware hardware = libtorch.hardware();
  if (const KnownDefect* const defect = known_defect(as_run(problem.spec, libtorch), hardware)) {
    return decline("LibTorch's known defect " + std::string(defect->id));
  }
  if (const std::string_view why = refusal(problem.spec, hardware); !why.empty()) return decline(why);
  const ReferenceAnswer y = run_reference(problem, libtorch);
  if (!y) return decline(y.error().text);
  fmt::print("ok {}\n", y->y.values.size());
  std::fwrite(y->y.values.data(), 1, y->y.values.size(), stdout);
}

}  // namespace

int serve_libtorch() {
  const auto loaded = load_libtorch(kServeLibTorch, Waiting::asleep);
  if (!loaded) return loaded.error();
  LibTorch& libtorch = **loaded;
  std::string line;
  std::getline(std::cin, line);
  if (line != "tieout 1") return fail_command(kServeLibTorch, kBadUsage, "only tieout itself runs this subcommand");
  fmt::print("ok name=LibTorch-{},{}\n", libtorch.version(), name(libtorch.native_isa()));
  std::fflush(stdout);
  while (std::getline(std::cin, line)) {
    const auto c = line.starts_with(kCaseWord) ? parse(line.substr(kCaseWord.size()))
                                               : tl::expected<ConvCase, CaseError>(tl::unexpected(CaseError{}));
    if (!c) return fail_command(kServeLibTorch, kBadUsage, "a request is no case line");
    ConvProblem problem{.spec = *c};
    if (!read_contents(problem.activation, static_cast<std::size_t>(element_count(activation_shape(*c)))) ||
        !read_contents(problem.weight, static_cast<std::size_t>(element_count(weight_shape(*c))))) {
      return fail_command(kServeLibTorch, kBadUsage, "a request ends within its contents");
    }
    answer(problem, libtorch);
    if (std::fflush(stdout) != 0) return kNotVerified;
  }
  return kEqual;
}

}  // namespace tieout
