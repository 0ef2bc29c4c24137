#pragma once
// Computes exp() of float32 numbers bit for bit as the vector code of LibTorch does, which calls Sleef_expf8_u10.
//
// x = k ln(2) + r, with ln(2) in two parts; exp(r) is a polynomial of degree 6 whose steps are fused; the result is
// scaled by 2^k. Source: sleef, src/libm/sleefsimdsp.c (expf).

#include <cmath>
#include <initializer_list>

#include "oracle/element/ties_to_even.h"

namespace tieout {

[[nodiscard]] inline float sleef_exp(float x) {
  constexpr float kInverseLn2 = 1.44269504088896340736F;
  constexpr float kLn2High = 0.693145751953125F, kLn2Low = 1.428606765330187045e-06F;
  const float k = ties_to_even(x * kInverseLn2);
  float r = std::fma(k, -kLn2High, x);
  r = std::fma(k, -kLn2Low, r);
  float u = 0.000198527617612853646278381F;
  for (const float coefficient : {0.00139304355252534151077271F, 0.00833336077630519866943359F,
                                  0.0416664853692054748535156F, 0.166666671633720397949219F, 0.5F}) {
    u = std::fma(u, r, coefficient);
  }
  u = 1.0F + std::fma(r * r, u, r);
  if (x < -104) return 0;
  if (x > 104) return INFINITY;
  return std::ldexp(u, static_cast<int>(k));
}

}  // namespace tieout
