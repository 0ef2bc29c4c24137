#pragma once
// Calls a kernel through the C interface of tieout_operator.h, with guarded copies of all buffers, and detects what the
// kernel must not do (guarded_call.h).

#include <deque>
#include <string>
#include <vector>

#include "kernels/subject/guarded_buffer.h"
#include "kernels/subject/kernel_call.h"
#include "kernels/subject/subject.h"

namespace tieout {

class OperatorCall {
 public:
  // Copies the tensors into buffers as the conditions require, calls the kernel and returns its output in row-major
  // order. Error: declined, with the kernel's reason; misbehaved, with what the kernel did.
  [[nodiscard]] SubjectAnswer run(OperatorFunction kernel, const KernelTraits& traits, const OperatorCase& c,
                                  const Conditions& conditions);

 private:
  // The buffers of one input or attribute.
  struct Buffers {
    GuardedBuffer values, shape;
    std::string name;  // for messages
  };

  // The buffers are kept between calls: a kernel that caches results by address meets the same addresses with other
  // contents.
  std::deque<Buffers> inputs_, attributes_;
  GuardedBuffer tensors_, lists_, output_, output_shape_;
};

}  // namespace tieout
