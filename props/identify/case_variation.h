#pragma once
// Records which properties of cases were varied, so that a result states what it holds for.

#include <array>
#include <cstdint>
#include <string>

#include "cases/conv_case.h"

namespace tieout {

class CaseVariation {
 public:
  // offset: of the output element that is compared.
  void add(const ConvCase& c, std::int64_t offset);

  // Returns for example "kernels 1x1 to 5x7, padding, stride, batch 1 to 3; not varied: dilation 1, one group". Empty
  // before the first case.
  [[nodiscard]] std::string text() const;

 private:
  // A property that cases have or not, with its texts where both occurred, and where only one of them did.
  struct Flag {
    const char* both;
    const char* only_without;
    const char* only_with;
    std::array<bool, 2> seen{};
  };
  struct Range {
    const char* name;
    std::int64_t low = 0, high = 0;
  };

  bool empty_ = true;
  Spatial smallest_{}, largest_{};  // kernels, by their volume
  std::array<Flag, 9> flags_{{
      {"padding", "no padding", "always padding"},
      {"stride", "stride 1", "always a stride"},
      {"dilation", "dilation 1", "always a dilation"},
      {"groups", "one group", "always groups"},
      {"weights per tensor and per channel", "per-tensor weights", "per-channel weights"},
      {"weight zero points", "no weight zero points", "always weight zero points"},
      {"bias", "no bias", "always a bias"},
      {"relu", "no relu", "always relu"},
      {"first and other output channels", "the first output channel", "other output channels than the first"},
  }};
  std::array<Range, 4> ranges_{{{"dimensions"}, {"batch"}, {"input channels"}, {"output channels"}}};
};

}  // namespace tieout
