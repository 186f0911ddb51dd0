// The data sets that convoy knows by name, and where it looks for them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/data/dataset.h"

namespace convoy::data {

/// "mnist", "fashion-mnist", "synthetic".
const std::vector<std::string>& dataset_names();

/// The classes of a known data set, in the order of their labels. Throws Error for an unknown name.
const std::vector<std::string>& class_names(const std::string& name);

/// Where the files of data set `name` are expected unless the user says otherwise: in folder `name`
/// below $CONVOY_DATA_DIR, or below data/ in the current folder if that is not set; fashion-mnist,
/// if it is not there, where Debian's package puts it. Empty for synthetic, which needs no files.
std::filesystem::path default_data_dir(const std::string& name);

/// One split of a known data set, from `dir` or, if that is empty, from its default place. Files of
/// another content will do, as long as they are IDX and have labels below 10. Throws Error, with
/// the command that gets the files.
Dataset open_dataset(const std::string& name, Split split, std::filesystem::path dir = {});

}  // namespace convoy::data
