#pragma once
// Time limits for code of others that runs in this process and cannot be interrupted: a TorchScript program that never
// ends.

#include <memory>
#include <string>

#include "oracle/model.h"

namespace tieout {

// While it lives: once the seconds have passed, the process writes `message` and a line end to standard error, and ends
// with status kNotVerified. One at a time.
class Deadline {
 public:
  Deadline(double seconds, const std::string& message);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
};

// The model, whose forward pass may take that many seconds from its start, and from each quantized convolution, to the
// next one or to its end. What `seen` takes is not counted.
[[nodiscard]] std::unique_ptr<Model> with_deadlines(std::unique_ptr<Model> model, double seconds, std::string message);

}  // namespace tieout
