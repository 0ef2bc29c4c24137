#pragma once
// Limits the time of foreign code that runs in this process and cannot be interrupted, such as a TorchScript program
// that never ends.

#include <memory>
#include <string>

#include "oracle/libtorch/model.h"

namespace tieout {

// Ends the process once the seconds have passed, unless the object has been destroyed before: `message` and a line end
// are written to standard error, and the exit status is kNotVerified. Only one instance may exist at a time, because it
// uses the process' real-time timer and SIGALRM.
class Deadline {
 public:
  Deadline(double seconds, const std::string& message);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
};

// Returns the model with time limits: its forward pass may take `seconds` from its start, and again from each quantized
// convolution, until the next convolution or its end. The time of the callback `seen` does not count. message: as for
// Deadline.
[[nodiscard]] std::unique_ptr<Model> with_deadlines(std::unique_ptr<Model> model, double seconds, std::string message);

}  // namespace tieout
