// After its first steps training allocates nothing: not by new, not by malloc, not in the pool.
// With two threads only the pool is watched: BLIS makes room for a second caller the first time two
// threads happen to multiply at the same moment, whenever that is.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>

#include "core/base/parallel.h"
#include "core/base/sanitized.h"
#include "core/tensor/buffer_pool.h"
#include "tests/dist/training_run.h"

namespace {
std::atomic<std::int64_t> allocations = 0;
}

// Sanitizers bring their own malloc; there only the pool is watched.
#if !defined(CONVOY_SANITIZED) && defined(__GLIBC__)
#define CONVOY_COUNT_MALLOC
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) {
  ++allocations;
  return __libc_realloc(block, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  ++allocations;
  *block = __libc_memalign(alignment, bytes);
  return *block == nullptr ? 12 : 0;
}
}
#endif

namespace convoy::dist {
namespace {

struct Watch : Observer {
  void on_step(const StepResult& result) override {
    const Position& position = result.position;
    if (position.step >= 2) {
      if (num_threads() == 1) {
        EXPECT_EQ(allocations - seen, 0) << "in step " << position.step;
      }
      EXPECT_EQ(BufferPool::instance().system_allocations(), pooled) << "step " << position.step;
    }
    pooled = BufferPool::instance().system_allocations();
    seen = allocations;
  }
  std::int64_t seen = 0;
  std::uint64_t pooled = 0;
};

TEST(AllocationTest, StepsAfterTheFirstAllocateNothing) {
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    testing::TrainingRun run(
        {.epochs = 1, .batch_size = 16, .max_steps = 10, .augment = {.shift = 2, .elastic = 1}});
    Watch watch;
    run.trainer.run(watch);
    EXPECT_EQ(run.trainer.position().step, 10);
  }
}

#ifdef CONVOY_COUNT_MALLOC
TEST(AllocationTest, TheCounterCounts) {
  const std::int64_t before = allocations;
  // Held in a volatile, for a compiler may leave out an allocation that nobody sees.
  int* volatile block = new int(7);
  delete block;
  EXPECT_GT(allocations.load(), before);
}
#endif

}  // namespace
}  // namespace convoy::dist
