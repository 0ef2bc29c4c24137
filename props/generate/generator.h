#pragma once
// Draws cases. The hunting generator draws cases at points where implementations differ: the ends of every range, ties,
// overflow, tails of vectors, every code path. The uniform generator draws ordinary data for the same shapes and
// engines, as a baseline for what the hunting gains.

#include "cases/conv_case.h"
#include "cases/random.h"
#include "cases/text/domain.h"
#include "oracle/engines/fbgemm_path.h"

namespace tieout {

enum class Audience {
  // LibTorch itself: cases use every engine, instruction set and memory format.
  engines,
  // A kernel that is compared with FBGEMM: the execution is the default, because a subject is not told of it.
  subject,
};

struct GeneratorOptions {
  // Approximate number of products of a case. It decides sizes only; a case with a long reduction may exceed it.
  std::int64_t products = 20'000;
  Audience audience = Audience::engines;
  // The operator whose cases are drawn.
  Call call = Call::conv;
  // The conditions under which cases are drawn, one alternative of a domain; nullptr: none.
  const Domain::Alternative* where = nullptr;
};

// A subject is called several times for each case, so that smaller cases leave time for more of them.
inline constexpr GeneratorOptions kForSubjects{.products = 10'000, .audience = Audience::subject};

// Returns a valid case. The same numbers from `random` give the same case on every machine.
[[nodiscard]] ConvCase draw_case(Random& random, const GeneratorOptions& options = {});

// Draws ordinary random data: full-range uniform contents, scales as observers choose them, mid-range zero points.
[[nodiscard]] ConvCase draw_uniform_case(Random& random, const GeneratorOptions& options = {});

// Draws a case whose reduction is so long that its sums may exceed 2^24 or 2^31.
[[nodiscard]] ConvCase draw_long_case(Random& random, const GeneratorOptions& options = {});

// ---- the parts of a case, each drawn by its own function

// Draws the shape: of a linear layer if options.call is linear. Of a convolution the code path of FBGEMM is drawn
// first, so that every path occurs often.
void draw_shape(ConvCase& c, Random& random, const GeneratorOptions& options);

// Draws a shape that FBGEMM runs on this path. One in twenty groupwise shapes fills no register and takes another path.
void draw_shape_on(FbgemmPath path, ConvCase& c, Random& random, const GeneratorOptions& options);
// Draws a long reduction.
void draw_long_shape(ConvCase& c, Random& random, const GeneratorOptions& options);
// Draws, for a subject, sometimes a shape that exceeds registers, blocks and counters. Returns false if it left the
// case as it was.
[[nodiscard]] bool draw_wide_shape(ConvCase& c, Random& random);

// Draws, for a subject, sometimes scales at the ends of float32. Call it after draw_quantization().
void draw_wide_scales(ConvCase& c, Random& random);

// Draws scales, zero points, bias and relu. Needs the shape.
void draw_quantization(ConvCase& c, Random& random, Granularity granularity);

// Returns a random granularity, or the only one that options.where allows.
[[nodiscard]] Granularity draw_granularity(Random& random, const GeneratorOptions& options);

// Draws an int32 bias: in the range that moves the output, at the ends of int32, or beyond what float32 holds exactly.
void draw_int32_bias(ConvCase& c, Random& random);

// Draws whether an engine that has both types returns uint8 or int8, and whether its linear layers take uint8 or int8.
void draw_byte_types(ConvCase& c, Random& random);

// Draws sometimes padding that differs between the sides: for LibTorch itself, and for a subject if options.where
// mentions it. Needs the shape, which it may change within options.where.
void draw_end_padding(ConvCase& c, Random& random, const GeneratorOptions& options);

// Draws engine, instruction set, memory format and threads, regardless of what this machine offers. Needs shape and
// quantization. Sets weight zero points to 0 where the engine does not support them.
void draw_execution(ConvCase& c, Random& random, Audience audience);

// Draws the contents. Needs everything above.
void draw_contents(ConvCase& c, Random& random);

// Adjusts types, quantization and execution to options.where; the shape conforms already. Call it after any change to
// them.
void conform_parameters(ConvCase& c, Random& random, const GeneratorOptions& options);

}  // namespace tieout
