#pragma once
// Describes the commands and their options as data, from which the command line is parsed and its help is written.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tieout {

// Checks the value of an option.
struct ValueCheck {
  std::string description;                               // for the help, behind the type of the value; empty: no check
  std::function<std::string(const std::string&)> fault;  // returns what the value must be; "" if it is allowed
  std::vector<std::string> choices;                      // all allowed values; empty: they cannot be listed
};

// Return checks, with bounds included.
[[nodiscard]] ValueCheck whole_number(std::int64_t low, std::int64_t high);
[[nodiscard]] ValueCheck positive_whole_number();  // a number that int64 can hold
[[nodiscard]] ValueCheck positive_number();        // a finite number
[[nodiscard]] ValueCheck number_from_zero();       // a finite number, 0 or more
[[nodiscard]] ValueCheck one_of(std::vector<std::string> choices);

// Returns the member `name` of each element, for the proposals of an option.
template <typename Range>
[[nodiscard]] std::vector<std::string> names_of(const Range& named) {
  std::vector<std::string> names;
  for (const auto& one : named) names.emplace_back(one.name);
  return names;
}

// Points to the variable that receives the value of an option; bool: a flag. A vector receives all values of an option
// that can be repeated or have several values.
using OptionVariable =
    std::variant<bool*, std::string*, int*, std::int64_t*, std::uint64_t*, double*, std::optional<std::string>*,
                 std::optional<int>*, std::optional<std::int64_t>*, std::optional<double>*, std::vector<std::string>*>;

// The properties of an option that few options have.
struct OptionForm {
  ValueCheck check = {};
  std::string type = {};  // of the value, in the help; empty: that of the variable
  std::string group = "Options";
  std::string environment = {};             // variable of the environment that is read if the option is not given
  std::vector<std::string> needs = {};      // names of options without which this one is refused
  std::vector<std::string> excludes = {};   // names of options with which this one is refused
  std::vector<std::string> proposals = {};  // values that a shell completes, if not all values can be listed
  char delimiter = 0;                       // separates values in one argument; 0: none does
  bool required = false;
  bool one_value = false;     // an occurrence takes one argument, although the variable is a vector
  bool is_path = false;       // the value can be a file or, if the type is "DIR", is a folder; a shell completes it
  bool show_default = false;  // the help shows the present value of the variable
};

struct Option {
  std::string name;  // "--cases"; without "--": a positional argument
  OptionVariable variable;
  std::string help;
  OptionForm form;

  [[nodiscard]] bool is_flag() const { return std::holds_alternative<bool*>(variable); }
  [[nodiscard]] bool is_positional() const { return !name.starts_with('-'); }
};

struct Command {
  std::string name;         // "fuzz"
  std::string description;  // one line of the list of commands
  std::vector<Option> options = {};
  std::vector<std::string> one_required = {};  // names of options one of which must be given; empty: no such demand
  std::string footer = {};                     // text below the options
  std::function<int()> run = {};               // is called after the variables have been set; returns the exit status

  // Adds an option or, if the name does not begin with "--", a positional argument.
  void option(std::string option_name, OptionVariable variable, std::string help, OptionForm form = {});

  // Returns the option, which must exist.
  [[nodiscard]] Option& at(std::string_view option_name);
};

}  // namespace tieout
