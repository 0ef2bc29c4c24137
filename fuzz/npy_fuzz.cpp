// Fuzzes the reader of .npy files: it refuses the input with a message, or returns elements that match the shape.

#include "fuzz/fuzz_target.h"
#include "oracle/model_files/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tieout;
  const std::string_view bytes = text_of(data, size);
  const auto tensor = parse_npy(bytes);
  if (!tensor) {
    require(!tensor.error().empty());
    return 0;
  }
  require(tensor->bytes.size() < size);
  require(element_count(tensor->shape) <= static_cast<std::int64_t>(tensor->bytes.size()));
  return 0;
}
