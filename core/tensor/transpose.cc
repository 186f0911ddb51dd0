#include "core/tensor/transpose.h"

#include "core/tensor/transpose_kernel.h"

namespace convoy {

void transpose(const Transpose& t) {
  static const auto kernel = transpose_blocks_kernel();
  kernel(t);
}

}  // namespace convoy
