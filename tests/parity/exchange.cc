// convoy's side of torch_exchange.py:
//
//   parity_exchange save|load tutorial|small FILE.safetensors
//
// saves drawn weights to the file, or loads the model's from it, then prints the logits of the
// model's images, one image a line.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <string_view>

#include "core/base/check.h"
#include "core/io/state_dict.h"
#include "tests/parity/models.h"
#include "tests/parity/synthetic.h"
#include "tests/parity/torch_order.h"

namespace convoy::parity {
namespace {

void run(std::string_view action, std::string_view name, const char* path) {
  check(action == "save" || action == "load", "'{}' is neither save nor load", action);
  check(name == "tutorial" || name == "small", "'{}' is neither tutorial nor small", name);
  const bool tutorial = name == "tutorial";
  const auto model = tutorial ? tutorial_model() : small_model();
  Tensor images = tutorial ? block_digits() : Tensor({16, 10, 14, 3});
  if (!tutorial) {
    from_torch(images, uniform(kInput, images.elements()));
  }
  ParameterStore store(model->named_parameters(), /*seed=*/0);
  if (action == "save") {
    fill(store);
    Tape training({.recording = false, .training = true});
    model->forward(training, images);  // moves the statistics of batch norm
    io::save_state_dict(store, path);
  } else {
    io::load_state_dict(store, path);
  }
  Tape tape = Tape::evaluation();
  const Tensor logits = model->forward(tape, images).value();
  const std::int64_t classes = logits.shape()[1];
  for (std::int64_t row = 0; row < logits.shape()[0]; ++row) {
    fmt::print("{:.9g}\n", fmt::join(logits.slice(row * classes, {classes}).values(), " "));
  }
}

}  // namespace
}  // namespace convoy::parity

int main(int argc, char** argv) {
  try {
    convoy::check(argc == 4, "usage: parity_exchange save|load tutorial|small FILE");
    convoy::parity::run(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "parity_exchange: {}\n", error.what());
    return 1;
  }
}
