#include "kernels/loops.h"
namespace tieout {
using Products = Arithmetic::Products;
Loops avx512_vnni_loops() { return portable_loops(Products::exact); }
}  // namespace tieout
