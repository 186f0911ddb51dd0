// The recipe of a run: the model's, what the command line says otherwise, and defaults.
#pragma once

#include <optional>

#include "convoy/v1/model.pb.h"

namespace convoy::launcher {

/// `flags` over `model` over the defaults of proto/convoy/v1/model.proto, with every field set that
/// has a meaning for the optimizer and the schedule that come out. `augment` false takes
/// augmentation away; true adds a mild one if the model's recipe has none. Throws UsageError for a
/// flag that this optimizer or schedule would ignore, and for a missing momentum or step size.
v1::Recipe resolve_recipe(const v1::Recipe& model, const v1::Recipe& flags,
                          std::optional<bool> augment);

}  // namespace convoy::launcher
