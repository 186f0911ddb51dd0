// Rows to columns, compiled once per instruction set: call transpose of transpose.h instead.
#pragma once

#include "core/base/isa.h"
#include "core/tensor/transpose.h"

namespace convoy {

CONVOY_KERNEL(transpose_blocks, (const Transpose& t))

}  // namespace convoy
