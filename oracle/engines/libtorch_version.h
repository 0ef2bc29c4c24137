#pragma once
// Provides the version of LibTorch as a value, because the results of its engines depend on it.

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace tieout {

struct LibTorchVersion {
  // Defaults to the newest version that the predictions were compared with.
  int major = 2, minor = 15, patch = 0;

  auto operator<=>(const LibTorchVersion&) const = default;
};

// The oldest version with which Tieout works: older ones do not export what the adapter needs of FBGEMM.
inline constexpr LibTorchVersion kOldestLibTorch{.major = 2, .minor = 9, .patch = 0};

// The newest version that the predictions were compared with. Newer ones are predicted like this one.
inline constexpr LibTorchVersion kNewestLibTorch{};

// Returns the version at the beginning of the text, such as "2.9.1", "2.12.0+cpu" or "2.16.0a0+git1234567"; nullopt if
// the text begins differently.
[[nodiscard]] std::optional<LibTorchVersion> parse_libtorch_version(std::string_view text);

// Returns for example "2.9.1".
[[nodiscard]] std::string text_of(const LibTorchVersion& version);

// Returns the two numbers that LibTorch's binary interface, and so the adapter, depends on, for example "2.9".
[[nodiscard]] std::string minor_text(const LibTorchVersion& version);

}  // namespace tieout
