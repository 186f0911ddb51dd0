#include "core/nn/winograd_kernel.h"

#include "core/base/vec.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

using std::int64_t;

// Calls body(first channel, load, store) for vectors that cover `channels`, the last one partial.
template <typename Body>
inline void for_each_vector(int64_t channels, const Body& body) {
  int64_t c = 0;
  for (; c + Vec::kWidth <= channels; c += Vec::kWidth) {
    body(
        c, [](const float* p) { return Vec::load(p); }, [](float* p, Vec v) { v.store(p); });
  }
  if (const auto left = static_cast<int>(channels - c); left > 0) {
    body(
        c, [left](const float* p) { return Vec::load_first(p, left); },
        [left](float* p, Vec v) { v.store_first(p, left); });
  }
}

// out = B^T d of a column of four.
inline void input_rows(const Vec (&d)[4], Vec (&out)[4]) {
  out[0] = d[0] - d[2];
  out[1] = d[1] + d[2];
  out[2] = d[2] - d[1];
  out[3] = d[1] - d[3];
}

// out = G w of a column of three.
inline void weight_rows(Vec w0, Vec w1, Vec w2, Vec (&out)[4]) {
  const float half = 0.5F;
  const Vec scale = Vec::broadcast(&half);
  const Vec ends = (w0 + w2) * scale;
  const Vec middle = w1 * scale;
  out[0] = w0;
  out[1] = ends + middle;
  out[2] = ends - middle;
  out[3] = w2;
}

}  // namespace

void winograd_input(const float* const* pixels, int64_t channels, float* v, int64_t stride) {
  for_each_vector(channels, [&](int64_t c, const auto& load, const auto& store) {
    Vec rows[4][4];
    for (int s = 0; s < 4; ++s) {
      const Vec column[4] = {load(pixels[s] + c), load(pixels[4 + s] + c), load(pixels[8 + s] + c),
                             load(pixels[12 + s] + c)};
      input_rows(column, rows[s]);
    }
    for (int r = 0; r < 4; ++r) {
      const Vec row[4] = {rows[0][r], rows[1][r], rows[2][r], rows[3][r]};
      Vec points[4];
      input_rows(row, points);
      for (int s = 0; s < 4; ++s) {
        store(v + (r * 4 + s) * stride + c, points[s]);
      }
    }
  });
}

void winograd_output(const float* m, int64_t stride, int64_t channels, const float* bias,
                     float* const* pixels) {
  for_each_vector(channels, [&](int64_t c, const auto& load, const auto& store) {
    Vec rows[2][4];
    for (int s = 0; s < 4; ++s) {
      const Vec first = load(m + s * stride + c);
      const Vec second = load(m + (4 + s) * stride + c);
      const Vec third = load(m + (8 + s) * stride + c);
      const Vec last = load(m + (12 + s) * stride + c);
      rows[0][s] = first + second + third;
      rows[1][s] = second - third - last;
    }
    const Vec start = bias == nullptr ? Vec::zero() : load(bias + c);
    for (int p = 0; p < 2; ++p) {
      const Vec(&row)[4] = rows[p];
      store(pixels[p * 2] + c, start + (row[0] + row[1] + row[2]));
      store(pixels[p * 2 + 1] + c, start + (row[1] - row[2] - row[3]));
    }
  });
}

void winograd_weight(const float* weight, int64_t tap_stride, int64_t count, float* u,
                     int64_t stride) {
  for_each_vector(count, [&](int64_t i, const auto& load, const auto& store) {
    Vec columns[3][4];
    for (int s = 0; s < 3; ++s) {
      weight_rows(load(weight + s * tap_stride + i), load(weight + (3 + s) * tap_stride + i),
                  load(weight + (6 + s) * tap_stride + i), columns[s]);
    }
    for (int r = 0; r < 4; ++r) {
      Vec points[4];
      weight_rows(columns[0][r], columns[1][r], columns[2][r], points);
      for (int s = 0; s < 4; ++s) {
        store(u + (r * 4 + s) * stride + i, points[s]);
      }
    }
  });
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
