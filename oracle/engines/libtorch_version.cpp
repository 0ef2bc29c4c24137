#include "oracle/engines/libtorch_version.h"

#include <charconv>
#include <system_error>

namespace tieout {

std::optional<LibTorchVersion> parse_libtorch_version(std::string_view text) {
  LibTorchVersion version;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int* const number : {&version.major, &version.minor, &version.patch}) {
    if (number != &version.major) {
      if (at == end || *at != '.') return {};
      ++at;
    }
    const auto [behind, error] = std::from_chars(at, end, *number);
    if (error != std::errc{} || *number < 0) return {};
    at = behind;
  }
  return version;
}

std::string text_of(const LibTorchVersion& version) {
  return minor_text(version) + "." + std::to_string(version.patch);
}

std::string minor_text(const LibTorchVersion& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

}  // namespace tieout
