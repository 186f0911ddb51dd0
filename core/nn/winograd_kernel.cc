#include "core/nn/winograd_kernel.h"

#include <utility>

#include "core/base/vec.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

using std::int64_t;

// Of a vector's channels those that exist: all, or the first `count`.
template <bool Partial>
struct Lanes {
  int count;
  Vec load(const float* p) const { return Partial ? Vec::load_first(p, count) : Vec::load(p); }
  void store(Vec v, float* p) const { Partial ? v.store_first(p, count) : v.store(p); }
};

// Calls body(first channel, lanes) for vectors that cover `channels`, the last one partial.
template <typename Body>
inline void for_each_vector(int64_t channels, const Body& body) {
  int64_t c = 0;
  for (; c + Vec::kWidth <= channels; c += Vec::kWidth) {
    body(c, Lanes<false>{Vec::kWidth});
  }
  if (const auto left = static_cast<int>(channels - c); left > 0) {
    body(c, Lanes<true>{left});
  }
}

inline Vec constant(float value) {
  return Vec::broadcast(&value);
}

// a + factor * b.
inline Vec sum(Vec a, float factor, Vec b) {
  a.add_product(constant(factor), b);
  return a;
}

// Each form is given by its one-dimensional transforms: B^T d, A^T m and G w.
//
// Everything in it but the points is a sum or a difference; G halves.
struct TwoOutputs {
  static constexpr int kOutputs = 2;
  static constexpr int kInputs = 4;

  static void input(const Vec (&d)[4], Vec (&out)[4]) {
    out[0] = d[0] - d[2];
    out[1] = d[1] + d[2];
    out[2] = d[2] - d[1];
    out[3] = d[1] - d[3];
  }

  static void output(const Vec (&m)[4], Vec (&out)[2]) {
    out[0] = m[0] + m[1] + m[2];
    out[1] = m[1] - m[2] - m[3];
  }

  static void weight(const Vec (&w)[3], Vec (&out)[4]) {
    const Vec ends = (w[0] + w[2]) * constant(0.5F);
    const Vec middle = w[1] * constant(0.5F);
    out[0] = w[0];
    out[1] = ends + middle;
    out[2] = ends - middle;
    out[3] = w[2];
  }
};

// Toom's and Cook's algorithm at 0, a, -a, b, -b and infinity. Lavin and Gray's a = 1 and b = 2 err
// 2.3 times as much (sums over 64 channels); in steps of a sixteenth no neighbours err less.
struct FourOutputs {
  static constexpr int kOutputs = 4;
  static constexpr int kInputs = 6;
  static constexpr float kA = 5.0F / 8;
  static constexpr float kB = 3.0F / 2;
  static constexpr float kA2 = kA * kA;
  static constexpr float kB2 = kB * kB;

  static void input(const Vec (&d)[6], Vec (&out)[6]) {
    const Vec even_a = sum(d[4], -kB2, d[2]);
    const Vec odd_a = sum(d[3], -kB2, d[1]);
    const Vec even_b = sum(d[4], -kA2, d[2]);
    const Vec odd_b = sum(d[3], -kA2, d[1]);
    out[0] = sum(sum(d[4], -(kA2 + kB2), d[2]), kA2 * kB2, d[0]);
    out[1] = sum(even_a, kA, odd_a);
    out[2] = sum(even_a, -kA, odd_a);
    out[3] = sum(even_b, kB, odd_b);
    out[4] = sum(even_b, -kB, odd_b);
    out[5] = sum(sum(d[5], -(kA2 + kB2), d[3]), kA2 * kB2, d[1]);
  }

  static void output(const Vec (&m)[6], Vec (&out)[4]) {
    const Vec even_a = m[1] + m[2];
    const Vec odd_a = m[1] - m[2];
    const Vec even_b = m[3] + m[4];
    const Vec odd_b = m[3] - m[4];
    out[0] = m[0] + even_a + even_b;
    out[1] = sum(odd_a * constant(kA), kB, odd_b);
    out[2] = sum(even_a * constant(kA2), kB2, even_b);
    out[3] = sum(sum(m[5], kA * kA2, odd_a), kB * kB2, odd_b);
  }

  static void weight(const Vec (&w)[3], Vec (&out)[6]) {
    constexpr float kNormA = 1 / (2 * kA2 * (kA2 - kB2));
    constexpr float kNormB = 1 / (2 * kB2 * (kB2 - kA2));
    const Vec even_a = sum(w[0], kA2, w[2]) * constant(kNormA);
    const Vec odd_a = w[1] * constant(kA * kNormA);
    const Vec even_b = sum(w[0], kB2, w[2]) * constant(kNormB);
    const Vec odd_b = w[1] * constant(kB * kNormB);
    out[0] = w[0] * constant(1 / (kA2 * kB2));
    out[1] = even_a + odd_a;
    out[2] = even_a - odd_a;
    out[3] = even_b + odd_b;
    out[4] = even_b - odd_b;
    out[5] = w[2];
  }
};

template <typename Form, bool Partial>
inline void input_vector(const float* const* pixels, int64_t c, float* v, int64_t stride,
                         Lanes<Partial> lanes) {
  constexpr int kInputs = Form::kInputs;
  Vec columns[kInputs][kInputs];
  for (int s = 0; s < kInputs; ++s) {
    Vec column[kInputs];
    for (int r = 0; r < kInputs; ++r) {
      column[r] = lanes.load(pixels[r * kInputs + s] + c);
    }
    Form::input(column, columns[s]);
  }
  for (int r = 0; r < kInputs; ++r) {
    Vec row[kInputs];
    for (int s = 0; s < kInputs; ++s) {
      row[s] = columns[s][r];
    }
    Vec points[kInputs];
    Form::input(row, points);
    for (int s = 0; s < kInputs; ++s) {
      lanes.store(points[s], v);
      v += stride;
    }
  }
}

template <typename Form>
void input(const float* const* pixels, int64_t channels, float* v, int64_t stride) {
  for_each_vector(channels, [=](int64_t c, auto lanes) {
    input_vector<Form>(pixels, c, v + c, stride, lanes);
  });
}

template <typename Form, bool Partial>
inline void output_vector(const float* m, int64_t stride, int64_t c, const float* bias,
                          float* const* pixels, Lanes<Partial> lanes) {
  constexpr int kInputs = Form::kInputs;
  constexpr int kOutputs = Form::kOutputs;
  Vec columns[kInputs][kOutputs];
  for (int s = 0; s < kInputs; ++s) {
    Vec column[kInputs];
    for (int r = 0; r < kInputs; ++r) {
      column[r] = lanes.load(m + (r * kInputs + s) * stride);
    }
    Form::output(column, columns[s]);
  }
  const Vec start = bias == nullptr ? Vec::zero() : lanes.load(bias + c);
  for (int p = 0; p < kOutputs; ++p) {
    Vec row[kInputs];
    for (int s = 0; s < kInputs; ++s) {
      row[s] = columns[s][p];
    }
    Vec sums[kOutputs];
    Form::output(row, sums);
    for (int q = 0; q < kOutputs; ++q) {
      lanes.store(start + sums[q], pixels[p * kOutputs + q] + c);
    }
  }
}

template <typename Form>
void output(const float* m, int64_t stride, int64_t channels, const float* bias,
            float* const* pixels) {
  for_each_vector(channels, [=](int64_t c, auto lanes) {
    output_vector<Form>(m + c, stride, c, bias, pixels, lanes);
  });
}

// Row `r` of the points of all channels, so that u is written in a few long runs.
template <typename Form, int r>
void weight_row(const WinogradPanel& p) {
  constexpr int kInputs = Form::kInputs;
  for (int64_t channel = 0; channel < p.channels; ++channel) {
    const float* taps = p.weight + channel * p.channel_stride;
    float* u = p.u + r * kInputs * p.stride + channel * p.count;
    for_each_vector(p.count,
                    [=, tap_stride = p.tap_stride, stride = p.stride](int64_t i, auto lanes) {
                      Vec row[3];
                      for (int s = 0; s < 3; ++s) {
                        const Vec column[3] = {lanes.load(taps + s * tap_stride + i),
                                               lanes.load(taps + (3 + s) * tap_stride + i),
                                               lanes.load(taps + (6 + s) * tap_stride + i)};
                        Vec points[kInputs];
                        Form::weight(column, points);
                        row[s] = points[r];
                      }
                      Vec points[kInputs];
                      Form::weight(row, points);
                      for (int s = 0; s < kInputs; ++s) {
                        lanes.store(points[s], u + s * stride + i);
                      }
                    });
  }
}

template <typename Form, int... rows>
void weight(const WinogradPanel& p, std::integer_sequence<int, rows...> /*points*/) {
  (weight_row<Form, rows>(p), ...);
}

}  // namespace

void winograd2_input(const float* const* pixels, int64_t channels, float* v, int64_t stride) {
  input<TwoOutputs>(pixels, channels, v, stride);
}

void winograd4_input(const float* const* pixels, int64_t channels, float* v, int64_t stride) {
  input<FourOutputs>(pixels, channels, v, stride);
}

void winograd2_output(const float* m, int64_t stride, int64_t channels, const float* bias,
                      float* const* pixels) {
  output<TwoOutputs>(m, stride, channels, bias, pixels);
}

void winograd4_output(const float* m, int64_t stride, int64_t channels, const float* bias,
                      float* const* pixels) {
  output<FourOutputs>(m, stride, channels, bias, pixels);
}

void winograd2_weight(const WinogradPanel& panel) {
  weight<TwoOutputs>(panel, std::make_integer_sequence<int, TwoOutputs::kInputs>());
}

void winograd4_weight(const WinogradPanel& panel) {
  weight<FourOutputs>(panel, std::make_integer_sequence<int, FourOutputs::kInputs>());
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
