#include "cli/options/libtorch_subject.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "cases/strings/shell_word.h"
#include "cases/text/case_text.h"
#include "kernels/host/process_subject.h"
#include "oracle/libtorch/torch_folder.h"

namespace tieout {
namespace {

std::string case_request(const ConvProblem& problem) {
  ConvCase c = problem.spec;
  c.activation = {};  // the contents follow the line
  c.weight = {};
  std::string request = std::string(kCaseWord) + print(c) + "\n";
  request.append(problem.activation.begin(), problem.activation.end());
  request.append(problem.weight.begin(), problem.weight.end());
  return request;
}

}  // namespace

tl::expected<std::unique_ptr<Subject>, SubjectError> libtorch_subject(std::string_view text) {
  const auto absent = [&](const std::string& why) {
    return tl::unexpected(SubjectError{SubjectError::Kind::absent, why});
  };
  const std::string folder(text.substr(kLibTorchPrefix.size()));
  const auto torch = folder.empty() ? find_torch_folder() : read_torch_folder(folder);
  if (!torch) return absent(torch.error());
  if (const auto adapter = find_adapter(*torch); !adapter) return absent(adapter.error());
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error) return absent("this program does not find itself in /proc: " + error.message());
  return process_subject({.command = "TIEOUT_TORCH=" + shell_word(torch->root.string()) + " exec " +
                                     shell_word(program) + " " + kServeLibTorch,
                          .text = std::string(kLibTorchPrefix) + torch->root.string(),
                          .name = "LibTorch " + text_of(torch->version),
                          .files = (torch->root / "lib" / "libtorch_cpu.so").string(),
                          .request = case_request,
                          .reads_execution = true});
}

std::optional<LibTorchVersion> libtorch_version_of(const Subject& subject) {
  const std::string text = subject.text();
  if (!text.starts_with(kLibTorchPrefix)) return {};
  const auto torch = read_torch_folder(text.substr(kLibTorchPrefix.size()));
  return torch ? std::optional(torch->version) : std::nullopt;
}

}  // namespace tieout
