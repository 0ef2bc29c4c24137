// Fuzzes the reader of exported programs: it returns for every input, and what it has read is consistent: weights lie
// within their bytes, and layers refer to operators that exist.
//
// An input is an archive if it begins as one. Any other is the text of the graph, which an archive is made of, because
// a fuzzer finds no checksums.

#include <algorithm>
#include <string>

#include "cases/testing/zip_file.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/memory_file.h"
#include "oracle/exported/exported_layers.h"
#include "oracle/exported/read_exported.h"

namespace tieout {
namespace {

void read(const MemoryFile& file) {
  static_cast<void>(is_exported_program(file.path()));
  const auto program = read_exported_program(file.path());
  if (!program) return;
  for (const auto& [name, stored] : program->stored) {
    require(stored.blob < program->blobs.size());
    std::int64_t last = stored.offset, elements = 1;
    for (std::size_t i = 0; i < stored.sizes.size(); ++i) {
      elements *= stored.sizes[i];
      last += std::max<std::int64_t>(stored.sizes[i] - 1, 0) * stored.strides[i];
    }
    const std::uint64_t end = static_cast<std::uint64_t>(last + 1) * element_size(stored.type);
    require(elements == 0 || end <= program->blobs[stored.blob].size());
  }
  for (const ExportedLayer& layer : find_exported_layers(*program)) {
    require(layer.node < program->nodes.size() && layer.last < program->nodes.size());
  }
}

}  // namespace
}  // namespace tieout

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = tieout::text_of(data, size);
  if (text.starts_with("PK")) {
    tieout::read(tieout::MemoryFile(text));
  } else {
    constexpr const char* kConfig =
        R"({"config": {"w": {"path_name": "weight_0", "is_param": true, "use_pickle": false, "tensor_meta": {"dtype": 2,
            "sizes": [{"as_int": 2}, {"as_int": 3}], "strides": [{"as_int": 3}, {"as_int": 1}],
            "storage_offset": {"as_int": 0}, "device": {"type": "cpu"}}}}})";
    tieout::read(tieout::MemoryFile(tieout::zip_of({{"m/models/m.json", std::string(text)},
                                                    {"m/data/weights/m_weights_config.json", kConfig},
                                                    {"m/data/weights/weight_0", "123456"}})));
  }
  return 0;
}
