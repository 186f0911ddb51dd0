// Curves of loss and accuracy over the epochs of a run.
#pragma once

#include <filesystem>
#include <span>

#include "launcher/metrics.h"
#include "launcher/plot/page.h"

namespace convoy::plot {

struct CurvesOptions {
  Header header = {};  ///< "tutorial on mnist", "15 epochs, batch 32, Adam"
  double width = 960;
  double height = 400;
};

/// Two panels side by side, each with a curve for training and one for the test; a test that was
/// never made has none. A value that is not finite leaves a gap, and stands as "nan" at the end of
/// its curve if it is the last. Throws Error as Canvas does, and if there is no epoch.
void draw_curves(const std::filesystem::path& path, std::span<const launcher::EpochMetrics> epochs,
                 const CurvesOptions& options);

}  // namespace convoy::plot
