#include "cli/common/errors.h"

#include <fmt/core.h>

#include <cstdio>

#include "cases/strings/printable.h"
#include "cli/common/commands.h"

namespace tieout {

int fail_command(std::string_view command, int status, std::string_view message) {
  std::fputs(printable_lines(fmt::format("tieout {}: {}\n", command, message)).c_str(), stderr);
  return status;
}

std::string load_error(const EngineError& error) { return "LibTorch cannot be loaded: " + error.message; }

tl::expected<LibTorch*, int> load_libtorch(std::string_view command, Waiting waiting) {
  const auto loaded = libtorch(waiting);
  if (!loaded) return tl::unexpected(fail_command(command, kNotVerified, load_error(loaded.error())));
  return *loaded;
}

}  // namespace tieout
