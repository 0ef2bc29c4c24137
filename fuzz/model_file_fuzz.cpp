// Fuzzes the recognition of model files, which reads their beginning and the directory of a zip archive: it returns for
// every input.

#include "fuzz/fuzz_target.h"
#include "fuzz/memory_file.h"
#include "oracle/model_files/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tieout::MemoryFile file(tieout::text_of(data, size));
  (void)tieout::describe_foreign_model(file.path());
  return 0;
}
