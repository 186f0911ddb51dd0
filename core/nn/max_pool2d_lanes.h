// What the kernels of max-pooling share: some channels at a time, and which places of a window lie
// within the image. For kernel sources only (see core/base/isa.h).
#pragma once

#include <cstdint>

#include "core/base/vec.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {  // NOLINT: one copy per instruction set is the purpose

using std::int64_t;

constexpr int kLanes = Vec::kWidth;

template <typename Element, int lanes>
struct Vector {
  typedef Element Type __attribute__((vector_size(sizeof(Element) * lanes)));
};
template <int lanes>
using Floats = typename Vector<float, lanes>::Type;
template <int lanes>
using Ints = typename Vector<std::int32_t, lanes>::Type;

template <typename V>
V load(const void* from) {
  V vector;
  __builtin_memcpy(&vector, from, sizeof(V));
  return vector;
}

template <typename V>
void store(void* to, const V& vector) {
  __builtin_memcpy(to, &vector, sizeof(V));
}

// Written as loops because g++ 12 turns __builtin_convertvector into scalar code here.
template <int lanes, typename Winner>
Ints<lanes> load_winners(const Winner* __restrict from) {
  std::int32_t wide[lanes];
  for (int i = 0; i < lanes; ++i) {
    wide[i] = static_cast<std::int32_t>(from[i]);
  }
  return load<Ints<lanes>>(wide);
}

template <int lanes, typename Winner>
void store_winners(Winner* __restrict to, Ints<lanes> winners) {
  std::int32_t wide[lanes];
  store(wide, winners);
  for (int i = 0; i < lanes; ++i) {
    to[i] = static_cast<Winner>(wide[i]);
  }
}

// Calls work<lanes>(first channel) for blocks that cover `channels`. The last block overlaps the
// one before it rather than fall back to single channels: each writes the same.
template <typename Work>
void for_each_block(int64_t channels, const Work& work) {
  const auto blocks_of = [&]<int lanes>() {
    for (int64_t c = 0; c < channels; c += lanes) {
      work.template operator()<lanes>(c + lanes <= channels ? c : channels - lanes);
    }
  };
  if (channels >= kLanes) {
    return blocks_of.template operator()<kLanes>();
  }
  if (channels >= 4) {
    return blocks_of.template operator()<4>();
  }
  blocks_of.template operator()<1>();
}

// A range of window places that lie within the image, or of windows that reach over a pixel.
struct Range {
  int64_t begin, end;
};

Range places_inside(int64_t first, int64_t window, int64_t dilation, int64_t extent) {
  Range places = {0, window};
  if (first < 0) {
    places.begin = (-first + dilation - 1) / dilation;
  }
  if (first + (window - 1) * dilation >= extent) {
    places.end = (extent - 1 - first) / dilation + 1;
  }
  places.begin = places.begin < places.end ? places.begin : places.end;
  return places;
}

}  // namespace
}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
