#include "core/nn/column_sums_kernel.h"

#include "core/base/vec.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

using std::int64_t;

// `vectors` vectors of columns, of which the last has `last` elements; the sums stay in registers.
template <int vectors>
void sum_panel(const float* x, int64_t rows, int64_t columns, int last, float* sums) {
  Vec sum[vectors];
  for (Vec& vector : sum) {
    vector = Vec::zero();
  }
  for (int64_t row = 0; row < rows; ++row, x += columns) {
    for (int v = 0; v < vectors - 1; ++v) {
      sum[v] = sum[v] + Vec::load(x + v * Vec::kWidth);
    }
    const float* end = x + (vectors - 1) * Vec::kWidth;
    sum[vectors - 1] =
        sum[vectors - 1] + (last == Vec::kWidth ? Vec::load(end) : Vec::load_first(end, last));
  }
  for (int v = 0; v < vectors - 1; ++v) {
    sum[v].store(sums + v * Vec::kWidth);
  }
  sum[vectors - 1].store_first(sums + (vectors - 1) * Vec::kWidth, last);
}

}  // namespace

void column_sums(const float* x, int64_t rows, int64_t columns, float* sums) {
  int64_t column = 0;
  for (; column + 4 * Vec::kWidth <= columns; column += 4 * Vec::kWidth) {
    sum_panel<4>(x + column, rows, columns, Vec::kWidth, sums + column);
  }
  for (; column < columns; column += Vec::kWidth) {
    const int64_t left = columns - column;
    sum_panel<1>(x + column, rows, columns,
                 left < Vec::kWidth ? static_cast<int>(left) : Vec::kWidth, sums + column);
  }
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
