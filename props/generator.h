#pragma once
// Draws cases. The hunting generator goes where implementations part: the ends of every range, ties, overflow, tails of
// vectors, every code path. The uniform one draws ordinary data for the same shapes and engines, to show what the hunting is worth.

#include "cases/conv_case.h"
#include "cases/domain.h"
#include "cases/random.h"
#include "oracle/fbgemm_path.h"

namespace tieout {

enum class Audience {
  engines,  // LibTorch's own: every engine, instruction set, memory format
  subject,  // a kernel compared with FBGEMM: execution is the default's, which a subject does not see
};

struct GeneratorOptions {
  // About how many products one case may cost. Decides sizes only; a case with a long reduction may pass it.
  std::int64_t products = 20'000;
  Audience audience = Audience::engines;
  // The conditions that cases are drawn under, one alternative of a domain; nullptr: none.
  const Domain::Alternative* where = nullptr;
};

// A subject is asked several times for each case: smaller ones leave time for more of them.
inline constexpr GeneratorOptions kForSubjects{.products = 10'000, .audience = Audience::subject};

// A valid case. The same numbers from `random` give the same case on every machine.
[[nodiscard]] ConvCase draw_case(Random& random, const GeneratorOptions& options = {});

// Ordinary random data: full-range uniform contents, scales as observers choose them, mid-range zero points.
[[nodiscard]] ConvCase draw_uniform_case(Random& random, const GeneratorOptions& options = {});

// One whose reduction is so long that its sums may pass 2^24, or 2^31.
[[nodiscard]] ConvCase draw_long_case(Random& random, const GeneratorOptions& options = {});

// ---- the parts, each filling its own fields of the case

// Shape, with every code path of FBGEMM drawn on purpose and not by luck.
void draw_shape(ConvCase& c, Random& random, const GeneratorOptions& options);

// One that FBGEMM takes on this path. Of groupwise shapes, one in twenty fills no register and goes elsewhere.
void draw_shape_on(FbgemmPath path, ConvCase& c, Random& random, const GeneratorOptions& options);
void draw_long_shape(ConvCase& c, Random& random, const GeneratorOptions& options);
// For a subject: now and then a shape beyond registers, blocks and counters. False: left as it was.
[[nodiscard]] bool draw_wide_shape(ConvCase& c, Random& random);

// For a subject, after draw_quantization(): now and then scales at the ends of float32.
void draw_wide_scales(ConvCase& c, Random& random);

// Scales, zero points, bias, relu. Needs the shape.
void draw_quantization(ConvCase& c, Random& random, Granularity granularity);

// Either granularity, or the only one that options.where allows.
[[nodiscard]] Granularity draw_granularity(Random& random, const GeneratorOptions& options);

// Engine, instruction set, memory format and threads: what machine there is decides nothing. Needs everything above; takes
// weight zero points away where the engine knows none.
void draw_execution(ConvCase& c, Random& random, Audience audience);

// Needs everything above.
void draw_contents(ConvCase& c, Random& random);

// Moves quantization and execution to what options.where allows; the shape conforms already. Call it after anything that
// changes them.
void conform_parameters(ConvCase& c, Random& random, const GeneratorOptions& options);

}  // namespace tieout
