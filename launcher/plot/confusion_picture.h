// The confusion matrix as a picture.
#pragma once

#include <filesystem>
#include <string>

#include "launcher/confusion.h"

namespace convoy::plot {

/// A square per pair of classes, true ones as rows, predicted ones as columns: blue for what is
/// right, vermillion for mistakes. Blue deepens with the share of the row; vermillion with the root
/// of the share, relative to the largest mistake, so that rare ones are seen. A count is written
/// where it fits, the recall of a class at the end of its row, the accuracy under the title. Throws
/// Error as Canvas does.
void draw_confusion(const std::filesystem::path& path, const launcher::ConfusionMatrix& matrix,
                    const std::string& title);

}  // namespace convoy::plot
