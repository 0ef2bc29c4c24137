#include "props/verify/departures.h"

#include <algorithm>
#include <compare>
#include <cstdlib>
#include <utility>

#include "oracle/engines/known_defects.h"

namespace tieout {
namespace {

// Collects the causes of departures at some elements.
struct Causes {
  bool pairs = false, activation_sums = false, bias = false;

  void add(const ElementTrace& path) {
    if (path.saturated_pairs > 0) {
      pairs = true;
    } else if (path.activation_sum_saturated) {
      activation_sums = true;
    } else {
      bias = true;
    }
  }
};

std::string cause_text(const Causes& causes, FbgemmPath path) {
  if (causes.pairs && path == FbgemmPath::depthwise) {
    return "FBGEMM's depthwise code saturates pairs of products in 16 bits";
  }
  if (causes.pairs) return "FBGEMM saturates pairs of products in 16 bits; that depends on the CPU";
  if (causes.activation_sums) return "FBGEMM's depthwise code stops adding activations at 32767";
  return "FBGEMM's depthwise code adds the bias with two roundings";
}

std::string deviation_text(const Causes& causes, FbgemmPath path) {
  if (causes.pairs || causes.activation_sums) return "follows exact sums where " + cause_text(causes, path);
  return "adds the bias with one rounding where FBGEMM's depthwise code takes two";
}

// True if FBGEMM's code can depart from the exact contract on any element.
bool may_depart(const Answered& answer) {
  if (!is_fbgemm(answer.engine) || answer.arithmetic == Arithmetic{}) return false;
  const ConvCase& c = answer.problem.spec;
  const bool bias = answer.arithmetic.tensor_bias != Arithmetic::TensorBias::fused && !c.bias.empty() &&
                    c.granularity == Granularity::per_tensor;
  return bias || std::any_of(answer.traces.begin(), answer.traces.end(), [](const ElementTrace& trace) {
           return trace.saturated_pairs > 0 || trace.activation_sum_saturated;
         });
}

// Returns the elements at which the two answers differ.
Departure difference(const std::vector<std::int32_t>& here, const std::vector<std::int32_t>& there) {
  Departure found;
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (here[i] == there[i]) continue;
    if (found.elements++ > 0) continue;
    found.offset = static_cast<std::int64_t>(i);
    found.here = here[i];
    found.there = there[i];
  }
  return found;
}

// Holds the distance of a subject from a contract.
struct Distance {
  std::int64_t differing = 0, sum = 0;

  auto operator<=>(const Distance&) const = default;
};

Distance distance(const Contract& contract, const std::vector<std::int32_t>& subject) {
  Distance found;
  for (std::size_t i = 0; i < subject.size(); ++i) {
    const std::int64_t off = std::abs(std::int64_t{contract.y.values[i]} - subject[i]);
    found.differing += off != 0 ? 1 : 0;
    found.sum += off;
  }
  return found;
}

// Holds the exact contract's values at all elements at which the answer equals the prediction of the path's arithmetic,
// and the answer's values elsewhere.
struct ExactContract {
  Contract contract;
  std::vector<ElementTrace> traces;

  ExactContract(const Answered& answer, Arithmetic::TensorBias bias)
      : contract{{.tensor_bias = bias}, answer.y}, traces(conv_relu_traces(answer.problem, contract.arithmetic)) {
    for (std::size_t i = 0; i < traces.size(); ++i) {
      std::int32_t& value = contract.y.values[i];
      if (answer.traces[i].result == value) value = traces[i].result;
    }
  }
};

}  // namespace

Departure departure_from_exact(const Answered& answer, const Hardware& hardware) {
  if (is_onednn(answer.engine) &&
      adds_in_pairs(onednn_code(answer.problem.spec, hardware, onednn_scales(answer.engine)))) {
    Hardware vnni = hardware;
    vnni.avx_vnni = true;
    Departure found = difference(answer.y.values, predict(answer.problem, answer.engine, vnni).values);
    if (found.elements > 0) found.cause = "ONEDNN saturates pairs of products in 16 bits; that depends on the CPU";
    return found;
  }
  if (!may_depart(answer)) return {};
  Causes causes;
  std::vector<std::int32_t> exact = answer.y.values;
  const std::vector<ElementTrace> traces = conv_relu_traces(answer.problem, Arithmetic{});
  for (std::size_t i = 0; i < exact.size(); ++i) {
    if (answer.traces[i].result != exact[i] || traces[i].result == exact[i]) continue;
    exact[i] = traces[i].result;
    causes.add(answer.traces[i]);
  }
  Departure found = difference(answer.y.values, exact);
  if (found.elements > 0) found.cause = cause_text(causes, answer.path);
  return found;
}

Departure departure_elsewhere(const Answered& answer, const Hardware& hardware) {
  if (answer.engine == Engine::qnnpack) return {};
  ConvProblem problem = answer.problem;
  ConvCase& c = problem.spec;
  const bool vnni = hardware.avx512_vnni;
  Hardware other = vnni ? Hardware{} : Hardware{.avx512 = true, .avx512_vnni = true};
  other.libtorch = hardware.libtorch;
  c.execution.isa = vnni ? Isa::avx2 : Isa::avx512_vnni;
  if (known_defect(c, other) != nullptr || !refusal(c, other).empty()) return {};
  Departure found = difference(answer.y.values, predict(problem, c.execution.engine, other).values);
  if (found.elements > 0) found.cause = vnni ? "on a CPU without AVX-512 VNNI" : "on a CPU with AVX-512 VNNI";
  return found;
}

Followed followed_contract(const Answered& answer, const std::vector<std::int32_t>& subject) {
  Followed followed{.expected = answer.y, .contracts = {{answer.arithmetic, answer.y}}};
  if (answer.y.values == subject || !may_depart(answer)) return followed;
  using Bias = Arithmetic::TensorBias;
  ExactContract exact(answer, Bias::fused);
  followed.contracts.push_back(exact.contract);
  if (answer.arithmetic.tensor_bias != Bias::fused) {
    ExactContract other(answer, answer.arithmetic.tensor_bias);
    followed.contracts.push_back(other.contract);
    if (distance(other.contract, subject) < distance(exact.contract, subject)) exact = std::move(other);
  }
  followed.exact = distance(exact.contract, subject) < distance(followed.contracts.front(), subject);
  Causes causes;
  std::int64_t accepted_deviations = 0;
  for (std::size_t i = 0; i < subject.size(); ++i) {
    const std::int32_t by_code = answer.y.values[i];
    const std::int32_t by_contract = exact.contract.y.values[i];
    const bool right = subject[i] == by_code || subject[i] == by_contract;
    followed.expected.values[i] = right ? subject[i] : followed.exact ? by_contract : by_code;
    if (!right || subject[i] == by_code) continue;
    ++accepted_deviations;
    causes.add(answer.traces[i]);
  }
  if (accepted_deviations > 0) followed.deviation = deviation_text(causes, answer.path);
  if (followed.exact) followed.traces = std::move(exact.traces);
  return followed;
}

}  // namespace tieout
