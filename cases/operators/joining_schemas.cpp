// The operators that join tensors.

#include "cases/operators/schema_list.h"

namespace tieout {
namespace {

// Returns the dimension along which the inputs are joined. A negative one is counted from the end.
std::int64_t joined_dimension(const OperatorCase& c) {
  const std::int64_t dim = integer(c, "dim");
  return dim < 0 ? dim + std::ssize(c.inputs.front().shape) : dim;
}

Shape joined_shape(const OperatorCase& c) {
  Shape shape = c.inputs.front().shape;
  const auto dim = static_cast<std::size_t>(joined_dimension(c));
  shape[dim] = 0;
  for (const OperatorInput& input : c.inputs) shape[dim] += input.shape[dim];
  return shape;
}

tl::expected<void, CaseError> check_joined(const OperatorCase& c) {
  const Shape& first = c.inputs.front().shape;
  const auto dim = static_cast<std::size_t>(joined_dimension(c));
  if (dim >= first.size()) return tl::unexpected(CaseError{"dim", "must be a dimension of the inputs"});
  for (const OperatorInput& input : c.inputs) {
    Shape shape = input.shape;
    if (shape.size() == first.size()) shape[dim] = first[dim];
    if (shape != first) {
      return tl::unexpected(CaseError{"shape", "must be the same for all inputs, but for dimension dim"});
    }
  }
  return {};
}

}  // namespace

const std::vector<OperatorSchema>& joining_schemas() {
  static const std::vector<OperatorSchema> list{
      {.name = "cat",
       .help = "Concatenation of tensors (quantized::cat, cat_relu, aten::cat)",
       .least_inputs = 1,
       .most_inputs = 64,
       .attributes = {{.name = "dim",
                       .kind = AttributeSchema::Kind::integer,
                       .default_value = 1,
                       .low = -5,
                       .high = 4,
                       .help = "dimension along which the inputs are joined; a negative one counts from the end"},
                      {.name = "relu",
                       .kind = AttributeSchema::Kind::flag,
                       .low = 0,
                       .high = 1,
                       .help = "present: y = max(y, oz)"}},
       .output_shape = joined_shape,
       .check = check_joined}};
  return list;
}

}  // namespace tieout
