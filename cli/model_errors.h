#pragma once
// Prints the errors of `tieout model`.

#include <cstdint>
#include <string>
#include <string_view>

#include "oracle/libtorch/model.h"

namespace tieout {

// Each prints an error and returns its exit status: of bad arguments or input, and of a model that cannot be verified.
int refuse_model(std::string_view message);
int model_not_verified(std::string_view message);

// Does so for a model that needs more memory than `memory`, the limit in MiB. why: which request was refused.
int model_out_of_memory(const std::string& model, std::int64_t memory, const std::string& why);

// Does so for any error of a model. what: prefix that names the source, for example "--input: ".
int fail_model(const std::string& model, std::int64_t memory, const std::string& what, const ModelError& error);

}  // namespace tieout
