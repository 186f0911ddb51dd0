#include "core/data/dataset.h"

#include <gtest/gtest.h>

#include "core/base/check.h"

namespace convoy::data {
namespace {

Dataset::Options two_images() {
  return {.name = "tiny",
          .height = 2,
          .width = 3,
          .pixels = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15},
          .labels = {1, 0},
          .class_names = {"cat", "dog"}};
}

TEST(DatasetTest, GivesEachImageWithItsLabel) {
  const Dataset dataset(two_images());
  EXPECT_EQ(dataset.size(), 2);
  EXPECT_EQ(dataset.batch_shape(5), (Shape{5, 2, 3, 1}));
  EXPECT_EQ(dataset.image(1).size(), 6U);
  EXPECT_EQ(dataset.image(1)[0], 10);
  std::vector<std::uint8_t> room(6);
  EXPECT_EQ(dataset.image(1, room)[5], 15);
  EXPECT_EQ(dataset.label(0), 1);
  EXPECT_EQ(dataset.classes(), 2);
}

TEST(DatasetTest, PixelsThatDoNotFillTheImagesAreRefused) {
  Dataset::Options options = two_images();
  options.pixels.pop_back();
  EXPECT_THROW(Dataset{options}, Error);
  options = two_images();
  options.height = 3;
  EXPECT_THROW(Dataset{options}, Error);
  options = two_images();
  options.channels = 2;
  EXPECT_THROW(Dataset{options}, Error);
}

TEST(DatasetTest, ExtentsThatWouldOverflowAreRefused) {
  Dataset::Options options = two_images();
  options.height = std::int64_t{1} << 62;
  options.width = std::int64_t{1} << 62;
  EXPECT_THROW(Dataset{options}, Error);
}

TEST(DatasetTest, NoImagesAreRefused) {
  Dataset::Options options = two_images();
  options.pixels.clear();
  options.labels.clear();
  EXPECT_THROW(Dataset{options}, Error);
}

TEST(DatasetTest, LabelWithoutAClassIsRefusedAndNamed) {
  Dataset::Options options = two_images();
  options.labels[1] = 2;
  try {
    const Dataset dataset(options);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "tiny: image 1 has label 2, but there are 2 classes");
  }
}

}  // namespace
}  // namespace convoy::data
