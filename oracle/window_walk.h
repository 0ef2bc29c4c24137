#pragma once
// The windows of a whole problem, one after the other, at a fraction of what gathering each by itself costs.

#include <vector>

#include "oracle/window.h"

namespace tieout {

class WindowWalk {
 public:
  // What a window holds: everything; or its sums and its activations, without its weights and what is inside of the input.
  enum class Detail { all, sums };

  explicit WindowWalk(const ConvProblem& problem, Detail detail = Detail::all);

  // In this order: an image and group, image being batch * groups + group; an output position in it; then the channels of the
  // group, by their number among all output channels. The window is gather()'s, and lasts until the next call.
  void enter(std::int64_t image);
  void stand(const Spatial& position);
  [[nodiscard]] const Window& look(std::int64_t k);

 private:
  void copy_window(const std::vector<std::uint8_t>& from, const Spatial& position, std::vector<std::uint8_t>& to) const;

  const ConvProblem& problem_;
  const ConvCase& c_;
  Spatial extent_{};  // of an image with its padding
  std::int64_t channels_, length_;
  Detail detail_;
  bool sparse_ = false;  // an image with its padding is too large to be copied: windows are gathered by themselves
  std::int64_t image_at_ = 0, position_ = 0;  // of those
  std::vector<std::int8_t> weights_;          // K x the order of Window::w
  std::vector<std::int64_t> sums_of_weights_;
  std::vector<std::uint8_t> image_, inside_;  // extent x channels, channels fastest
  Window window_;
};

}  // namespace tieout
