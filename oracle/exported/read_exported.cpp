#include "oracle/exported/read_exported.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "cases/validate.h"
#include "oracle/exported/zip_archive.h"

namespace tieout {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMostJson = std::uint64_t{64} << 20;  // bytes of one JSON file
constexpr int kDeepest = 64;                                  // nesting of one JSON file
constexpr std::int64_t kSchema = 8;                           // the major version of the schema that is read

// What is wrong with a file. It is thrown within this file only, because a place that finds an error is up to six calls
// below read_exported_program(), which returns it.
struct Wrong {
  std::string what;
};

[[noreturn]] void fail(std::string what) { throw Wrong{std::move(what)}; }

// ---- JSON.

// Returns how deep the text nests lists and objects. Parsing costs memory for each level.
int depth_of(std::string_view text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

Json parse(const std::string& text, const std::string& entry) {
  if (depth_of(text) > kDeepest) fail(entry + " is nested deeper than " + std::to_string(kDeepest) + " levels");
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) fail(entry + " is not JSON");
  return json;
}

const Json& member(const Json& object, const char* key) {
  if (!object.is_object()) fail(std::string("an object with '") + key + "' is expected, and there is none");
  const auto found = object.find(key);
  if (found == object.end()) fail(std::string("'") + key + "' is missing");
  return *found;
}

const Json& list(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_array()) fail(std::string("'") + key + "' is no list");
  return value;
}

std::string text(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_string()) fail(std::string("'") + key + "' is no text");
  return value.get<std::string>();
}

std::int64_t whole(const Json& value) {
  if (!value.is_number_integer()) fail("a whole number is expected, and it is " + value.dump());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
    fail("a number exceeds 64 bits: " + value.dump());
  }
  return value.get<std::int64_t>();
}

// Infinities and NaN are written as text.
double real(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  fail("a number is expected, and it is " + value.dump());
}

bool boolean(const Json& value) {
  if (!value.is_boolean()) fail("true or false is expected, and it is " + value.dump());
  return value.get<bool>();
}

// The schema writes a union as an object with one member, whose key is the type; older writers add the others as null.
std::pair<std::string, const Json*> alternative(const Json& value) {
  if (!value.is_object()) fail("an argument is no object: " + value.dump().substr(0, 80));
  for (const auto& [key, held] : value.items()) {
    if (!held.is_null()) return {key, &held};
  }
  fail("an argument is empty");
}

// ---- Tensors.

ElementType element_type(const Json& value) {
  const auto type = static_cast<ElementType>(whole(value));
  return element_size(type) > 0 ? type : ElementType::unknown;
}

// Returns nullopt for an expression of extents of the input.
std::optional<std::int64_t> extent(const Json& value) {
  const auto [kind, held] = alternative(value);
  if (kind == "as_int") return whole(*held);
  if (kind == "as_expr") return {};
  fail("an extent is of the kind '" + kind + "'");
}

void require_cpu(const Json& device) {
  const std::string type = text(device, "type");
  if (type != "cpu") fail("a tensor is on the device '" + type + "': export the model on the CPU");
}

TensorMeta tensor_meta(const Json& json) {
  TensorMeta meta{.type = element_type(member(json, "dtype"))};
  for (const Json& size : list(json, "sizes")) meta.sizes.push_back(extent(size));
  require_cpu(member(json, "device"));
  return meta;
}

Shape known_extents(const Json& extents) {
  Shape shape;
  for (const Json& one : extents) {
    const auto known = extent(one);
    if (!known) fail("a weight's shape depends on the input");
    shape.push_back(*known);
  }
  return shape;
}

// Requires that the view lies within `bytes` bytes of a blob.
void require_within(const StoredTensor& tensor, std::uint64_t bytes) {
  constexpr std::size_t kMostDims = 16;
  if (tensor.sizes.size() != tensor.strides.size() || tensor.sizes.size() > kMostDims) fail("has no usable shape");
  std::int64_t elements = 1, last = tensor.offset;
  const auto capacity = static_cast<std::int64_t>(bytes / element_size(tensor.type));
  if (tensor.offset < 0 || tensor.offset > capacity) fail("begins outside of its file");
  for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
    const std::int64_t size = tensor.sizes[i], stride = tensor.strides[i];
    if (size < 0 || stride < 0) fail("has a negative extent");
    if (size > kMaxElements || elements * size > kMaxElements) fail("has more than 2^28 elements");
    elements *= size;
    if (size > 1 && stride > capacity) fail("claims more than the bytes that its file has");
    if (size > 1) last += (size - 1) * stride;
    if (last > capacity) fail("claims more than the bytes that its file has");
  }
  if (elements > 0 && last >= capacity) fail("claims more than the bytes that its file has");
}

// ---- The archive.

class Reader {
 public:
  Reader(const std::filesystem::path& file, ZipArchive archive) : archive_(std::move(archive)) {
    std::error_code error;
    left_ = std::filesystem::file_size(file, error);
    for (const ZipEntry& entry : archive_.entries()) add(entry);
  }

  ExportedProgram read() {
    const std::string model = find_model();
    check_kind();
    const std::string graph_file = "models/" + model + ".json";
    const Json json = parse(read_entry(graph_file), graph_file);
    const std::int64_t schema = whole(member(member(json, "schema_version"), "major"));
    if (schema != kSchema) {
      fail("its schema has version " + std::to_string(schema) + ", and this reads version " + std::to_string(kSchema) +
           ", which PyTorch 2.9 and newer write: save it by torch.export.save() of such a version");
    }
    if (const auto version = json.find("torch_version"); version != json.end() && version->is_string()) {
      program_.torch_version = version->get<std::string>();
    }
    const Json& module = member(json, "graph_module");
    read_graph(member(module, "graph"));
    for (const char* kind : {"weights", "constants"}) {
      const std::string config = "data/" + std::string(kind) + "/" + model + "_" + kind + "_config.json";
      if (entries_.contains(config)) payload_.emplace_back(kind, parse(read_entry(config), config));
    }
    if (payload_.empty() && entries_.contains("data/weights/" + model + ".pt")) {
      fail("its weights are a pickle, as PyTorch before 2.9 writes them: save the program again by a newer version");
    }
    read_signature(member(module, "signature"));
    return std::move(program_);
  }

 private:
  // Entries are found by their names without the first folder, which has the name of the archive.
  void add(const ZipEntry& entry) {
    const std::size_t slash = entry.name.find('/');
    const std::string name = slash == std::string::npos ? entry.name : entry.name.substr(slash + 1);
    const bool outside = entry.name.starts_with('/') || ("/" + entry.name + "/").find("/../") != std::string::npos ||
                         entry.name.find('\0') != std::string::npos || entry.name.find('\\') != std::string::npos;
    if (outside) fail("an entry's name leads out of the archive: '" + entry.name.substr(0, 200) + "'");
    if (!entries_.emplace(name, &entry).second) fail("it has two entries '" + name + "'");
  }

  std::string read_entry(const std::string& name) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) fail("the entry '" + name + "' is missing");
    const bool json = name.ends_with(".json");
    auto bytes = archive_.read(*found->second, json ? kMostJson : left_);
    if (!bytes) fail("the entry '" + name + "' " + bytes.error());
    left_ -= std::min<std::uint64_t>(left_, bytes->size());  // entries that overlap cannot multiply the file's size
    return std::move(*bytes);
  }

  std::string find_model() const {
    std::vector<std::string> models;
    for (const auto& [name, entry] : entries_) {
      if (name.starts_with("models/") && name.ends_with(".json")) models.push_back(name.substr(7, name.size() - 12));
    }
    if (models.size() == 1) return models.front();
    fail(models.empty() ? "it has no entry models/NAME.json"
                        : "it holds " + std::to_string(models.size()) + " programs: save one by torch.export.save()");
  }

  void check_kind() {
    if (entries_.contains("byteorder") && read_entry("byteorder") != "little") fail("its byte order is not little");
  }

  // ---- The graph.

  void read_graph(const Json& graph) {
    for (const auto& [name, meta] : member(graph, "tensor_values").items()) {
      try {
        program_.tensors.emplace(name, tensor_meta(meta));
      } catch (const Wrong& wrong) {
        fail("tensor '" + name + "': " + wrong.what);
      }
    }
    for (const Json& json : list(graph, "nodes")) {
      const std::string place = "node " + std::to_string(program_.nodes.size());
      std::string op = place;
      try {
        op = place + ", " + text(json, "target");
        program_.nodes.push_back(node(json));
      } catch (const Wrong& wrong) {
        fail(op + ": " + wrong.what);
      }
    }
  }

  static ExportedNode node(const Json& json) {
    ExportedNode node{.op = text(json, "target")};
    constexpr std::string_view kPrefix = "torch.ops.";
    if (node.op.starts_with(kPrefix)) node.op = node.op.substr(kPrefix.size());
    for (const Json& input : list(json, "inputs")) {
      std::string name = text(input, "name");
      try {
        node.inputs.push_back({std::move(name), argument(member(input, "arg"))});
      } catch (const Wrong& wrong) {
        fail("argument '" + input.at("name").get<std::string>() + "': " + wrong.what);
      }
    }
    for (const Json& output : list(json, "outputs")) add_outputs(output, node.outputs);
    node.module = module_of(json);
    return node;
  }

  // Returns the path of the innermost module in "key,path,type;key,path,type".
  static std::string module_of(const Json& node) {
    const auto metadata = node.find("metadata");
    if (metadata == node.end() || !metadata->is_object()) return {};
    const auto stack = metadata->find("nn_module_stack");
    if (stack == metadata->end() || !stack->is_string()) return {};
    std::string innermost = stack->get<std::string>();
    innermost = innermost.substr(innermost.rfind(';') + 1);
    const std::size_t begin = innermost.find(',');
    if (begin == std::string::npos) return {};
    const std::size_t end = innermost.find(',', begin + 1);
    return end == std::string::npos ? std::string() : innermost.substr(begin + 1, end - begin - 1);
  }

  static Argument argument(const Json& json) {
    const auto [kind, held] = alternative(json);
    const Json& value = *held;
    if (kind == "as_none") return NoValue{};
    if (kind == "as_tensor") return ValueName{text(value, "name")};
    if (kind == "as_optional_tensor") return argument(value);
    if (kind == "as_tensors" || kind == "as_optional_tensors") return tensors(value);
    if (kind == "as_int") return whole(value);
    if (kind == "as_float") return real(value);
    if (kind == "as_bool") return boolean(value);
    if (kind == "as_string" && value.is_string()) return value.get<std::string>();
    if (kind == "as_scalar_type") return element_type(value);
    if (kind == "as_memory_format") return memory_format(value);
    if (kind == "as_layout" && whole(value) == 7) return NoValue{};  // strided, the default
    if (kind == "as_device") {
      require_cpu(value);
      return NoValue{};
    }
    if (kind == "as_sym_int" || kind == "as_sym_bool" || kind == "as_sym_float") return symbol(value);
    if (value.is_array()) return numbers(kind, value);
    fail("is of the kind '" + kind + "', which is not read");
  }

  static Argument symbol(const Json& value) {
    const auto [kind, held] = alternative(value);
    if (kind == "as_name" && held->is_string()) return ValueName{held->get<std::string>()};
    if (kind == "as_int") return whole(*held);
    if (kind == "as_float") return real(*held);
    if (kind == "as_bool") return boolean(*held);
    fail("is a symbol of the kind '" + kind + "', which is not read");
  }

  static Argument numbers(const std::string& kind, const Json& values) {
    std::vector<Whole> wholes;
    std::vector<double> reals;
    std::vector<bool> booleans;
    for (const Json& value : values) {
      if (kind == "as_ints") {
        wholes.emplace_back(whole(value));
      } else if (kind == "as_sym_ints") {
        Argument one = symbol(value);
        if (auto* const number = std::get_if<std::int64_t>(&one)) wholes.emplace_back(*number);
        if (auto* const name = std::get_if<ValueName>(&one)) wholes.emplace_back(std::move(*name));
      } else if (kind == "as_floats") {
        reals.push_back(real(value));
      } else if (kind == "as_bools") {
        booleans.push_back(boolean(value));
      } else {
        fail("is of the kind '" + kind + "', which is not read");
      }
    }
    if (kind == "as_floats") return reals;
    if (kind == "as_bools") return booleans;
    return wholes;
  }

  static Argument tensors(const Json& values) {
    if (!values.is_array()) fail("is no list");
    TensorNames names;
    for (const Json& value : values) {
      const Json* tensor = &value;
      if (value.is_object() && !value.contains("name")) {
        const auto [kind, held] = alternative(value);
        if (kind == "as_none") {
          names.emplace_back(NoValue{});
          continue;
        }
        tensor = held;
      }
      names.emplace_back(ValueName{text(*tensor, "name")});
    }
    return names;
  }

  static ExportedMemoryFormat memory_format(const Json& value) {
    const std::int64_t number = whole(value);
    if (number < 1 || number > 4) fail("is no memory format");
    return static_cast<ExportedMemoryFormat>(number);
  }

  static void add_outputs(const Json& output, std::vector<std::string>& names) {
    const auto [kind, held] = alternative(output);
    if (kind == "as_tensor") {
      names.push_back(text(*held, "name"));
    } else if (kind == "as_tensors" && held->is_array()) {
      for (const Json& one : *held) names.push_back(text(one, "name"));
    } else if (kind.starts_with("as_sym_") && held->is_object() && held->contains("as_name")) {
      names.push_back(text(*held, "as_name"));
    } else if (kind == "as_none") {
      names.emplace_back();
    } else {
      fail("an output is of the kind '" + kind + "', which is not read");
    }
  }

  // ---- Inputs, outputs and weights.

  void read_signature(const Json& signature) {
    for (const Json& spec : list(signature, "input_specs")) {
      const auto [kind, held] = alternative(spec);
      if (kind == "user_input") {
        const auto [type, value] = alternative(member(*held, "arg"));
        if (type == "as_tensor")
          program_.inputs.push_back(text(*value, "name"));
        else
          fail("an input of the program is no tensor, but of the kind '" + type + "'");
      } else if (kind == "parameter" || kind == "buffer" || kind == "tensor_constant") {
        const std::string key = kind + "_name";
        read_stored(text(member(*held, "arg"), "name"), text(*held, key.c_str()));
      } else if (kind != "constant_input") {
        fail("an input of the program is of the kind '" + kind + "', which is not read");
      }
    }
    for (const Json& spec : list(signature, "output_specs")) {
      const auto [kind, held] = alternative(spec);
      if (kind != "user_output") fail("an output of the program is of the kind '" + kind + "', which is not read");
      const auto [type, value] = alternative(member(*held, "arg"));
      if (type == "as_tensor") program_.outputs.push_back(text(*value, "name"));
    }
  }

  void read_stored(const std::string& value, const std::string& name) {
    try {
      for (const auto& [kind, json] : payload_) {
        const Json& config = member(json, "config");
        const auto found = config.find(name);
        if (found == config.end()) continue;
        program_.stored.emplace(value, stored("data/" + kind + "/", *found));
        return;
      }
      fail("the archive does not have it");
    } catch (const Wrong& wrong) {
      fail("weight '" + name + "' " + wrong.what);
    }
  }

  StoredTensor stored(const std::string& folder, const Json& json) {
    if (boolean(member(json, "use_pickle"))) fail("is a pickle, which only python can read");
    const Json& meta = member(json, "tensor_meta");
    StoredTensor tensor{.type = element_type(member(meta, "dtype")),
                        .sizes = known_extents(list(meta, "sizes")),
                        .strides = known_extents(list(meta, "strides")),
                        .offset = extent(member(meta, "storage_offset")).value_or(-1),
                        .blob = blob(folder + text(json, "path_name"))};
    if (tensor.type == ElementType::unknown) fail("has a type of elements that is not read");
    require_within(tensor, program_.blobs[tensor.blob].size());
    return tensor;
  }

  std::size_t blob(const std::string& entry) {
    const auto [found, added] = blobs_.emplace(entry, program_.blobs.size());
    if (added) program_.blobs.push_back(read_entry(entry));
    return found->second;
  }

  ZipArchive archive_;
  std::uint64_t left_ = 0;  // bytes that may still be read
  std::map<std::string, const ZipEntry*> entries_;
  std::vector<std::pair<std::string, Json>> payload_;  // by folder below data/
  std::map<std::string, std::size_t> blobs_;           // by entry
  ExportedProgram program_;
};

}  // namespace

bool is_exported_program(const std::filesystem::path& file) {
  const auto archive = ZipArchive::open(file);
  if (!archive) return false;
  return std::ranges::any_of(archive->entries(), [](const ZipEntry& entry) {
    const std::size_t models = entry.name.find("/models/");
    return models != std::string::npos && models == entry.name.find('/') && entry.name.ends_with(".json");
  });
}

tl::expected<ExportedProgram, std::string> read_exported_program(const std::filesystem::path& file) {
  auto archive = ZipArchive::open(file);
  if (!archive) return tl::unexpected(archive.error());
  try {
    return Reader(file, std::move(*archive)).read();
  } catch (const Wrong& wrong) {
    return tl::unexpected(wrong.what);
  } catch (const Json::exception& error) {
    return tl::unexpected(std::string("its JSON is not as expected: ") + error.what());
  }
}

}  // namespace tieout
