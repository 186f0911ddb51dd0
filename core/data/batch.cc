#include "core/data/batch.h"

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/tensor/pool_array.h"

namespace convoy::data {

BatchLoader::BatchLoader(const Dataset& dataset, const BatchOptions& options)
    : dataset_(dataset), options_(options) {
  if (options.augment.active()) {
    const Shape image = dataset.batch_shape(1);
    augmenter_.emplace(options.augment, image.h(), image.w(), image.c());
  }
}

void BatchLoader::load(std::span<const std::int64_t> ids, std::int64_t epoch, Batch& batch) const {
  const auto count = static_cast<std::int64_t>(ids.size());
  batch.labels.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    check(ids[i] >= 0 && ids[i] < dataset_.size(), "{}: image {} asked for; there are {}",
          dataset_.name(), ids[i], dataset_.size());
    batch.labels[i] = dataset_.label(ids[i]);
  }
  batch.images = {};  // back to the pool first, so that the new one can have its memory
  batch.images = Tensor(dataset_.batch_shape(count));
  // PyTorch's ToTensor divides as well; multiplying by 1/255 would differ in the last bit.
  const float divisor = options_.raw_pixels ? 1.0F : 255.0F;
  const std::int64_t size = dataset_.image_bytes();
  float* images = batch.images.data();
  // One for each thread, on cache lines of its own.
  const std::int64_t room_size = (size + 63) / 64 * 64;
  PoolArray<std::uint8_t> rooms(num_threads() * room_size);
  Tensor scratch;
  if (augmenter_) {
    scratch = Tensor({num_threads(), augmenter_->scratch_size()});
  }
  parallel_for(count, [&](std::int64_t begin, std::int64_t end, int thread) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t id = ids[static_cast<std::size_t>(i)];
      const std::span<const std::uint8_t> image =
          dataset_.image(id, rooms.values().subspan(static_cast<std::size_t>(thread * room_size),
                                                    static_cast<std::size_t>(size)));
      float* out = images + i * size;
      if (augmenter_) {
        const RandomKey key = {.seed = options_.seed,
                               .stream = Stream::kAugment,
                               .step = static_cast<std::uint32_t>(epoch),
                               .sample = static_cast<std::uint32_t>(id)};
        const auto scratch_size = static_cast<std::size_t>(augmenter_->scratch_size());
        augmenter_->apply(
            image, key, divisor,
            scratch.values().subspan(static_cast<std::size_t>(thread) * scratch_size, scratch_size),
            {out, static_cast<std::size_t>(size)});
      } else {
        for (std::int64_t pixel = 0; pixel < size; ++pixel) {
          out[pixel] = static_cast<float>(image[static_cast<std::size_t>(pixel)]) / divisor;
        }
      }
    }
  });
}

}  // namespace convoy::data
