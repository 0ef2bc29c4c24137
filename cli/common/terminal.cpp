#include "cli/common/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cases/strings/printable.h"
#include "reports/text/text_wrap.h"

namespace tieout {

void print_text(const std::string& text) {
  const std::string shown = printable_lines(text);
  (void)std::fwrite(shown.data(), 1, shown.size(), stdout);
}

std::size_t output_columns() {
  constexpr std::size_t kLeast = 40;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kTextColumns;
  return std::max<std::size_t>(kLeast, size.ws_col);
}

}  // namespace tieout
