// Fuzzes the parser of case lines: it refuses the input with a message, or returns a case whose printed text is parsed
// as the same case.

#include "cases/text/case_text.h"
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
