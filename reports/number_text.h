#pragma once
// Numbers as people read them.

#include <cstdint>
#include <string>
#include <string_view>

namespace tieout {

// 1234567 as "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t value);

// Three digits at most, for tables without room: "999", "1.2k", "12k", "123k", "1.2M"; cut, not rounded. value: >= 0.
[[nodiscard]] std::string short_number(std::int64_t value);

// The shortest digits that read back to the same bits: "0.1", "-0", "1e-45", "inf", "nan".
[[nodiscard]] std::string float_text(float value);

// "1 case", "2 cases", "1,000 cases". singular: of a noun that takes an s.
[[nodiscard]] std::string counted(std::int64_t value, std::string_view singular);

// "2026-11-23 02:00 UTC"; "" for 0, which is a run that does not say when it was. seconds: since 1970.
[[nodiscard]] std::string utc_text(std::int64_t seconds);

// "2026-11-23T02:00:59", UTC: ISO 8601 as XML's dateTime has it. seconds: since 1970.
[[nodiscard]] std::string iso_text(std::int64_t seconds);

}  // namespace tieout
