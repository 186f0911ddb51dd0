#include "core/data/catalog.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/check.h"
#include "core/base/nearest.h"
#include "core/data/idx.h"
#include "core/data/synthetic.h"

namespace convoy::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFashion = "fashion-mnist";
constexpr const char* kDebianFashion = "/usr/share/datasets/fashion-mnist";

}  // namespace

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = {"mnist", kFashion, "synthetic"};
  return names;
}

const std::vector<std::string>& class_names(const std::string& name) {
  static const std::vector<std::string> digits = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  // https://github.com/zalandoresearch/fashion-mnist#labels
  static const std::vector<std::string> fashion = {
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  const std::vector<std::string>& known = dataset_names();
  check(std::ranges::find(known, name) != known.end(),
        "no data set is called '{}'{}; there are: {}", name, did_you_mean(name, known),
        fmt::join(known, ", "));
  return name == kFashion ? fashion : digits;
}

fs::path default_data_dir(const std::string& name) {
  if (name == "synthetic") {
    return {};
  }
  const char* wish = std::getenv("CONVOY_DATA_DIR");
  const fs::path dir = fs::path(wish != nullptr && *wish != '\0' ? wish : "data") / name;
  std::error_code ignored;
  return name == kFashion && !fs::exists(dir, ignored) ? fs::path(kDebianFashion) : dir;
}

Dataset open_dataset(const std::string& name, Split split, fs::path dir) {
  const std::vector<std::string>& classes = class_names(name);
  if (name == "synthetic") {
    check(dir.empty(), "the synthetic data set is drawn, not read: it takes no folder ({} given)",
          dir.string());
    return draw_synthetic({.split = split});
  }
  if (dir.empty()) {
    dir = default_data_dir(name);
  }
  if (name == kFashion) {
    std::error_code ignored;
    check(fs::exists(dir, ignored),
          "{}: Fashion-MNIST is not there. Try: apt-get install dataset-fashion-mnist, or name a "
          "folder with its four files by --data.",
          dir.string());
  }
  return load_idx_dataset(dir, split, name, classes);
}

}  // namespace convoy::data
