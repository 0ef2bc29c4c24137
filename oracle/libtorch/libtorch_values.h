#pragma once
// Converts between LibTorch's tensors and lists and the plain ones of oracle/libtorch/model.h and of cases.

#include <cstdint>
#include <exception>
#include <optional>
#include <vector>

#include "cases/conv_case.h"
#include "oracle/libtorch/model.h"

namespace at {
class Tensor;
}
namespace c10 {
struct IValue;
template <class T>
class List;
}  // namespace c10

namespace tieout {

// Returns a tensor with a copy of the argument's elements.
[[nodiscard]] at::Tensor tensor_of(const ModelTensor& argument);

// Returns the tensor in the memory format of the case, whose activation has its shape.
[[nodiscard]] at::Tensor in_memory_format(const at::Tensor& t, const ConvCase& c);

// Returns the last `dims` extents as LibTorch's operators take them.
[[nodiscard]] c10::List<std::int64_t> spatial_list(const Spatial& spatial, int dims);

// Returns the type of argument that holds such a tensor; nullopt if none does.
[[nodiscard]] std::optional<ModelTensor::Type> argument_type(const at::Tensor& t);

// Appends every tensor in the value, in any nesting of tuples, lists and dictionaries, dequantized and in double.
void collect(const c10::IValue& value, std::vector<Tensor<double>>& outputs);

// True if memory was refused: by the standard library, or by LibTorch's allocator, whose errors have no type of their
// own.
[[nodiscard]] bool is_out_of_memory(const std::exception& error);

}  // namespace tieout
