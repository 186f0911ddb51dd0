#include "core/nn/winograd_kernel.h"

#include "core/nn/winograd_rows.h"

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

// Where the i-th point of a row of tiles with so many outputs lies among all six.
constexpr int point(int i, int outputs) {
  return i == outputs + 1 ? 5 : i;
}

// The pixels of a tile, and what makes points of a row of them: of inputs two more than there are
// outputs.
struct Inputs {
  static constexpr int kMore = 2;
  template <int outputs>
  static void transform(const Vec (&d)[outputs + 2], Vec (&points)[outputs + 2]) {
    Row<outputs>::input(d, points);
  }
};
struct Gradients {
  static constexpr int kMore = 0;
  template <int outputs>
  static void transform(const Vec (&y)[outputs], Vec (&points)[outputs + 2]) {
    Row<outputs>::gradient(y, points);
  }
};

template <typename Of, int high, int wide, bool Partial>
inline void points_vector(const float* const* pixels, int64_t c, float* v, int64_t stride,
                          Lanes<Partial> lanes) {
  constexpr int kRows = high + Of::kMore;
  constexpr int kColumns = wide + Of::kMore;
  Vec columns[kColumns][high + 2];
  for (int s = 0; s < kColumns; ++s) {
    Vec column[kRows];
    for (int r = 0; r < kRows; ++r) {
      column[r] = lanes.load(pixels[r * kColumns + s] + c);
    }
    Of::template transform<high>(column, columns[s]);
  }
  for (int r = 0; r < high + 2; ++r) {
    Vec row[kColumns];
    for (int s = 0; s < kColumns; ++s) {
      row[s] = columns[s][r];
    }
    Vec points[wide + 2];
    Of::template transform<wide>(row, points);
    for (int s = 0; s < wide + 2; ++s) {
      lanes.store(points[s], v + (point(r, high) * 6 + point(s, wide)) * stride);
    }
  }
}

template <typename Of, int high, int wide>
void make_points(const float* const* pixels, int64_t channels, float* v, int64_t stride) {
  for_each_vector(channels, [=](int64_t c, auto lanes) {
    points_vector<Of, high, wide>(pixels, c, v + c, stride, lanes);
  });
}

template <int high, int wide, bool Partial>
inline void output_vector(const float* m, int64_t stride, int64_t c, const float* bias,
                          float* const* pixels, Lanes<Partial> lanes) {
  Vec columns[wide + 2][high];
  for (int s = 0; s < wide + 2; ++s) {
    Vec column[high + 2];
    for (int r = 0; r < high + 2; ++r) {
      column[r] = lanes.load(m + (point(r, high) * 6 + point(s, wide)) * stride);
    }
    Row<high>::output(column, columns[s]);
  }
  const Vec start = bias == nullptr ? Vec::zero() : lanes.load(bias + c);
  for (int p = 0; p < high; ++p) {
    Vec row[wide + 2];
    for (int s = 0; s < wide + 2; ++s) {
      row[s] = columns[s][p];
    }
    Vec sums[wide];
    Row<wide>::output(row, sums);
    for (int q = 0; q < wide; ++q) {
      lanes.store(start + sums[q], pixels[p * wide + q] + c);
    }
  }
}

template <int high, int wide>
void output(const float* m, int64_t stride, int64_t channels, const float* bias,
            float* const* pixels) {
  for_each_vector(channels, [=](int64_t c, auto lanes) {
    output_vector<high, wide>(m + c, stride, c, bias, pixels, lanes);
  });
}

// Row `r` of the points of all channels, so that u is written in a few long runs.
template <int r>
void weight_row(const WinogradPanel& p) {
  for (int64_t channel = 0; channel < p.channels; ++channel) {
    const float* taps = p.weight + channel * p.channel_stride;
    float* u = p.u + r * 6 * p.stride + channel * p.count;
    for_each_vector(p.count,
                    [=, tap_stride = p.tap_stride, stride = p.stride](int64_t i, auto lanes) {
                      Vec row[3];
                      for (int s = 0; s < 3; ++s) {
                        const Vec column[3] = {lanes.load(taps + s * tap_stride + i),
                                               lanes.load(taps + (3 + s) * tap_stride + i),
                                               lanes.load(taps + (6 + s) * tap_stride + i)};
                        Vec points[6];
                        transform_weight(column, points);
                        row[s] = points[r];
                      }
                      Vec points[6];
                      transform_weight(row, points);
                      for (int s = 0; s < 6; ++s) {
                        lanes.store(points[s], u + s * stride + i);
                      }
                    });
  }
}

// The transforms of tiles of each size, and of each row of points.
using MakePoints = decltype(&make_points<Inputs, 1, 1>);
using Output = decltype(&output<1, 1>);
template <typename Of, int high>
constexpr MakePoints kMakePoints[4] = {make_points<Of, high, 1>, make_points<Of, high, 2>,
                                       make_points<Of, high, 3>, make_points<Of, high, 4>};
template <int high>
constexpr Output kOutputs[4] = {output<high, 1>, output<high, 2>, output<high, 3>, output<high, 4>};
template <typename Of>
constexpr const MakePoints* kAllMakePoints[4] = {kMakePoints<Of, 1>, kMakePoints<Of, 2>,
                                                 kMakePoints<Of, 3>, kMakePoints<Of, 4>};
constexpr const Output* kAllOutputs[4] = {kOutputs<1>, kOutputs<2>, kOutputs<3>, kOutputs<4>};
constexpr decltype(&weight_row<0>) kWeightRows[6] = {weight_row<0>, weight_row<1>, weight_row<2>,
                                                     weight_row<3>, weight_row<4>, weight_row<5>};

}  // namespace

void winograd_input(TileSize tile, const float* const* pixels, int64_t channels, float* v,
                    int64_t stride) {
  kAllMakePoints<Inputs>[tile.high - 1][tile.wide - 1](pixels, channels, v, stride);
}

void winograd_output(TileSize tile, const float* m, int64_t stride, int64_t channels,
                     const float* bias, float* const* pixels) {
  kAllOutputs[tile.high - 1][tile.wide - 1](m, stride, channels, bias, pixels);
}

void winograd_output_gradient(TileSize tile, const float* const* pixels, int64_t channels, float* m,
                              int64_t stride) {
  kAllMakePoints<Gradients>[tile.high - 1][tile.wide - 1](pixels, channels, m, stride);
}

void winograd_weight_gradient(const float* u, int64_t stride, int64_t count, float* weight,
                              int64_t tap_stride) {
  for_each_vector(count, [=](int64_t i, auto lanes) {
    Vec columns[6][3];
    for (int s = 0; s < 6; ++s) {
      Vec column[6];
      for (int r = 0; r < 6; ++r) {
        column[r] = lanes.load(u + (r * 6 + s) * stride + i);
      }
      weight_gradient(column, columns[s]);
    }
    for (int r = 0; r < 3; ++r) {
      const Vec row[6] = {columns[0][r], columns[1][r], columns[2][r],
                          columns[3][r], columns[4][r], columns[5][r]};
      Vec taps[3];
      weight_gradient(row, taps);
      for (int s = 0; s < 3; ++s) {
        float* tap = weight + (r * 3 + s) * tap_stride + i;
        lanes.store(lanes.load(tap) + taps[s], tap);
      }
    }
  });
}

void winograd_weight(const WinogradPanel& panel, int point_row) {
  kWeightRows[point_row](panel);
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
