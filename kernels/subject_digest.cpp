#include "kernels/subject_digest.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cases/digest.h"

namespace tieout {
namespace {

void add_file(Digest& digest, const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return;
  std::ifstream in(file, std::ios::binary);
  std::array<char, 1 << 16> chunk;
  while (in) {
    in.read(chunk.data(), chunk.size());
    digest.add_bytes({chunk.data(), static_cast<std::size_t>(in.gcount())});
  }
}

}  // namespace

std::string subject_digest(std::string_view text) {
  constexpr std::string_view kCommand = "command:";
  constexpr std::string_view kBetweenWords = " \t\n'\"";
  Digest digest;
  if (!text.starts_with(kCommand)) {
    add_file(digest, text);
  } else {
    text.remove_prefix(kCommand.size());
    digest.add(text);
    while (!text.empty()) {
      const std::size_t end = std::min(text.size(), text.find_first_of(kBetweenWords));
      if (end > 0) add_file(digest, text.substr(0, end));
      text.remove_prefix(std::min(text.size(), end + 1));
    }
  }
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(digest.value()));
  return digits.data();
}

}  // namespace tieout
