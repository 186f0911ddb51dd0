// Winograd's transforms in one dimension, for rows of tiles with 1 to 4 outputs; for kernel sources
// only (see core/base/vec.h).
#pragma once

#include "core/base/vec.h"

namespace convoy::nn {
namespace {  // NOLINT: one copy per instruction set is the purpose

inline Vec constant(float value) {
  return Vec::broadcast(&value);
}

// a + factor * b.
inline Vec sum(Vec a, float factor, Vec b) {
  a.add_product(constant(factor), b);
  return a;
}

// Toom's and Cook's algorithm at 0, a, -a, b, -b and infinity, by one-dimensional transforms: B^T
// d, A^T m and G w. Lavin and Gray's a = 1 and b = 2 err 2.3 times as much (sums over 64 channels);
// in steps of a sixteenth no neighbours err less.
constexpr float kA = 5.0F / 8;
constexpr float kB = 3.0F / 2;
constexpr float kA2 = kA * kA;
constexpr float kB2 = kB * kB;

constexpr float kNormA = 1 / (2 * kA2 * (kA2 - kB2));
constexpr float kNormB = 1 / (2 * kB2 * (kB2 - kA2));

inline void transform_weight(const Vec (&w)[3], Vec (&out)[6]) {
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

// G^T u: what the weights w have from the gradients of their points.
inline void weight_gradient(const Vec (&u)[6], Vec (&out)[3]) {
  const Vec even_a = (u[1] + u[2]) * constant(kNormA);
  const Vec odd_a = (u[1] - u[2]) * constant(kA * kNormA);
  const Vec even_b = (u[3] + u[4]) * constant(kNormB);
  const Vec odd_b = (u[3] - u[4]) * constant(kB * kNormB);
  out[0] = sum(even_a + even_b, 1 / (kA2 * kB2), u[0]);
  out[1] = odd_a + odd_b;
  out[2] = sum(sum(u[5], kA2, even_a), kB2, even_b);
}

// A row of tiles that has fewer outputs leaves out the last of the finite points. Its B^T is that
// of Toom and Cook for the points that are left, each row times the product of (its point - one
// left out) over all that are, which G divided by. Its A^T is the first rows of the largest one's,
// without the columns of points left out, and with infinity's in its own last row. `gradient` is A.
template <int outputs>
struct Row;

template <>
struct Row<1> {  // 0, a, infinity
  static void input(const Vec (&d)[3], Vec (&out)[3]) {
    out[0] = sum(d[0] * constant(kA2 * kB2), -kA * kB2, d[1]);
    out[1] = d[1] * constant(2 * kA * (kA2 - kB2));
    out[2] = sum(d[2], -kA, d[1]);
  }
  static void output(const Vec (&m)[3], Vec (&out)[1]) { out[0] = m[0] + m[1] + m[2]; }
  static void gradient(const Vec (&y)[1], Vec (&out)[3]) { out[0] = out[1] = out[2] = y[0]; }
};

template <>
struct Row<2> {  // 0, a, -a, infinity
  static void input(const Vec (&d)[4], Vec (&out)[4]) {
    const Vec even = d[2] * constant(kA2 - kB2);
    const Vec odd = d[1] * constant(kA * (kA2 - kB2));
    out[0] = sum(d[0] * constant(kA2 * kB2), -kB2, d[2]);
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = sum(d[3], -kA2, d[1]);
  }
  static void output(const Vec (&m)[4], Vec (&out)[2]) {
    out[0] = m[0] + m[1] + m[2];
    out[1] = sum(m[3], kA, m[1] - m[2]);
  }
  static void gradient(const Vec (&y)[2], Vec (&out)[4]) {
    out[0] = y[0];
    out[1] = sum(y[0], kA, y[1]);
    out[2] = sum(y[0], -kA, y[1]);
    out[3] = y[1];
  }
};

template <>
struct Row<3> {  // 0, a, -a, b, infinity
  static void input(const Vec (&d)[5], Vec (&out)[5]) {
    const Vec low = sum(d[1], -kB, d[0]);
    const Vec middle = sum(d[2], -kB, d[1]);
    const Vec high = sum(d[3], -kB, d[2]);
    out[0] = sum(high, -kA2, low) * constant(kB);
    out[1] = sum(high, kA, middle) * constant(kB + kA);
    out[2] = sum(high, -kA, middle) * constant(kB - kA);
    out[3] = sum(d[3], -kA2, d[1]) * constant(2 * kB);
    out[4] = sum(sum(d[4], -kB, d[3]), -kA2, middle);
  }
  static void output(const Vec (&m)[5], Vec (&out)[3]) {
    const Vec even = m[1] + m[2];
    const Vec odd = m[1] - m[2];
    out[0] = m[0] + even + m[3];
    out[1] = sum(odd * constant(kA), kB, m[3]);
    out[2] = sum(sum(m[4], kA2, even), kB2, m[3]);
  }
  static void gradient(const Vec (&y)[3], Vec (&out)[5]) {
    const Vec even = sum(y[0], kA2, y[2]);
    out[0] = y[0];
    out[1] = sum(even, kA, y[1]);
    out[2] = sum(even, -kA, y[1]);
    out[3] = sum(sum(y[0], kB2, y[2]), kB, y[1]);
    out[4] = y[2];
  }
};

template <>
struct Row<4> {
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
  static void gradient(const Vec (&y)[4], Vec (&out)[6]) {
    const Vec even_a = sum(y[0], kA2, y[2]);
    const Vec odd_a = sum(y[1], kA2, y[3]);
    const Vec even_b = sum(y[0], kB2, y[2]);
    const Vec odd_b = sum(y[1], kB2, y[3]);
    out[0] = y[0];
    out[1] = sum(even_a, kA, odd_a);
    out[2] = sum(even_a, -kA, odd_a);
    out[3] = sum(even_b, kB, odd_b);
    out[4] = sum(even_b, -kB, odd_b);
    out[5] = y[3];
  }
};

}  // namespace
}  // namespace convoy::nn
