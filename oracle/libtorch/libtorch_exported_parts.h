#pragma once
// The parts of the interpreter of exported programs: its values, its operators, and the lowered operators. Errors are
// exceptions.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cases/conv_case.h"
#include "oracle/exported/exported_layers.h"

namespace at {
class Tensor;
}
namespace c10 {
struct IValue;
enum class ScalarType : int8_t;
}  // namespace c10

namespace tieout {

// The values that a program has computed so far, by name.
using ExportedValues = std::map<std::string, c10::IValue>;

[[nodiscard]] c10::ScalarType scalar_type(ElementType type);

[[nodiscard]] const c10::IValue& find_value(const ExportedValues& values, const std::string& name);
[[nodiscard]] const at::Tensor& tensor_value(const ExportedValues& values, const std::string& name);

// Returns the results of a node, a list's one by one.
[[nodiscard]] std::vector<c10::IValue> compute_node(const ExportedNode& node, const ExportedValues& values);

// The parameters of a layer that its node states.
struct LayerGeometry {
  Spatial stride{1, 1, 1}, padding{}, dilation{1, 1, 1};
  std::int64_t groups = 1;
  bool known = true;  // false: padding is a word that leads to more on one side
};
// dims: 0 for a linear layer.
[[nodiscard]] LayerGeometry geometry_of(const ExportedNode& node, int dims);

// Returns the result of the operator that the layer is lowered to, on the values that the program has computed. node:
// the layer's own.
[[nodiscard]] at::Tensor call_lowered(const ExportedLayer& layer, const ExportedNode& node,
                                      const ExportedValues& values);

}  // namespace tieout
