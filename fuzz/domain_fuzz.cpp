// Fuzzes the parser of domains: it refuses the input with a message, or returns a domain whose printed text is parsed
// as the same domain.

#include "cases/text/domain.h"
#include "fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tieout;
  const auto domain = Domain::parse(text_of(data, size));
  if (!domain) {
    require(!domain.error().empty());
    return 0;
  }
  const auto again = Domain::parse(domain->text());
  require(again.has_value() && *again == *domain);
  (void)domain->contains(ConvCase{});
  return 0;
}
