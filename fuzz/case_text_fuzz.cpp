// The text of a case: refused with a message, or printed such that it reads back as the same.

#include "cases/case_text.h"
#include "fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tieout;
  const std::string_view text = text_of(data, size);
  if (const auto c = parse(text)) {
    const auto again = parse(print(*c));
    require(again.has_value() && *again == *c);
  } else {
    require(!c.error().text().empty());
  }
  return 0;
}
