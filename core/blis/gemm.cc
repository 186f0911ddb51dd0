#include "core/blis/gemm.h"

#include <blis.h>

#include <string>

#include "core/base/check.h"
#include "core/blis/brgemm.h"
#include "core/tensor/tensor.h"

namespace convoy::blis {
namespace {

// BLIS calls this for C := beta C + alpha A B on unpacked A and B whose rows (of B and C) are
// contiguous. Only gemm() below uses the context it is registered in: alpha is 1, beta 0 or 1.
void sup_kernel(conj_t, conj_t, dim_t m, dim_t n, dim_t k, float*, float* a, inc_t rs_a, inc_t cs_a,
                float* b, inc_t rs_b, inc_t, float* beta, float* c, inc_t rs_c, inc_t, auxinfo_t*,
                cntx_t*) {
  static const auto kernel = brgemm_kernel();
  kernel({.m = m,
          .n = n,
          .k = k,
          .a = a,
          .a_row_stride = rs_a,
          .a_column_stride = cs_a,
          .b = b,
          .b_row_stride = rs_b,
          .c = c,
          .c_row_stride = rs_c,
          .accumulate = *beta != 0.0F});
}

// A copy of the context BLIS chose for this CPU, with our kernel for the storage combinations it
// serves (C and B by rows, A any way) and thresholds that always take the unpacked path.
cntx_t* context() {
  static cntx_t cntx = [] {
    cntx_t copy = *bli_gks_query_cntx();
    constexpr dim_t kRows = 6;
    constexpr dim_t kColumns = 64;
    constexpr dim_t kAlways = 1 << 30;
    const auto set = [](blksz_t* sizes, bszid_t id, dim_t value) {
      bli_blksz_set_def(value, BLIS_FLOAT, &sizes[id]);
      bli_blksz_set_max(value, BLIS_FLOAT, &sizes[id]);
    };
    blksz_t* sizes = bli_cntx_l3_sup_blkszs_buf(&copy);
    set(sizes, BLIS_MR, kRows);
    set(sizes, BLIS_NR, kColumns);
    set(sizes, BLIS_MC, 28 * kRows);
    set(sizes, BLIS_KC, 4096);
    set(sizes, BLIS_NC, 64 * kColumns);
    blksz_t* thresholds = bli_cntx_l3_sup_thresh_buf(&copy);
    for (const int id : {BLIS_MT, BLIS_NT, BLIS_KT}) {
      bli_blksz_set_def(kAlways, BLIS_FLOAT, &thresholds[id]);
    }
    func_t* kernels = bli_cntx_l3_sup_kers_buf(&copy);
    mbool_t* prefers_rows = bli_cntx_l3_sup_kers_prefs_buf(&copy);
    // Under the transposed names too: there BLIS looks when it walks along n first.
    for (const int storage : {BLIS_RRR, BLIS_CCC, BLIS_RCR, BLIS_CCR}) {
      bli_func_set_dt(reinterpret_cast<void*>(&sup_kernel), BLIS_FLOAT, &kernels[storage]);
      bli_mbool_set_dt(true, BLIS_FLOAT, &prefers_rows[storage]);
    }
    return copy;
  }();
  return &cntx;
}

void copy_rows(std::int64_t rows, std::int64_t columns, const ConstMatrix& from, float* to) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      *to++ = from.data[row * from.row_stride + column * from.column_stride];
    }
  }
}

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const ConstMatrix& a,
          const ConstMatrix& b, const Matrix& c, bool accumulate) {
  if (b.column_stride != 1 && n > 1) {
    Tensor rows({k, n});
    copy_rows(k, n, b, rows.data());
    gemm(m, n, k, a, {.data = rows.data(), .row_stride = n}, c, accumulate);
    return;
  }
  if (m == 1 || n == 1 || k == 1) {
    // BLIS may take a vector to be stored the other way, and would call a kernel of its own with
    // our block sizes.
    static const auto kernel = brgemm_kernel();
    kernel({.m = m,
            .n = n,
            .k = k,
            .a = a.data,
            .a_row_stride = a.row_stride,
            .a_column_stride = a.column_stride,
            .b = b.data,
            .b_row_stride = b.row_stride,
            .c = c.data,
            .c_row_stride = c.row_stride,
            .accumulate = accumulate});
    return;
  }
  float alpha = 1.0F;
  float beta = accumulate ? 1.0F : 0.0F;
  rntm_t runtime;
  bli_rntm_init(&runtime);
  bli_rntm_set_num_threads(1, &runtime);
  // BLIS reads A and B only, but its interface does not say so.
  bli_sgemm_ex(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, m, n, k, &alpha, const_cast<float*>(a.data),
               a.row_stride, a.column_stride, const_cast<float*>(b.data), b.row_stride, 1, &beta,
               c.data, c.row_stride, 1, context(), &runtime);
}

const char* describe() {
  static const std::string text = fmt::format(
      "BLIS {} ({}), kernels {}", bli_info_get_version_str(), bli_arch_string(bli_arch_query_id()),
      active_isa() == Isa::kAmx ? "avx512, amx" : isa_name(active_isa()));
  return text.c_str();
}

}  // namespace convoy::blis
