#pragma once
// Copies of the input in which windows lie as the loops want them: see Windows in conv_plan.h.

#include <cstdint>
#include <memory>

#include "kernels/conv_plan.h"

namespace tieout {

class WindowCopy {
 public:
  // image: channels last. Both outlive it.
  WindowCopy(const ConvPlan& plan, const std::uint8_t* image) : plan_(plan), c_(plan.spec), image_(image) {}

  // For `rows` rows of the output: lines of the input from h on, in each of the window's planes from d on, and the zero point
  // where they lie outside. What is returned stays until the next call.
  [[nodiscard]] const std::uint8_t* pad(std::int64_t d, std::int64_t h, std::int64_t rows);

  // The windows of `count` positions of a row from `first` on, one after the other, each a whole number of steps; `lines` are
  // the row's, padded. Again until the next call.
  [[nodiscard]] const std::uint8_t* join(const std::uint8_t* lines, std::int64_t first, std::int64_t count,
                                         std::int64_t group);

  // The same without such lines: for rows of windows whose planes begin at d and whose lines at h.
  [[nodiscard]] const std::uint8_t* gather(std::int64_t d, std::int64_t h, std::int64_t first, std::int64_t count,
                                           std::int64_t group);

 private:
  // What it holds is not cleared: that would take as long as a copy.
  class Memory {
   public:
    [[nodiscard]] std::uint8_t* room_for(std::int64_t bytes);

   private:
    std::unique_ptr<CacheLine[]> lines_;
    std::int64_t count_ = 0;
  };

  void copy_pixel(const Spatial& at, std::int64_t group, std::uint8_t* to) const;

  const ConvPlan& plan_;
  const ConvCase& c_;
  const std::uint8_t* image_;
  Memory padded_, windows_;
};

}  // namespace tieout
