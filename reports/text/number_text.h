#pragma once
// Formats numbers for readers.

#include <cstdint>
#include <string>
#include <string_view>

namespace tieout {

// Returns 1234567 as "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t value);

// Returns at most three digits for narrow tables: "999", "1.2k", "12k", "123k", "1.2M"; truncated, not rounded. value:
// >= 0.
[[nodiscard]] std::string short_number(std::int64_t value);

// Returns the shortest digits that read back to the same bits: "0.1", "-0", "1e-45", "inf", "nan".
[[nodiscard]] std::string float_text(float value);

// Returns "1 case", "2 cases", "1,000 cases". singular: a noun with the plural s.
[[nodiscard]] std::string counted(std::int64_t value, std::string_view singular);

// Returns "2026-11-23 02:00 UTC"; "" for 0, which is a run without a time. seconds: since 1970.
[[nodiscard]] std::string utc_text(std::int64_t seconds);

// Returns "2026-11-23T02:00:59" in UTC, the ISO 8601 form of XML's dateTime. seconds: since 1970.
[[nodiscard]] std::string iso_text(std::int64_t seconds);

}  // namespace tieout
