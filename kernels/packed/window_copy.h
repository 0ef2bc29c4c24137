#pragma once
// Copies parts of the input so that windows lie as the loops need them: see Windows in conv_plan.h.

#include <cstdint>
#include <memory>

#include "kernels/packed/conv_plan.h"

namespace tieout {

class WindowCopy {
 public:
  // image: one image, channels last. Both arguments must outlive the object.
  WindowCopy(const ConvPlan& plan, const std::uint8_t* image) : plan_(plan), c_(plan.spec), image_(image) {}

  // Copies the lines that `rows` rows of the output read: lines of the input from h on, in each of the window's planes
  // from d on, with the zero point in positions outside of the input. The copy is valid until the next call of pad().
  [[nodiscard]] const std::uint8_t* pad(std::int64_t d, std::int64_t h, std::int64_t rows);

  // Copies the windows of `count` positions of a row, from position `first` on, one after the other; each takes a whole
  // number of steps. lines: the row's lines, as pad() returns them. The copy is valid until the next call of join() or
  // gather().
  [[nodiscard]] const std::uint8_t* join(const std::uint8_t* lines, std::int64_t first, std::int64_t count,
                                         std::int64_t group);

  // Copies the same windows directly from the image. d, h: the first plane and the first line of the row's windows. The
  // copy is valid until the next call of join() or gather().
  [[nodiscard]] const std::uint8_t* gather(std::int64_t d, std::int64_t h, std::int64_t first, std::int64_t count,
                                           std::int64_t group);

 private:
  // A growing buffer that is not cleared, because clearing it would take as long as a copy.
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
