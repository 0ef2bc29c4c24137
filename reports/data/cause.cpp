#include "reports/data/cause.h"

#include <fmt/core.h>

namespace tieout {

std::string cause_name(std::string_view text, std::string_view condition) {
  return condition.empty() ? std::string(text) : fmt::format("{}, where {}", text, condition);
}

}  // namespace tieout
