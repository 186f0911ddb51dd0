// Plain numbers other than float32 (bytes, doubles) in memory from the BufferPool.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "core/tensor/buffer_pool.h"

namespace convoy {

/// `count` elements of unspecified value, aligned to 64 bytes, given back to the pool at the end.
/// For what a layer needs during a step and a Tensor cannot hold.
template <typename T>
class PoolArray {
  static_assert(std::is_trivial_v<T>);

 public:
  PoolArray() = default;
  /// REQUIRES: 0 <= count. Throws std::bad_alloc.
  explicit PoolArray(std::int64_t count)
      : size_(static_cast<std::size_t>(count)), data_(PoolAllocator<T>().allocate(size_)) {}
  PoolArray(PoolArray&& other) noexcept
      : size_(std::exchange(other.size_, 0)), data_(std::exchange(other.data_, nullptr)) {}
  PoolArray& operator=(PoolArray&& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~PoolArray() {
    if (data_ != nullptr) {
      PoolAllocator<T>().deallocate(data_, size_);
    }
  }

  bool empty() const { return data_ == nullptr; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::span<T> values() { return {data_, size_}; }
  std::span<const T> values() const { return {data_, size_}; }
  /// REQUIRES: 0 <= i < the count.
  T& operator[](std::int64_t i) { return data_[i]; }
  const T& operator[](std::int64_t i) const { return data_[i]; }

 private:
  std::size_t size_ = 0;
  T* data_ = nullptr;
};

}  // namespace convoy
