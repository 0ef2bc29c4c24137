#include "cli/common/stage_line.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "reports/text/number_text.h"

namespace tieout {

void show_stage(const std::string& stage, std::int64_t done, std::int64_t of) {
  if (isatty(STDERR_FILENO) == 0) return;
  fmt::print(stderr, "\r\033[K{} {}/{}", stage, grouped(done), grouped(of));
  std::fflush(stderr);
}

void clear_stage() {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K");
}

}  // namespace tieout
