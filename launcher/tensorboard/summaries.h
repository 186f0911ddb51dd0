// The events that convoy writes for TensorBoard, as values.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "convoy/v1/tensorboard.pb.h"

namespace convoy::launcher {

struct Scalar {
  std::string_view tag = {};
  double value = 0.0;
};

/// A point of each chart.
v1::tensorboard::Event scalars_event(std::int64_t step, std::span<const Scalar> scalars);

/// Takes back what earlier files of the run say of `step` and what comes after it. The first one of
/// a run only says that later ones do so: every file needs one.
v1::tensorboard::Event session_start_event(std::int64_t step);

/// A picture; `png` is the file's bytes. Throws Error if they are no PNG.
v1::tensorboard::Event image_event(std::int64_t step, std::string_view tag, std::string_view png);

/// The hyper-parameters of a run, for the tab HPARAMS: of `config`, the text of config.json, what
/// can change the result and is set. Of several such events of a run the first one counts.
v1::tensorboard::Event hyper_parameters_event(std::string_view config,
                                              std::chrono::system_clock::time_point start);

/// That the run came to its end. Nothing takes it back, so it is not for runs that may go on.
v1::tensorboard::Event success_event(std::chrono::system_clock::time_point end);

}  // namespace convoy::launcher
