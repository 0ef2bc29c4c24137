// Fuzzes the parsers of case lines, of convolutions and of other operators: each refuses the input with a message, or
// returns a case whose printed text is parsed as the same case.

#include "cases/operators/any_case.h"
#include "fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tieout;
  const std::string_view text = text_of(data, size);
  if (const auto c = parse_any_case(text)) {
    const auto again = parse_any_case(print(*c));
    require(again.has_value() && *again == *c);
  } else {
    require(!c.error().text().empty());
  }
  return 0;
}
