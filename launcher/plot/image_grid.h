// A page of images with what the model takes them for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "launcher/plot/canvas.h"
#include "launcher/plot/page.h"

namespace convoy::plot {

struct PredictedImage {
  ImageView image = {};
  std::string predicted = {};  ///< name of the class
  std::string truth = {};      ///< empty if not known
  double confidence = 0;       ///< the predicted class's probability, a fraction of 1

  bool wrong() const { return !truth.empty() && truth != predicted; }
};

struct ImageGridOptions {
  Header header = {};
  int columns = 0;  ///< 0: as fits a page that is wider than high
};

/// Under each image the predicted class, its confidence and the true class; a wrong prediction is
/// framed and written in red and crossed. All images must have one size. Throws Error as Canvas
/// does, and if there is no image.
void draw_image_grid(const std::filesystem::path& path, std::span<const PredictedImage> images,
                     const ImageGridOptions& options);

/// The columns that `count` images get by default: about 3 : 2, with few places left empty.
int grid_columns(int count);

}  // namespace convoy::plot
