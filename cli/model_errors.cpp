#include "cli/model_errors.h"

#include <fmt/core.h>

#include "cli/common/commands.h"
#include "cli/common/errors.h"

namespace tieout {

int refuse_model(std::string_view message) { return fail_command("model", kBadUsage, message); }

int model_not_verified(std::string_view message) { return fail_command("model", kNotVerified, message); }

int model_out_of_memory(const std::string& model, std::int64_t memory, const std::string& why) {
  return model_not_verified(
      fmt::format("{}: more memory than --memory {} MiB is needed ({}): raise --memory, or give a smaller input", model,
                  memory, why));
}

int fail_model(const std::string& model, std::int64_t memory, const std::string& what, const ModelError& error) {
  switch (error.kind) {
    case ModelError::Kind::absent: return model_not_verified(what + error.message);
    case ModelError::Kind::no_memory: return model_out_of_memory(model, memory, error.message);
    case ModelError::Kind::unreadable:
    case ModelError::Kind::refused: break;
  }
  return refuse_model(what + error.message);
}

}  // namespace tieout
