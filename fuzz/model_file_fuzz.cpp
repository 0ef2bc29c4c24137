// The beginning of a model's file, and the directory of a zip archive: recognised or not, and never more.

#include "fuzz/fuzz_target.h"
#include "fuzz/memory_file.h"
#include "oracle/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tieout::MemoryFile file(tieout::text_of(data, size));
  (void)tieout::describe_foreign_model(file.path());
  return 0;
}
