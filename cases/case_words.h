#pragma once
// The words of a case's choices, as its line has them: "channels_last" for MemoryFormat::channels_last.

#include <string_view>
#include <tl/expected.hpp>

#include "cases/conv_case.h"
#include "cases/validate.h"

namespace tieout {

[[nodiscard]] std::string_view name(Fill fill);
[[nodiscard]] std::string_view name(Engine engine);
[[nodiscard]] std::string_view name(Isa isa);
[[nodiscard]] std::string_view name(MemoryFormat format);
[[nodiscard]] std::string_view name(Granularity granularity);

// The value of that name, or an error that lists the names there are. E: Fill, Engine, Isa or MemoryFormat.
template <typename E>
[[nodiscard]] tl::expected<E, CaseError> from_name(std::string_view field, std::string_view text);

}  // namespace tieout
