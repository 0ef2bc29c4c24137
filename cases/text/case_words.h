#pragma once
// Provides the words that a case line uses for the values of its enumerations, such as "channels_last" for
// MemoryFormat::channels_last.

#include <string_view>
#include <tl/expected.hpp>

#include "cases/conv_case.h"
#include "cases/validate.h"

namespace tieout {

[[nodiscard]] std::string_view name(Fill fill);
[[nodiscard]] std::string_view name(Engine engine);
[[nodiscard]] std::string_view name(Isa isa);
[[nodiscard]] std::string_view name(MemoryFormat format);
[[nodiscard]] std::string_view name(Call call);
[[nodiscard]] std::string_view name(Granularity granularity);
[[nodiscard]] std::string_view name(ActivationType type);
[[nodiscard]] std::string_view name(OutputType type);

// Returns the value of that name, or an error that lists the accepted names. E: Fill, Engine, Isa, MemoryFormat,
// Call, ActivationType or OutputType. field: the word of the case line that the error names.
template <typename E>
[[nodiscard]] tl::expected<E, CaseError> from_name(std::string_view field, std::string_view text);

}  // namespace tieout
