#include "props/diagnose/model_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "props/diagnose/edit_space.h"

namespace tieout {
namespace {

// The number of models that a search keeps; further observations decide between them.
constexpr std::size_t kKept = 12;
// The size up to which a model is accepted although other edits were not tried.
constexpr int kSimple = 10;
// The number of edits whose condition is learned.
constexpr std::size_t kConditions = 200;

int predicted(const KernelModel& model, const Observation& o) {
  return KernelRun(model, *o.problem).evaluate(o.offset);
}

KernelModel with(const KernelModel& model, Edit edit) {
  KernelModel more = model;
  // An edit with a condition is tried before one of the same slot without.
  more.insert(edit.condition.always() ? more.end() : more.begin(), std::move(edit));
  return more;
}

// An observation, prepared for edits of the requantization.
struct Prepared {
  const Observation* observation;
  RequantizationInput in;
  Requantization base;  // of the edits so far
};

// An edit that could be a cause, with the observations at which the model would become wrong by it.
struct Fit {
  Edit edit;
  std::vector<const Observation*> fixed = {}, broken = {};
  std::size_t fixed_of_some = 0;  // number of a few wrong observations that it fixes
  bool fixes_all = false;         // is known to fix all wrong observations

  [[nodiscard]] int size() const { return edit.size(); }
};

// Searches the next edit of a model.
class EditSearch {
 public:
  EditSearch(const KernelModel& model, const std::vector<Observation>& observations) : model_(model) {
    for (const Observation& o : observations) (predicted(model, o) == o.y ? right_ : wrong_).push_back(&o);
    const auto by_cost = [](const Observation* a, const Observation* b) { return cost(*a) < cost(*b); };
    std::ranges::stable_sort(wrong_, by_cost);
    std::ranges::stable_sort(right_, by_cost);
    spread(wrong_);
    spread(right_);
    measure(observations);
    space_.int32_bias = std::ranges::any_of(
        observations, [](const Observation& o) { return !o.problem->problem().spec.int32_bias.empty(); });
    space_.overflow = std::ranges::any_of(
        wrong_, [](const Observation* o) { return is_extreme(o->problem->requantization_input(o->offset)); });
    prepared_wrong_ = prepared(wrong_);
    prepared_right_ = prepared(right_);
  }

  [[nodiscard]] bool done() const { return wrong_.empty(); }

  // Returns models with one more edit of the requantization, by which every observation is predicted.
  std::vector<KernelModel> complete_requantization(const std::function<bool()>& go_on) {
    std::vector<Fit> fits;
    for (Edit& edit : requantizations(go_on)) fits.push_back({.edit = std::move(edit)});
    return completed(std::move(fits), go_on);
  }

  // Returns the model with the edit of what overflows that makes most wrong observations right and no right one wrong;
  // nothing if there is none.
  std::optional<KernelModel> best_requantization() {
    std::optional<Edit> best;
    std::ptrdiff_t most = 1;
    const auto is_right = [](const Requantization& r) {
      return [&r](const Prepared& p) { return requantize(combine(p.base, r), p.in) == p.observation->y; };
    };
    std::vector<Edit> edits = single_requantizations();
    std::ranges::stable_sort(edits, {}, [](const Edit& edit) { return edit.requantization.changes(); });
    for (Edit& edit : edits) {
      if (best && edit.requantization.changes() > best->requantization.changes()) break;
      if (!matters_in_overflow_only(edit.requantization)) continue;
      const auto fixed = std::ranges::count_if(prepared_wrong_, is_right(edit.requantization));
      if (fixed <= most || !std::ranges::all_of(prepared_right_, is_right(edit.requantization))) continue;
      most = fixed;
      best = std::move(edit);
    }
    return best ? std::optional(with(model_, std::move(*best))) : std::nullopt;
  }

  // Returns models with one more edit, by which every observation is predicted.
  std::vector<KernelModel> complete(const std::function<bool()>& go_on) {
    // What is computed from a window's sums is tried first, because evaluating it takes no loop over the window.
    std::vector<Fit> fits;
    std::size_t tried = 0;
    for (const Edit& edit : sum_edits()) {
      if (tried++ % 64 == 0 && !go_on()) return {};
      if (!loops_over_window(edit) && fixes_all(with(model_, edit))) {
        fits.push_back({.edit = edit, .fixes_all = true});
      }
    }
    for (Edit& edit : requantizations_of_one_half()) fits.push_back({.edit = std::move(edit), .fixes_all = true});
    std::vector<KernelModel> models = completed(fits, go_on);
    if (!models.empty() && size_of(models.front()) - size_of(model_) <= kSimple) return models;
    for (const Edit& edit : sum_edits()) {
      if (tried++ % 64 == 0 && !go_on()) return models;
      if (loops_over_window(edit) && fixes_all(with(model_, edit))) {
        fits.push_back({.edit = edit, .fixes_all = true});
      }
    }
    return completed(std::move(fits), go_on);
  }

  // Returns models with two more changes that every wrong observation needs, by which all are predicted.
  std::vector<KernelModel> complete_in_two(const std::function<bool()>& go_on) {
    std::vector<Fit> fits;
    for (Edit& edit : requantizations_of_both_halves(go_on)) {
      fits.push_back({.edit = std::move(edit), .fixes_all = true});
    }
    if (auto all = completed(std::move(fits), go_on); !all.empty()) return all;
    if (auto all = pairs_of_sums(go_on); !all.empty()) return all;
    return pairs(go_on);
  }

  // Returns models with one more edit that explains most wrong observations and contradicts few: a second cause may
  // have a part in these.
  std::vector<KernelModel> leading() const {
    std::vector<KernelModel> models;
    for (const Fit& fit : leading_) models.push_back(with(model_, fit.edit));
    return models;
  }

  // Returns models with one more edit that explains as many observations as possible, and contradicts none.
  // NOLINTNEXTLINE(readability-function-size): the stages of one selection
  std::vector<KernelModel> partial(const std::function<bool()>& go_on) {
    std::vector<Fit> fits;
    const std::span<const Observation* const> some(wrong_.data(), std::min<std::size_t>(wrong_.size(), 40));
    const auto consider = [&](const Edit& edit) {
      std::size_t fixed = 0;
      const KernelModel model = with(model_, edit);
      for (std::size_t i = 0; i < some.size(); ++i) {
        if (i == 12 && fixed == 0) return;
        if (predicted(model, *some[i]) == some[i]->y) ++fixed;
      }
      if (fixed * 12 >= some.size() && fixed > 0) fits.push_back({.edit = edit, .fixed_of_some = fixed});
    };
    std::size_t tried = 0;
    for (const Edit& edit : sum_edits()) {
      if (tried++ % 64 == 0 && !go_on()) return {};
      consider(edit);
    }
    for (const Edit& edit : single_requantizations()) {
      const auto few = static_cast<std::ptrdiff_t>(std::min<std::size_t>(prepared_wrong_.size(), 40));
      const auto fixed = std::count_if(prepared_wrong_.begin(), prepared_wrong_.begin() + few, [&](const Prepared& p) {
        return requantize(combine(p.base, edit.requantization), p.in) == p.observation->y;
      });
      if (fixed * 12 >= few && fixed > 0) {
        fits.push_back({.edit = edit, .fixed_of_some = static_cast<std::size_t>(fixed)});
      }
    }
    if (!go_on()) return {};
    // Judging takes long. Of edits that fix many of a few observations, some are judged.
    constexpr std::size_t kJudged = 800;
    std::ranges::stable_sort(
        fits, {}, [](const Fit& f) { return std::pair(-static_cast<std::ptrdiff_t>(f.fixed_of_some), f.size()); });
    if (fits.size() > kJudged) fits.resize(kJudged);
    select(fits, go_on);
    constexpr std::size_t kLeading = 3;
    for (const Fit& fit : fits) {
      const bool leads = fit.fixed.size() * 3 > wrong_.size() && fit.broken.size() * 8 < fit.fixed.size();
      if (leads && !fit.broken.empty() && leading_.size() < kLeading) leading_.push_back(fit);
    }
    struct Ranked {
      KernelModel model;
      double score;
    };
    std::vector<Ranked> ranked;
    for (const Fit& fit : fits) {
      if (cases_of(fit.fixed) < 2) continue;
      // Some elements are right by chance, because two causes cancel out there. The next edits have to make them right.
      constexpr std::size_t kByChance = 20;
      const bool by_chance = fit.broken.size() * kByChance <= fit.fixed.size();
      auto model = by_chance ? std::optional(with(model_, fit.edit)) : with_condition(fit);
      if (!model) continue;
      const double size = static_cast<double>(model->empty() ? 0 : size_of(*model) - size_of(model_));
      ranked.push_back({std::move(*model), static_cast<double>(cases_of(fit.fixed)) * (1 - size / 60)});
    }
    std::ranges::stable_sort(ranked, [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
    std::vector<KernelModel> models;
    for (Ranked& one : ranked) {
      if (models.size() == kKept) break;
      models.push_back(std::move(one.model));
    }
    return models;
  }

 private:
  // Whether the steps that an edit changes beyond those of the model only matter where a value does not fit int32.
  [[nodiscard]] bool matters_in_overflow_only(const Requantization& r) const {
    Requantization rest = r;
    const Requantization contract;
    rest.overflow = contract.overflow;
    rest.nan = contract.nan;
    rest.addition = contract.addition;
    rest.limit = contract.limit;
    if (rest.multiplier == MultiplierRule::no_denormals) rest.multiplier = contract.multiplier;
    return std::ranges::all_of(prepared_wrong_, [&](const Prepared& p) { return combine(p.base, rest) == p.base; });
  }

  static std::int64_t cost(const Observation& o) { return reduction_length(o.problem->problem().spec); }

  // Reorders so that observations of different problems come first.
  static void spread(std::vector<const Observation*>& observations) {
    std::set<const ModelProblem*> seen;
    std::stable_partition(observations.begin(), observations.end(),
                          [&](const Observation* o) { return seen.insert(o->problem.get()).second; });
  }

  static std::int64_t cases_of(const std::vector<const Observation*>& observations) {
    std::set<const ModelProblem*> cases;
    for (const Observation* o : observations) cases.insert(o->problem.get());
    return std::ssize(cases);
  }

  // Returns the shortest decimal that is larger than `low` and at most `high`, or nothing if there is none.
  static std::optional<double> shortest_between(double low, double high) {
    for (double digits = 1; digits <= 1e9; digits *= 10) {
      const double shortest = std::floor(high * digits) / digits;
      if (shortest > low && shortest <= high) return shortest;
    }
    return {};
  }

  // Measures numbers of the requantization on the wrong observations, and on all.
  void measure(const std::vector<Observation>& observations) {
    std::vector<const Observation*> all;
    for (const Observation& o : observations) all.push_back(&o);
    measure_ends(all);
    measure_ends(wrong_);
    for (const auto* of : {&all, &wrong_}) {
      measure_factor(*of);
      measure_fractions(*of);
    }
    measure_cap();
  }

  void measure_ends(const std::vector<const Observation*>& of) {
    if (of.empty()) return;
    const auto [low, high] = std::ranges::minmax(of, {}, [](const Observation* o) { return o->y; });
    if (low->y > 0 && std::ranges::count(space_.lows, low->y) == 0) space_.lows.push_back(low->y);
    if (high->y < 255 && std::ranges::count(space_.highs, high->y) == 0) space_.highs.push_back(high->y);
  }

  // The value before rounding by the model, where the byte that the kernel gave is not an end.
  struct Measured {
    double s, q;
    RequantizationInput in;
  };
  [[nodiscard]] std::optional<Measured> measured(const Observation& o, bool with_ends) const {
    KernelRun run(model_, *o.problem);
    const auto in = run.input(o.offset);
    if (!in || (!with_ends && (o.y == 0 || o.y == 255))) return {};
    const double s = scaled_value(run.requantization(*in), *in);
    if (!std::isfinite(s)) return {};
    return Measured{.s = s, .q = static_cast<double>(o.y - in->oz), .in = *in};
  }

  void measure_factor(const std::vector<const Observation*>& of) {
    double least = 0;
    double most = std::numeric_limits<double>::infinity();
    for (const Observation* o : of) {
      const auto m = measured(*o, false);
      if (!m || std::fabs(m->s) < 0.75) continue;
      if (&of != &wrong_ && m->in.relu && m->q <= 0) continue;
      const double a = (m->q - 0.5000001) / m->s;
      const double b = (m->q + 0.5000001) / m->s;
      least = std::max(least, std::min(a, b));
      most = std::min(most, std::max(a, b));
    }
    if (!(least < most) || (least <= 1 && 1 <= most) || !std::isfinite(most)) return;
    // The shortest decimal in the interval.
    for (double digits = 1; digits <= 1e9; digits *= 10) {
      const double shortest = std::ceil(least * digits) / digits;
      if (shortest > most) continue;
      space_.factors.push_back(shortest);
      return;
    }
  }

  // Measures from which fraction on values are rounded up.
  void measure_fractions(const std::vector<const Observation*>& of) {
    std::array<double, 2> down{-1, -1};  // the largest fraction that is rounded down, of values >= 0 and < 0
    std::array<double, 2> up{1, 1};      // the smallest fraction that is rounded up
    for (const Observation* o : of) {
      const auto m = measured(*o, false);
      if (!m || std::fabs(m->s) > 1000 || (m->in.relu && m->q <= 0)) continue;
      const double fraction = m->s - std::floor(m->s);
      const std::size_t sign = m->s < 0 ? 1 : 0;
      if (m->q == std::floor(m->s)) down[sign] = std::max(down[sign], fraction);
      if (m->q == std::floor(m->s) + 1 && fraction > 0) up[sign] = std::min(up[sign], fraction);
      if (m->q != std::floor(m->s) && m->q != std::floor(m->s) + 1) return;
    }
    std::array<double, 2> from{0.5, 0.5};
    for (std::size_t sign = 0; sign < 2; ++sign) {
      if (down[sign] < 0 && up[sign] == 1) continue;  // not observed
      if (down[sign] < 0.5 && 0.5 <= up[sign]) continue;
      const auto between = shortest_between(down[sign], up[sign]);
      if (!between) return;
      from[sign] = *between;
    }
    if (from[0] != 0.5 || from[1] != 0.5) space_.fractions.emplace_back(from[0], from[1]);
  }

  // Measures the largest output in real units, such as the 6 of relu6.
  void measure_cap() {
    double least = 0;
    double most = std::numeric_limits<double>::infinity();
    for (const Observation* o : wrong_) {
      const auto m = measured(*o, true);
      if (!m || m->q < 0 || m->q > m->s + 0.5) return;
      least = std::max(least, (m->q - 0.5) * m->in.os);
      most = std::min(most, (m->q + 0.5) * m->in.os);
    }
    constexpr double kRounding = 1e-6;  // of the division in float32
    const auto cap = shortest_between(least * (1 - kRounding), most * (1 + kRounding));
    if (cap && std::isfinite(most)) space_.caps.push_back(*cap);
  }

  // Returns models with two more edits of the sums of a window, such as two saturations.
  std::vector<KernelModel> pairs_of_sums(const std::function<bool()>& go_on) {
    std::vector<KernelModel> models;
    std::vector<const Edit*> edits;
    for (const Edit& edit : sum_edits()) {
      const bool of_sums = Slot::sum_of_activations <= edit.slot && edit.slot <= Slot::accumulator;
      if (of_sums && !loops_over_window(edit)) edits.push_back(&edit);
    }
    for (const Edit* a : edits) {
      if (!go_on()) break;
      for (const Edit* b : edits) {
        if (a->slot >= b->slot) continue;
        const KernelModel both = with(with(model_, *a), *b);
        if (fixes_all(both) && !breaks_any(both)) models.push_back(both);
      }
    }
    return simplest(std::move(models));
  }

  static std::vector<KernelModel> simplest(std::vector<KernelModel> models) {
    std::ranges::stable_sort(models, {}, size_of);
    if (models.size() > kKept) models.resize(kKept);
    return models;
  }

  // Returns models with two more edits: one of the sum, and one of the requantization. They are needed where every
  // wrong observation is wrong by both.
  std::vector<KernelModel> pairs(const std::function<bool()>& go_on) {
    std::vector<KernelModel> models;
    const std::vector<Edit> requantizations = single_requantizations();
    const std::size_t few = std::min<std::size_t>(wrong_.size(), 24);
    for (const Edit& edit : sum_edits()) {
      if (edit.slot < Slot::activation_zero_point || edit.slot > Slot::raw) continue;
      if (!go_on() || models.size() >= kKept) break;
      const KernelModel model = with(model_, edit);
      std::vector<Prepared> some;
      for (std::size_t i = 0; i < few; ++i) {
        KernelRun run(model, *wrong_[i]->problem);
        const auto in = run.input(wrong_[i]->offset);
        if (in) some.push_back({wrong_[i], *in, run.requantization(*in)});
      }
      if (some.size() < few) continue;
      for (const Edit& other : requantizations) {
        const bool right = std::ranges::all_of(some, [&](const Prepared& p) {
          return requantize(combine(p.base, other.requantization), p.in) == p.observation->y;
        });
        if (!right) continue;
        const KernelModel both = with(model, other);
        if (!fixes_all(both) || breaks_any(both)) continue;
        models.push_back(both);
      }
    }
    return simplest(std::move(models));
  }

  [[nodiscard]] bool breaks_any(const KernelModel& model) const {
    return std::ranges::any_of(right_, [&](const Observation* o) { return predicted(model, *o) != o->y; });
  }

  [[nodiscard]] bool fixes_all(const KernelModel& model) const {
    return std::ranges::all_of(wrong_, [&](const Observation* o) { return predicted(model, *o) == o->y; });
  }

  static Edit edit_of(const Requantization& r) {
    Edit edit{.slot = Slot::requantization};
    edit.requantization = r;
    return edit;
  }

  void prepare_space() {
    if (!first_.empty()) return;
    first_ = scalings(space_);
    last_ = endings(space_);
  }

  // Returns the edits of at most two changed steps.
  std::vector<Edit> single_requantizations() {
    std::vector<Edit> edits;
    prepare_space();
    for (const auto* all : {&first_, &last_}) {
      for (const Requantization& r : *all) {
        if (r.changes() > 0 && r.changes() <= 2) edits.push_back(edit_of(r));
      }
    }
    return edits;
  }

  [[nodiscard]] std::vector<Prepared> prepared(const std::vector<const Observation*>& observations) const {
    std::vector<Prepared> all;
    for (const Observation* o : observations) {
      KernelRun run(model_, *o->problem);
      const auto in = run.input(o->offset);
      if (!in) continue;
      all.push_back({o, *in, run.requantization(*in)});
    }
    return all;
  }

  // Returns the requantizations by which all wrong observations are predicted, those with the fewest changes first.
  std::vector<Edit> requantizations(const std::function<bool()>& go_on) {
    std::vector<Edit> found = requantizations_of_one_half();
    return found.empty() ? requantizations_of_both_halves(go_on) : found;
  }

  // Returns those that change only steps before rounding, or only steps after it.
  std::vector<Edit> requantizations_of_one_half() {
    const std::vector<Prepared>& wrong = prepared_wrong_;
    if (wrong.size() < wrong_.size()) return {};
    const auto fits = [&](const Requantization& r) {
      return std::ranges::all_of(
          wrong, [&](const Prepared& p) { return requantize(combine(p.base, r), p.in) == p.observation->y; });
    };
    std::vector<Edit> found;
    prepare_space();
    for (const auto* all : {&first_, &last_}) {
      for (const Requantization& r : *all) {
        if (r.changes() > 0 && fits(r)) found.push_back(edit_of(r));
      }
    }
    std::ranges::stable_sort(found, {}, &Edit::size);
    return found;
  }

  // Returns those with changes before rounding and after it.
  std::vector<Edit> requantizations_of_both_halves(const std::function<bool()>& go_on) {
    const std::vector<Prepared>& wrong = prepared_wrong_;
    if (wrong.size() < wrong_.size()) return {};
    prepare_space();
    const std::vector<Requantization>& first = first_;
    const std::vector<Requantization>& last = last_;
    // What is rounded alike on a few observations is completed alike.
    using Key = std::array<std::int64_t, 6>;
    const std::size_t few = std::min(std::tuple_size_v<Key>, wrong.size());
    std::map<Key, std::vector<std::size_t>> completions;
    std::vector<Edit> found;
    std::size_t tried = 0;
    for (const Requantization& a : first) {
      if (a.changes() == 0) continue;
      if (tried++ % 256 == 0 && !go_on()) return {};
      Key key{};
      std::array<double, std::tuple_size_v<Key>> values{};
      for (std::size_t i = 0; i < few; ++i) {
        const Requantization r = combine(wrong[i].base, a);
        values[i] = scaled_value(r, wrong[i].in);
        key[i] = rounding_key(r, wrong[i].in, values[i]);
      }
      const auto [known, added] = completions.try_emplace(key);
      if (added) {
        for (std::size_t b = 0; b < last.size(); ++b) {
          const Requantization both = combine(a, last[b]);
          bool right = last[b].changes() > 0;
          for (std::size_t i = 0; i < few && right; ++i) {
            right = requantize_scaled(combine(wrong[i].base, both), wrong[i].in, values[i]) == wrong[i].observation->y;
          }
          if (right) known->second.push_back(b);
        }
      }
      for (const std::size_t b : known->second) {
        const Requantization both = combine(a, last[b]);
        const bool right = std::ranges::all_of(
            wrong, [&](const Prepared& p) { return requantize(combine(p.base, both), p.in) == p.observation->y; });
        if (right) found.push_back(edit_of(both));
        if (found.size() > 2000) return found;
      }
    }
    return found;
  }

  // Keeps the edits that break the fewest of some right observations, and judges them on all.
  void select(std::vector<Fit>& fits, const std::function<bool()>& go_on) const {
    constexpr std::size_t kFew = 60;
    constexpr std::size_t kSome = 300;
    // Of edits that do the same to a few observations, the simplest are kept; further observations tell them apart.
    constexpr int kAlike = 4;
    std::map<std::pair<std::vector<const Observation*>, std::vector<const Observation*>>, int> alike;
    std::ranges::stable_sort(fits, {}, &Fit::size);
    std::vector<Fit> different;
    for (Fit& fit : fits) {
      judge(fit, kFew);
      if (!go_on()) return fits.clear();
      if (++alike[{fit.fixed, fit.broken}] <= kAlike) different.push_back(std::move(fit));
    }
    fits = std::move(different);
    for (Fit& fit : fits) {
      judge(fit, kSome);
      if (!go_on()) return fits.clear();
    }
    std::ranges::stable_sort(fits, [](const Fit& a, const Fit& b) {
      const auto rank = [](const Fit& f) {
        return std::tuple(-cases_of(f.fixed), !f.broken.empty(), f.size(), f.broken.size());
      };
      return rank(a) < rank(b);
    });
    if (fits.size() > kConditions) fits.resize(kConditions);
    for (Fit& fit : fits) {
      judge(fit, right_.size());
      if (!go_on()) return fits.clear();
    }
  }

  // Finds what the edit fixes, and what it breaks of the first `right` observations that are right without it.
  void judge(Fit& fit, std::size_t right) const {
    fit.fixed.clear();
    fit.broken.clear();
    if (fit.fixes_all) fit.fixed = wrong_;
    right = std::min(right, right_.size());
    if (fit.edit.slot == Slot::requantization) {
      const auto right_at = [&](const Prepared& p) {
        return requantize(combine(p.base, fit.edit.requantization), p.in) == p.observation->y;
      };
      for (const Prepared& p : prepared_wrong_) {
        if (!fit.fixes_all && right_at(p)) fit.fixed.push_back(p.observation);
      }
      for (std::size_t i = 0; i < std::min(right, prepared_right_.size()); ++i) {
        if (!right_at(prepared_right_[i])) fit.broken.push_back(prepared_right_[i].observation);
      }
      return;
    }
    const KernelModel model = with(model_, fit.edit);
    for (const Observation* o : wrong_) {
      if (!fit.fixes_all && predicted(model, *o) == o->y) fit.fixed.push_back(o);
    }
    for (std::size_t i = 0; i < right; ++i) {
      if (predicted(model, *right_[i]) != right_[i]->y) fit.broken.push_back(right_[i]);
    }
  }

  // Returns the model with the edit under the simplest condition by which it breaks nothing.
  [[nodiscard]] std::optional<KernelModel> with_condition(const Fit& fit) {
    Edit edit = fit.edit;
    if (!fit.broken.empty()) {
      // A kernel that sums up dequantized values does so always.
      if (edit.accumulator.kind >= Accumulator::Kind::real) return {};
      // Many edits fix and break the same observations.
      const bool of_requantization = edit.slot == Slot::requantization;
      const auto [known, added] = conditions_.try_emplace({of_requantization, fit.fixed, fit.broken});
      if (added) known->second = condition_of(fit);
      const std::optional<EditCondition>& condition = known->second;
      if (!condition) return {};
      edit.condition = *condition;
    }
    return with(model_, std::move(edit));
  }

  [[nodiscard]] std::optional<EditCondition> condition_of(const Fit& fit) const {
    const bool requantization = fit.edit.slot == Slot::requantization;
    const auto variables = [&](const std::vector<const Observation*>& observations) {
      std::vector<Variables> all;
      for (const Observation* o : observations) {
        all.push_back(o->problem->variables(o->offset));
        if (!requantization) continue;
        KernelRun run(model_, *o->problem);
        if (const auto in = run.input(o->offset)) set_requantization_variables(all.back(), *in);
      }
      return all;
    };
    const std::vector<Variables> inside = variables(fit.fixed);
    const std::vector<Variables> outside = variables(fit.broken);
    return separate(inside, outside, requantization);
  }

  std::vector<KernelModel> completed(std::vector<Fit> fits, const std::function<bool()>& go_on) {
    constexpr std::size_t kMost = 4'000;
    std::ranges::stable_sort(fits, {}, &Fit::size);
    if (fits.size() > kMost) fits.resize(kMost);
    select(fits, go_on);
    std::vector<KernelModel> models;
    for (const Fit& fit : fits) {
      if (auto model = with_condition(fit)) models.push_back(std::move(*model));
    }
    return simplest(std::move(models));
  }

  using Signature = std::tuple<bool, std::vector<const Observation*>, std::vector<const Observation*>>;

  KernelModel model_;
  RequantizationSpace space_;
  std::vector<Requantization> first_, last_;  // its halves
  std::map<Signature, std::optional<EditCondition>> conditions_;
  std::vector<Fit> leading_;
  std::vector<const Observation*> wrong_, right_;
  std::vector<Prepared> prepared_wrong_, prepared_right_;
};

}  // namespace

int size_of(const KernelModel& model) {
  int size = 0;
  for (const Edit& edit : model) size += 2 + edit.size() + 2 * edit.condition.size();
  return size;
}

std::int64_t wrong_predictions(const KernelModel& model, const std::vector<Observation>& observations) {
  return std::ranges::count_if(observations, [&](const Observation& o) { return predicted(model, o) != o.y; });
}

namespace {

// Adds edits to a model, one at a time, until it predicts all observations, or no edit helps.
std::vector<KernelModel> extended_by_one(KernelModel model, const std::vector<Observation>& observations,
                                         const std::function<bool()>& go_on) {
  constexpr std::size_t kMostEdits = 4;
  while (true) {
    EditSearch search(model, observations);
    if (search.done()) return {model};
    if (model.size() == kMostEdits) return {model};
    if (auto complete = search.complete(go_on); !complete.empty()) return complete;
    if (!go_on()) return {model};
    auto partial = search.partial(go_on);
    // A second cause takes a search of its own, so that it is tried only where no single cause stands by itself.
    for (const KernelModel& leading : search.leading()) {
      if (!partial.empty() || !go_on()) break;
      if (auto complete = EditSearch(leading, observations).complete(go_on); !complete.empty()) return complete;
    }
    if (partial.empty()) return {model};
    model = std::move(partial.front());
  }
}

// Returns the simplest models that predict all observations, or one that predicts as many as possible.
std::vector<KernelModel> extended(const std::vector<Observation>& observations, const std::function<bool()>& go_on) {
  std::vector<KernelModel> models = extended_by_one({}, observations, go_on);
  // Two changes that are needed together take longest, and are tried where one after the other leads to nothing simple.
  constexpr int kSimplePair = 20;
  const bool complete = wrong_predictions(models.front(), observations) == 0;
  if (complete && size_of(models.front()) <= kSimplePair) return models;
  std::vector<KernelModel> in_two = EditSearch({}, observations).complete_in_two(go_on);
  if (in_two.empty()) return models;
  return !complete || size_of(in_two.front()) < size_of(models.front()) ? in_two : models;
}

// Draws observations for a search: of each problem one, then a second, until there are enough. Problems with short
// windows come first, because the time of a search goes into loops over windows.
class Sample {
 public:
  explicit Sample(const std::vector<Observation>& all) : all_(all), is_wrong_(all.size()) {
    std::map<const ModelProblem*, std::array<std::vector<std::size_t>, 2>> problems;
    for (std::size_t i = 0; i < all.size(); ++i) {
      is_wrong_[i] = predicted({}, all[i]) != all[i].y;
      problems[all[i].problem.get()][is_wrong_[i] ? 1 : 0].push_back(i);
    }
    for (auto& [problem, of_problem] : problems) of_problem_.push_back(std::move(of_problem));
    std::ranges::stable_sort(of_problem_, {}, [&](const auto& p) {
      return reduction_length(all[p[p[0].empty() ? 1 : 0].front()].problem->problem().spec);
    });
    constexpr std::size_t kWrong = 240;
    constexpr std::size_t kRight = 900;
    take(1, kWrong, true);
    take(0, kRight / 2, true);  // of problems that have wrong ones, too
    take(0, kRight, false);
  }

  [[nodiscard]] std::vector<Observation> observations() const {
    std::vector<Observation> some;
    for (const std::size_t i : chosen_) some.push_back(all_[i]);
    return some;
  }

  // Returns the observations outside of the sample that refute a model: all that it predicts wrongly if it is complete,
  // and otherwise those that it changes, or would predict without the condition of an edit.
  [[nodiscard]] std::vector<std::size_t> refuting(const KernelModel& model, bool complete) const {
    std::vector<std::size_t> refuting;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (chosen_.contains(i)) continue;
      const int y = predicted(model, all_[i]);
      if (y == all_[i].y) continue;
      if (complete || !is_wrong_[i] || y != predicted({}, all_[i]) || has_too_narrow_condition(model, all_[i])) {
        refuting.push_back(i);
      }
    }
    return refuting;
  }

  // Adds some of the observations, if there are many.
  void add(const std::vector<std::size_t>& more) {
    constexpr std::size_t kMost = 40;
    for (std::size_t i = 0; i < more.size(); i += 1 + more.size() / kMost) chosen_.insert(more[i]);
  }

 private:
  // Whether an observation that the model predicts wrongly is right without the condition of one of its edits.
  static bool has_too_narrow_condition(const KernelModel& model, const Observation& o) {
    for (std::size_t i = 0; i < model.size(); ++i) {
      if (model[i].condition.always()) continue;
      KernelModel wider = model;
      wider[i].condition = {};
      if (predicted(wider, o) == o.y) return true;
    }
    return false;
  }

  void take(std::size_t kind, std::size_t most, bool of_wrong_problems) {
    std::size_t taken = 0;
    for (std::size_t turn = 0; taken < most; ++turn) {
      const std::size_t before = taken;
      for (const auto& p : of_problem_) {
        if (taken >= most) break;
        if (of_wrong_problems && p[1].empty()) continue;
        if (turn >= p[kind].size()) continue;
        chosen_.insert(p[kind][turn]);
        ++taken;
      }
      if (taken == before) break;
    }
  }

  const std::vector<Observation>& all_;
  std::vector<bool> is_wrong_;
  std::vector<std::array<std::vector<std::size_t>, 2>> of_problem_;
  std::set<std::size_t> chosen_;
};

// Returns models for a sample of the observations, which grows by those that refute the models.
std::vector<KernelModel> models_of_sample(const std::vector<Observation>& observations,
                                          const std::function<bool()>& go_on) {
  Sample sample(observations);
  constexpr int kTurns = 20;
  std::vector<KernelModel> best;
  std::int64_t least_wrong = std::numeric_limits<std::int64_t>::max();
  for (int turn = 0;; ++turn) {
    const std::vector<Observation> some = sample.observations();
    std::vector<KernelModel> models = extended(some, go_on);
    const bool ended = models.empty() || models.front().empty() || turn == kTurns || !go_on();
    const std::int64_t wrong = wrong_predictions(models.empty() ? KernelModel{} : models.front(), observations);
    // A turn that the time limit ended may have found less than an earlier one.
    if (ended) return wrong <= least_wrong ? models : best;
    if (wrong < least_wrong) {
      least_wrong = wrong;
      best = models;
    }
    const bool complete = wrong_predictions(models.front(), some) == 0;
    // The first of the models that is not refuted is the best. If it is not the simplest, a few turns give the simpler
    // ones another condition first.
    constexpr int kTurnsForSimpler = 4;
    std::vector<std::vector<std::size_t>> refuting;
    for (const KernelModel& model : models) {
      refuting.push_back(sample.refuting(model, complete));
      if (!refuting.back().empty()) continue;
      if (refuting.size() > 1 && turn < kTurnsForSimpler) break;
      const std::int64_t of_best = wrong_predictions(model, observations);
      std::erase_if(models,
                    [&](const KernelModel& other) { return wrong_predictions(other, observations) != of_best; });
      return models;
    }
    for (const std::vector<std::size_t>& more : refuting) sample.add(more);
  }
}

// Adds edits of what overflows that make wrong observations right and no right one wrong.
KernelModel improved_in_overflow(KernelModel model, const std::vector<Observation>& observations,
                                 const std::function<bool()>& go_on) {
  constexpr int kMostEdits = 4;
  for (int i = 0; i < kMostEdits && go_on(); ++i) {
    auto better = EditSearch(model, observations).best_requantization();
    if (!better) break;
    model = std::move(*better);
  }
  return model;
}

}  // namespace

FoundModels find_models(const std::vector<Observation>& observations, const std::function<bool()>& go_on) {
  std::vector<Observation> ordinary;
  std::ranges::copy_if(observations, std::back_inserter(ordinary),
                       [](const Observation& o) { return !is_extreme(o.problem->requantization_input(o.offset)); });
  // What overflows is explained last: it would hide what all others show.
  std::vector<KernelModel> models = models_of_sample(ordinary, go_on);
  if (models.empty() || wrong_predictions(models.front(), ordinary) > 0) return {.models = std::move(models)};
  std::vector<KernelModel> complete;
  std::ranges::copy_if(models, std::back_inserter(complete),
                       [&](const KernelModel& model) { return wrong_predictions(model, observations) == 0; });
  if (!complete.empty()) return {.models = std::move(complete), .complete = true};
  complete = EditSearch(models.front(), observations).complete_requantization(go_on);
  if (complete.empty()) {
    // What explains most of them without contradicting one is kept, although it does not explain all.
    for (KernelModel& model : models) model = improved_in_overflow(std::move(model), observations, go_on);
    std::ranges::stable_sort(models, {},
                             [&](const KernelModel& model) { return wrong_predictions(model, observations); });
    return {.models = std::move(models), .complete = true, .without_extremes = true};
  }
  return {.models = std::move(complete), .complete = true, .ordinary = std::move(models.front())};
}

}  // namespace tieout
