#pragma once
// Defines a program of torch.export (.pt2, torch.export.save()) as plain data: its graph of operators and its weights.
// read_exported.h reads one; torch/_export/serde/schema.py of PyTorch defines what it holds.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cases/tensor.h"

namespace tieout {

// Types of elements, with the numbers that the JSON has for them.
enum class ElementType {
  unknown = 0,
  uint8 = 1,
  int8 = 2,
  int16 = 3,
  int32 = 4,
  int64 = 5,
  float16 = 6,
  float32 = 7,
  float64 = 8,
  boolean = 12,
  bfloat16 = 13,
};

// Returns the bytes of an element, 0 for an unknown type; and its name, for example "float32".
[[nodiscard]] std::size_t element_size(ElementType type);
[[nodiscard]] const char* name(ElementType type);

enum class ExportedMemoryFormat { contiguous = 1, channels_last = 2, channels_last_3d = 3, preserve = 4 };

// The name of a value that a node or the program's caller computes: a tensor, or a number that depends on a shape.
struct ValueName {
  std::string name;

  bool operator==(const ValueName&) const = default;
};
struct NoValue {
  bool operator==(const NoValue&) const = default;
};
// A number that is known, or that another node computes.
using Whole = std::variant<std::int64_t, ValueName>;

// A list of tensors, which may have gaps.
using TensorNames = std::vector<std::variant<NoValue, ValueName>>;

// An argument of an operator.
using Argument =
    std::variant<NoValue, ValueName, TensorNames, std::int64_t, std::vector<Whole>, double, std::vector<double>, bool,
                 std::vector<bool>, std::string, ElementType, ExportedMemoryFormat>;

struct NamedArgument {
  std::string name;  // as the operator's schema has it
  Argument value;
};

struct ExportedNode {
  std::string op;  // for example "aten.conv2d.default" or "quantized_decomposed.quantize_per_tensor.default"
  std::vector<NamedArgument> inputs;  // arguments that have their default value are left out
  std::vector<std::string> outputs;   // names of the values; "" for one that has no name
  std::string module;                 // the module of the original model, for example "features.0.0"; "" if none

  // Returns the argument of that name, or nullptr.
  [[nodiscard]] const Argument* find(std::string_view argument_name) const;
  // Returns the name of the value that the argument is; "" if it is none.
  [[nodiscard]] const std::string& value(std::string_view argument_name) const;
};

// What the program states of a value. An extent that depends on the input is nullopt.
struct TensorMeta {
  ElementType type = ElementType::unknown;
  std::vector<std::optional<std::int64_t>> sizes;
};

// A tensor in the archive: a view of a blob of bytes, which several tensors may share.
struct StoredTensor {
  ElementType type = ElementType::unknown;
  Shape sizes, strides;     // strides in elements
  std::int64_t offset = 0;  // in elements
  std::size_t blob = 0;     // index in ExportedProgram::blobs; the view lies within it
};

struct ExportedProgram {
  std::string torch_version;        // that wrote it, for example "2.15.0+cpu"; "" if the file does not state it
  std::vector<ExportedNode> nodes;  // in the order in which they run
  std::map<std::string, TensorMeta> tensors;
  std::vector<std::string> inputs;             // names of the values that a caller passes, in order
  std::vector<std::string> outputs;            // names of the values that the program returns
  std::map<std::string, StoredTensor> stored;  // weights and constants, by the name of the value
  std::vector<std::string> blobs;
};

// Returns the names of all values that the argument refers to.
[[nodiscard]] std::vector<std::string> names_in(const Argument& argument);

}  // namespace tieout
