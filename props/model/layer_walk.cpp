#include "props/model/layer_walk.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <vector>

#include "cases/machine/aligned.h"
#include "cases/machine/parallel.h"
#include "kernels/packed/packed_conv.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

// Returns the processor time of this thread, seconds. Wall time would include other programs on a shared machine.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Measures the time from one call to the next. Each call costs a system call.
class Split {
 public:
  explicit Split(SecondsByPart& seconds) : seconds_(seconds) {}

  // Adds the time since the last call to that part; nullptr: to none.
  void was(const char* part) {
    const double now = thread_seconds();
    if (part != nullptr) seconds_[part] += now - last_;
    last_ = now;
  }

 private:
  SecondsByPart& seconds_;
  double last_ = thread_seconds();
};

// Removes elements at which the arithmetic saturates from the wrong sums, because their sums need not be the exact
// ones.
void leave_out_saturating(LayerMismatches& mismatches) {
  const auto earlier = [](const OutputElement& a, const OutputElement& b) {
    return a.position != b.position ? a.position < b.position : a.k < b.k;
  };
  std::vector<OutputElement> saturating = mismatches.saturating;
  std::sort(saturating.begin(), saturating.end(), earlier);
  std::erase_if(mismatches.wrong_sums, [&](const OutputElement& element) {
    return std::binary_search(saturating.begin(), saturating.end(), element, earlier);
  });
}

// Rows of an image, or whole images, whose sums stay in the cache.
struct Piece {
  std::int64_t first_image, images;
  std::int64_t first_row, rows;  // of each image
  std::int64_t position;         // the first output position
};

// The pieces of a layer.
struct Pieces {
  explicit Pieces(const ConvCase& c) : out(output_size(c)), row(out[2] * c.out_channels), batch(c.batch) {
    // 128 KB of int32 stay in the second-level cache.
    constexpr std::int64_t kSumsInCache = std::int64_t{1} << 15;
    rows_each = std::clamp<std::int64_t>(kSumsInCache / row, 1, rows());
    images_each = std::clamp<std::int64_t>(kSumsInCache / (rows() * row), 1, std::max<std::int64_t>(batch, 1));
    count = (batch + images_each - 1) / images_each * pieces_of_image();
  }

  [[nodiscard]] std::int64_t rows() const { return out[0] * out[1]; }
  [[nodiscard]] std::int64_t pieces_of_image() const { return (rows() + rows_each - 1) / rows_each; }
  // Returns the number of elements of the largest piece.
  [[nodiscard]] std::int64_t largest() const { return images_each * rows_each * row; }

  [[nodiscard]] Piece at(std::int64_t index) const {
    const std::int64_t first_row = index % pieces_of_image() * rows_each;
    const std::int64_t first_image = index / pieces_of_image() * images_each;
    return {.first_image = first_image,
            .images = std::min(images_each, batch - first_image),
            .first_row = first_row,
            .rows = std::min(rows_each, rows() - first_row),
            .position = (first_image * rows() + first_row) * out[2]};
  }

  Spatial out;
  std::int64_t row;  // elements of a row of the output
  std::int64_t batch;
  std::int64_t rows_each = 0, images_each = 0;  // of a whole piece
  std::int64_t count = 0;
};

}  // namespace

struct LayerWalks::Prepared {
  Prepared(std::span<const Hypothesis* const> hypotheses, const CapturedConv& captured, const Arithmetic& follows,
           std::size_t most)
      : spec(captured.spec),
        arithmetic(follows),
        comparison(hypotheses, spec, captured.weight.data(), most),
        kernel(spec, captured.weight, follows) {}

  ConvCase spec;
  Arithmetic arithmetic;
  LayerComparison comparison;
  PackedConv kernel;
};

struct LayerWalks::Worker {
  LayerComparison::Part part;
  MismatchCollector kernel;
  AlignedVector<std::uint8_t> y;
  AlignedVector<std::int32_t> sums;
  double in_kernel = 0, in_hypotheses = 0;

  void begin(std::size_t elements) {
    part.clear();
    kernel = MismatchCollector();
    in_kernel = in_hypotheses = 0;
    if (y.size() >= elements) return;
    y.resize(elements);
    sums.resize(elements);
  }

  // Computes and compares the pieces begin .. end - 1.
  void compare(const CapturedConv& captured, const Prepared& layer, const Pieces& pieces, std::int64_t begin,
               std::int64_t end);
  // Records where the kernel's first `count` values differ from the operator's. position: output position of the first.
  void note_differences(const ConvCase& c, std::int64_t position, const std::uint8_t* answer, std::size_t count);
};

void LayerWalks::Worker::compare(const CapturedConv& captured, const Prepared& layer, const Pieces& pieces,
                                 std::int64_t begin, std::int64_t end) {
  // Reading the thread's own clock costs a system call, so that it measures the total only; the wall clock measures
  // the share of each part.
  const double thread_before = thread_seconds();
  double kernel_share = 0, hypotheses_share = 0;
  Clock::time_point before = Clock::now();
  for (std::int64_t i = begin; i < end; ++i) {
    const Piece piece = pieces.at(i);
    const std::int64_t elements = piece.rows * pieces.row;
    for (std::int64_t image = 0; image < piece.images; ++image) {
      layer.kernel.run(captured.activation.data(), OutputRows{piece.first_image + image, piece.first_row, piece.rows},
                       y.data() + image * elements, sums.data() + image * elements);
    }
    const ConvCase& c = captured.spec;
    const std::uint8_t* const answer = captured.output.data() + piece.position * c.out_channels;
    const std::int64_t count = piece.images * elements;
    note_differences(c, piece.position, answer, static_cast<std::size_t>(count));
    const Clock::time_point between = Clock::now();
    layer.comparison.see(part, piece.position, count / c.out_channels, sums.data(), answer);
    const Clock::time_point after = Clock::now();
    kernel_share += std::chrono::duration<double>(between - before).count();
    hypotheses_share += std::chrono::duration<double>(after - between).count();
    before = after;
  }
  const double ours = (thread_seconds() - thread_before) / std::max(kernel_share + hypotheses_share, 1e-9);
  in_kernel += ours * kernel_share;
  in_hypotheses += ours * hypotheses_share;
}

void LayerWalks::Worker::note_differences(const ConvCase& c, std::int64_t position, const std::uint8_t* answer,
                                          std::size_t count) {
  if (std::memcmp(answer, y.data(), count) == 0) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (y[i] == answer[i]) continue;
    const auto at = static_cast<std::int64_t>(i);
    kernel.note(offset_of({position + at / c.out_channels, at % c.out_channels}, c), y[i], answer[i]);
  }
}

LayerWalks::LayerWalks(std::span<const Hypothesis* const> hypotheses, Weights weights, std::size_t most)
    : hypotheses_(hypotheses), weights_(weights), most_(most) {}
LayerWalks::~LayerWalks() = default;

LayerWalks::Prepared& LayerWalks::prepared(const CapturedConv& captured, const Arithmetic& arithmetic) {
  std::unique_ptr<Prepared>& known = prepared_[captured.weight.data()];
  if (known == nullptr || known->spec != captured.spec || known->arithmetic != arithmetic) {
    known = std::make_unique<Prepared>(hypotheses_, captured, arithmetic, most_);
  }
  return *known;
}

ComputedLayer LayerWalks::walk(const CapturedConv& captured, const Arithmetic& arithmetic, int threads,
                               SecondsByPart& seconds) {
  const ConvCase& c = captured.spec;
  Split split(seconds);
  Prepared& layer = prepared(captured, arithmetic);
  LayerComparison& comparison = layer.comparison;
  split.was("weights, once a layer");
  ComputedLayer walked{.range = comparison.begin(captured.activation.data()), .extremes = comparison.extremes()};
  split.was("hypotheses");

  const Pieces pieces(c);
  while (workers_.size() < static_cast<std::size_t>(std::max(threads, 1)))
    workers_.push_back(std::make_unique<Worker>());
  for (const auto& worker : workers_) worker->begin(static_cast<std::size_t>(pieces.largest()));
  in_parts(pieces.count, threads, [&](std::size_t part, std::int64_t begin, std::int64_t end) {
    workers_[part]->compare(captured, layer, pieces, begin, end);
  });

  // The workers have counted their own time.
  split.was(nullptr);
  MismatchCollector kernel_differences;
  std::vector<const LayerComparison::Part*> parts;
  for (const auto& worker : workers_) {
    kernel_differences.add(worker->kernel);
    parts.push_back(&worker->part);
    seconds["kernel"] += worker->in_kernel;
    seconds["hypotheses"] += worker->in_hypotheses;
  }
  walked.kernel = kernel_differences.sorted();
  walked.mismatches = comparison.finish(parts);
  if (arithmetic.products == Arithmetic::Products::int16_pairs) leave_out_saturating(walked.mismatches);
  if (arithmetic.activation_sum == Arithmetic::ActivationSum::int16 && 255 * reduction_length(c) > 32767) {
    // The sums of this arithmetic need not be exact, either.
    walked.mismatches.wrong_sums.clear();
  }
  split.was("hypotheses");
  if (weights_ == Weights::dropped) {
    prepared_.clear();
    split.was("weights, once a layer");
  }
  return walked;
}

}  // namespace tieout
