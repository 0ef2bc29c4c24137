// What a program answers: the input is its whole standard output, whatever it is asked. The subject declines, fails, or gives an
// output of the right size.

#include "cases/case_text.h"
#include "cases/contents.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/memory_file.h"
#include "kernels/process_subject.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tieout;
  static const ConvProblem problem =
      with_contents(parse("conv2d in_channels=2 out_channels=3 input=2x3 x=uniform w=uniform").value());
  const MemoryFile answers(text_of(data, size));
  const auto subject = process_subject("cat " + answers.path() + "; read -r line");
  if (!subject->load(2)) return 0;
  const auto y = subject->run(problem, {.seconds = 2});
  require(!y || std::ssize(y->values) == element_count(output_shape(problem.spec)));
  return 0;
}
