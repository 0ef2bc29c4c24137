#include "cases/case_class_name.h"

#include <array>

namespace tieout {
namespace {

constexpr std::array<std::string_view, kCaseClasses> kNames{"tie",
                                                            "beside_tie",
                                                            "pair_saturation",
                                                            "sum_beyond_2_24",
                                                            "int32_wrap",
                                                            "conversion_overflow",
                                                            "int16_saturation",
                                                            "clamped_low",
                                                            "clamped_high",
                                                            "interior",
                                                            "zero_point_at_end",
                                                            "weight_zero_point",
                                                            "bias",
                                                            "padded",
                                                            "dilated",
                                                            "grouped",
                                                            "per_channel",
                                                            "relu",
                                                            "odd_channels",
                                                            "large_batch",
                                                            "tie_with_bias",
                                                            "strided",
                                                            "one_dimensional",
                                                            "three_dimensional",
                                                            "large_kernel",
                                                            "mixed_kernel",
                                                            "two_outputs_a_channel",
                                                            "activation_sum_saturated",
                                                            "enlarging",
                                                            "channels_last",
                                                            "several_threads",
                                                            "forced_isa",
                                                            "other_engine",
                                                            "linear"};

}  // namespace

std::string_view name(CaseClass c) { return kNames[static_cast<std::size_t>(c)]; }

}  // namespace tieout
