#include "cli/common/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cases/strings/printable.h"
#include "cli/common/commands.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

bool shows_colors() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  const std::string_view terminal = variable("TERM");
  return isatty(STDOUT_FILENO) == 1 && variable("NO_COLOR").empty() && !terminal.empty() && terminal != "dumb";
}

}  // namespace

void print_text(const std::string& text) {
  const std::string shown = printable_lines(text);
  (void)std::fwrite(shown.data(), 1, shown.size(), stdout);
}

Color color_of(int status) {
  switch (status) {
    case kEqual: return Color::green;
    case kDifferent: return Color::red;
    default: return Color::yellow;
  }
}

void print_colored(Color color, const std::string& text) {
  if (!shows_colors()) return print_text(text);
  (void)std::fputs(color == Color::green ? "\033[32m" : color == Color::red ? "\033[31m" : "\033[33m", stdout);
  print_text(text);
  (void)std::fputs("\033[0m", stdout);
}

std::size_t output_columns() {
  constexpr std::size_t kLeast = 40;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kTextColumns;
  return std::max<std::size_t>(kLeast, size.ws_col);
}

}  // namespace tieout
