#include "core/data/batch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/data/synthetic.h"
#include "core/tensor/buffer_pool.h"

namespace convoy::data {
namespace {

using Ids = std::vector<std::int64_t>;

const AugmentOptions distort = {.shift = 2, .rotation = 10, .elastic = 1};

class BatchLoaderTest : public ::testing::Test {
 protected:
  std::vector<float> load(const BatchOptions& options, const Ids& ids, std::int64_t epoch = 0) {
    Batch batch;
    BatchLoader(digits_, options).load(ids, epoch, batch);
    return {batch.images.values().begin(), batch.images.values().end()};
  }

  Dataset digits_ = draw_synthetic({.size = 100});
};

TEST_F(BatchLoaderTest, GathersImagesAndLabelsInTheOrderOfTheIds) {
  const BatchLoader loader(digits_, {});
  Batch batch;
  loader.load(Ids{42, 7, 42}, 0, batch);
  EXPECT_EQ(batch.images.shape(), (Shape{3, 28, 28, 1}));
  EXPECT_EQ(batch.labels, (std::vector{digits_.label(42), digits_.label(7), digits_.label(42)}));
  for (std::size_t i = 0; i < 784; ++i) {
    EXPECT_EQ(batch.images.values()[784 + i], static_cast<float>(digits_.image(7)[i]) / 255.0F);
  }
}

TEST_F(BatchLoaderTest, RawPixelsAreBytesAsFloats) {
  const std::vector<float> raw = load({.raw_pixels = true}, {3});
  EXPECT_TRUE(std::ranges::equal(raw, digits_.image(3)));
}

TEST_F(BatchLoaderTest, ImagesOnDiskGiveTheSameBatches) {
  std::vector<std::uint8_t> pixels;
  digits_.each_piece([&](auto piece) { pixels.insert(pixels.end(), piece.begin(), piece.end()); });
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(std::fwrite("header", 1, 6, file) + std::fwrite(pixels.data(), 1, pixels.size(), file),
            6 + pixels.size());
  std::fflush(file);
  const Dataset on_disk({.name = "digits",
                         .height = 28,
                         .width = 28,
                         .file = std::make_shared<PixelFile>(FileDescriptor(::dup(::fileno(file))),
                                                             "file", 6, pixels.size()),
                         .labels = {digits_.labels().begin(), digits_.labels().end()},
                         .class_names = digits_.class_names()});
  std::fclose(file);
  Ids ids(100);
  std::iota(ids.rbegin(), ids.rend(), 0);
  for (const AugmentOptions& augment : {AugmentOptions(), distort}) {
    Batch batch;
    BatchLoader(on_disk, {.augment = augment}).load(ids, 0, batch);
    EXPECT_TRUE(std::ranges::equal(batch.images.values(), load({.augment = augment}, ids)));
  }
  std::vector<std::uint8_t> read;
  on_disk.each_piece([&](auto piece) { read.insert(read.end(), piece.begin(), piece.end()); });
  EXPECT_EQ(read, pixels);
}

TEST_F(BatchLoaderTest, EmptyBatchHasNoRows) {
  Batch batch;
  BatchLoader(digits_, {}).load({}, 0, batch);
  EXPECT_EQ(batch.images.shape(), (Shape{0, 28, 28, 1}));
  EXPECT_TRUE(batch.labels.empty());
}

TEST_F(BatchLoaderTest, AugmentedPixelsDependOnSeedEpochAndIdAlone) {
  const BatchOptions options = {.augment = distort, .seed = 3};
  const std::vector<float> together = load(options, {5, 6, 7, 8}, 2);
  const int threads = num_threads();
  set_num_threads(3);
  const std::vector<float> again = load(options, {9, 8, 7, 6, 5}, 2);
  set_num_threads(threads);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(std::equal(together.begin() + static_cast<long>(784 * i),
                           together.begin() + static_cast<long>(784 * (i + 1)),
                           again.begin() + static_cast<long>(784 * (4 - i))));
  }
  EXPECT_NE(load(options, {5, 6, 7, 8}, 3), together);
  EXPECT_NE(load({.augment = distort, .seed = 4}, {5, 6, 7, 8}, 2), together);
}

TEST_F(BatchLoaderTest, NothingIsAllocatedAfterTheFirstBatchOfASize) {
  const BatchLoader loader(digits_, {.augment = distort});
  Ids ids(32);
  std::iota(ids.begin(), ids.end(), 0);
  Batch batch;
  loader.load(ids, 0, batch);
  loader.load(std::span(ids).first(20), 0, batch);
  const std::uint64_t before = BufferPool::instance().system_allocations();
  const std::uint8_t* labels = batch.labels.data();
  for (std::int64_t epoch = 1; epoch < 10; ++epoch) {
    loader.load(ids, epoch, batch);
    loader.load(std::span(ids).first(20), epoch, batch);
  }
  EXPECT_EQ(BufferPool::instance().system_allocations(), before);
  EXPECT_EQ(batch.labels.data(), labels);
}

TEST_F(BatchLoaderTest, IdOutsideTheDataSetIsRefused) {
  Batch batch;
  EXPECT_THROW(BatchLoader(digits_, {}).load(Ids{100}, 0, batch), Error);
  EXPECT_THROW(BatchLoader(digits_, {}).load(Ids{-1}, 0, batch), Error);
}

}  // namespace
}  // namespace convoy::data
