#pragma once
// Provides WindowIterator, which returns the windows of a whole problem one after the other, much faster than a
// gather() for each of them.

#include <vector>

#include "oracle/element/window.h"

namespace tieout {

class WindowIterator {
 public:
  // The part of each window that is filled: everything, or the sums and the activations without `w` and `inside`.
  enum class Detail { all, sums };

  // problem: must outlive this.
  explicit WindowIterator(const ConvProblem& problem, Detail detail = Detail::all);

  // The three functions are called in nested loops: enter() selects an image and a group, as image * groups + group;
  // stand() selects an output position; look() returns the window of output channel k, counted over all groups. The
  // window equals gather()'s and is valid until the next call.
  void enter(std::int64_t image);
  void stand(const Spatial& position);
  [[nodiscard]] const Window& look(std::int64_t k);

 private:
  void copy_window(const std::vector<std::uint8_t>& from, const Spatial& position, std::vector<std::uint8_t>& to) const;

  const ConvProblem& problem_;
  const ConvCase& c_;
  Spatial extent_{};  // size of an image with its padding
  std::int64_t channels_, length_;
  Detail detail_;
  // True if an image with its padding is too large to be copied; each window is then gathered separately.
  bool sparse_ = false;
  std::int64_t image_at_ = 0, position_ = 0;  // the selected image and position, for gather()
  std::vector<std::int8_t> weights_;          // K x the order of Window::w
  std::vector<std::int64_t> sums_of_weights_;
  std::vector<std::uint8_t> image_, inside_;  // extent x channels, channels fastest
  Window window_;
};

}  // namespace tieout
