// Fuzzes the reader of a program's answers: the input is the whole standard output of a subject, whatever it is sent.
// The subject cannot be loaded, declines or fails, or its output has the right size.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "cases/contents.h"
#include "cases/operators/operator_text.h"
#include "cases/text/case_text.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/memory_file.h"
#include "kernels/host/process_subject.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tieout;
  static const ConvProblem problem =
      with_contents(parse("conv2d in_channels=2 out_channels=3 input=2x3 x=uniform w=uniform").value());
  static const OperatorCase pooling =
      with_contents(parse_operator("max_pool shape=1x2x2x3 kernel=2 x=uniform").value());
  // The file needs a name, because the program cannot access this process' descriptors.
  std::string path = (std::filesystem::temp_directory_path() / "answers-XXXXXX").string();
  const int file = mkstemp(path.data());
  require(file >= 0 && write(file, data, size) == static_cast<ssize_t>(size));
  {
    // The program writes the input, reads one line and ends.
    const auto subject = process_subject("cat '" + path + "'; read -r line");
    const Conditions conditions{.seconds = 2};
    if (subject->load(2)) {
      const auto y = subject->run(problem, conditions);
      require(!y || static_cast<std::int64_t>(y->values.size()) == element_count(output_shape(problem.spec)));
    }
    if (subject->load(2) && subject->scope().operators) {
      const auto y = subject->run_operator(pooling, conditions);
      require(!y || static_cast<std::int64_t>(y->values.size()) == element_count(output_shape(pooling)));
    }
  }
  close(file);
  unlink(path.c_str());
  return 0;
}
