#pragma once
// Measures how long pieces of work take beside each other, for `tieout bench`.

#include <functional>
#include <vector>

namespace tieout {

// Returns the minimum seconds of one call of each piece of work, in their order. Each piece is measured in
// `repetitions` (at least 1) repetitions. A repetition makes as many calls as last `seconds` together, and its result
// is the mean of them. The repetitions of all pieces run in one random order, so that a change of the clock frequency
// or of the machine's load does not affect one piece alone.
[[nodiscard]] std::vector<double> least_seconds(const std::vector<std::function<void()>>& works, double seconds,
                                                int repetitions);

}  // namespace tieout
