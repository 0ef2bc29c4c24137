#include "kernels/loops.h"
namespace tieout {
using Products = Arithmetic::Products;
Loops avx2_loops(Products products) { return portable_loops(products); }
}  // namespace tieout
