#pragma once
// Draws cases. The hunting generator goes where implementations part: the ends of every range, ties, overflow, tails of
// vectors, every code path. The uniform one draws ordinary data for the same shapes and engines, to show what the hunting is worth.

#include "cases/conv_case.h"
#include "cases/random.h"

namespace tieout {

enum class Audience {
  engines,  // LibTorch's own: every engine, instruction set, memory format
  subject,  // a kernel compared with FBGEMM: execution is the default's, which a subject does not see
};

struct GeneratorOptions {
  // About how many products one case may cost. Decides sizes only; a case with a long reduction may pass it.
  std::int64_t products = 20'000;
  Audience audience = Audience::engines;
};

// A subject is asked several times for each case: smaller ones leave time for more of them.
inline constexpr GeneratorOptions kForSubjects{.products = 10'000, .audience = Audience::subject};

// A valid case. The same numbers from `random` give the same case on every machine.
[[nodiscard]] ConvCase draw_case(Random& random, const GeneratorOptions& options = {});

// Ordinary random data: full-range uniform contents, scales as observers choose them, mid-range zero points.
[[nodiscard]] ConvCase draw_uniform_case(Random& random, const GeneratorOptions& options = {});

// Case `index` of the sequence that `seed` names: what fuzz and campaigns run, in any order and on any machine.
[[nodiscard]] ConvCase case_of(std::uint64_t seed, std::uint64_t index, const GeneratorOptions& options = {});

// ---- the parts, each filling its own fields of the case

// Shape, with every code path of FBGEMM drawn on purpose and not by luck.
void draw_shape(ConvCase& c, Random& random, const GeneratorOptions& options);

// For a subject: now and then a shape beyond registers, blocks and counters. False: left as it was.
[[nodiscard]] bool draw_wide_shape(ConvCase& c, Random& random);

// For a subject, after draw_quantization(): now and then scales at the ends of float32.
void draw_wide_scales(ConvCase& c, Random& random);

// Scales, zero points, bias, relu. Needs the shape.
void draw_quantization(ConvCase& c, Random& random);

// Engine, instruction set, memory format and threads: what machine there is decides nothing. Needs everything above; takes
// weight zero points away where the engine knows none.
void draw_execution(ConvCase& c, Random& random, Audience audience);

// Changes output scale or bias so that one element's value before rounding lies on a tie or a few floats beside it.
// Needs everything else; leaves the case alone where the element cannot get there.
void aim_at_tie(ConvCase& c, Random& random);

// The same for the values where conversions to int32 and int16 end.
void aim_at_conversion(ConvCase& c, Random& random);

}  // namespace tieout
