// onednn_bench [--benchmark_...] [N,C,SIDE,K,KERNEL,STRIDE,PADDING ...]: oneDNN's primitives for
// the computations that convoy_bench measures, under the same names. Memory formats are those that
// oneDNN likes best; nothing is reordered in the timing. OMP_NUM_THREADS says how many threads.
//
// A 1x1 convolution of a 1x1 image is measured as the inner product that it is.
#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>

#include "tests/bench/bench_main.h"
#include "tests/bench/rate.h"

namespace convoy::bench {
namespace {

using dnnl::memory;
using Arguments = std::unordered_map<int, memory>;

struct Ready {
  dnnl::primitive primitive;
  Arguments arguments;
};

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

// Memory for each argument, full of ordinary numbers: zeros and denormals have speeds of their own.
Arguments allocate(std::initializer_list<std::pair<int, memory::desc>> descriptions) {
  Arguments arguments;
  RandomSequence random({.seed = 1});
  for (const auto& [name, description] : descriptions) {
    memory tensor(description, engine());
    auto* data = static_cast<float*>(tensor.get_data_handle());
    std::generate_n(data, description.get_size() / sizeof(float), [&] { return random.normal(); });
    arguments.emplace(name, std::move(tensor));
  }
  return arguments;
}

memory::desc any(const memory::dims& dims) {
  return {dims, memory::data_type::f32, memory::format_tag::any};
}

template <typename Backward, typename BackwardDesc, typename Forward>
Ready weight_gradient(const BackwardDesc& desc, const typename Forward::primitive_desc& hint) {
  const typename Backward::primitive_desc pd(desc, engine(), hint);
  return {Backward(pd), allocate({{DNNL_ARG_SRC, pd.src_desc()},
                                  {DNNL_ARG_DIFF_DST, pd.diff_dst_desc()},
                                  {DNNL_ARG_DIFF_WEIGHTS, pd.diff_weights_desc()}})};
}

template <typename Backward, typename BackwardDesc, typename Forward>
Ready data_gradient(const BackwardDesc& desc, const typename Forward::primitive_desc& hint) {
  const typename Backward::primitive_desc pd(desc, engine(), hint);
  return {Backward(pd), allocate({{DNNL_ARG_WEIGHTS, pd.weights_desc()},
                                  {DNNL_ARG_DIFF_DST, pd.diff_dst_desc()},
                                  {DNNL_ARG_DIFF_SRC, pd.diff_src_desc()}})};
}

template <typename Forward>
Ready forward(const typename Forward::primitive_desc& pd) {
  return {Forward(pd), allocate({{DNNL_ARG_SRC, pd.src_desc()},
                                 {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                                 {DNNL_ARG_BIAS, pd.bias_desc()},
                                 {DNNL_ARG_DST, pd.dst_desc()}})};
}

Ready convolution(const ConvShape& s, const std::string& what) {
  using Forward = dnnl::convolution_forward;
  using Data = dnnl::convolution_backward_data;
  using Weight = dnnl::convolution_backward_weights;
  constexpr auto kDirect = dnnl::algorithm::convolution_direct;
  const memory::desc src = any({s.n, s.c, s.side, s.side});
  const memory::desc weights = any({s.k, s.c, s.kernel, s.kernel});
  const memory::desc dst = any({s.n, s.k, s.out_side(), s.out_side()});
  const memory::dims stride{s.stride, s.stride};
  const memory::dims padding{s.padding, s.padding};
  const Forward::primitive_desc hint(
      Forward::desc(dnnl::prop_kind::forward_training, kDirect, src, weights, any({s.k}), dst,
                    stride, padding, padding),
      engine());
  if (what == "data") {
    return data_gradient<Data, Data::desc, Forward>(
        {kDirect, src, weights, dst, stride, padding, padding}, hint);
  }
  if (what == "weight") {
    return weight_gradient<Weight, Weight::desc, Forward>(
        {kDirect, src, weights, dst, stride, padding, padding}, hint);
  }
  return forward<Forward>(hint);
}

Ready inner_product(const ConvShape& s, const std::string& what) {
  using Forward = dnnl::inner_product_forward;
  using Data = dnnl::inner_product_backward_data;
  using Weight = dnnl::inner_product_backward_weights;
  const memory::desc src = any({s.n, s.c});
  const memory::desc weights = any({s.k, s.c});
  const memory::desc dst = any({s.n, s.k});
  const Forward::primitive_desc hint(
      Forward::desc(dnnl::prop_kind::forward_training, src, weights, any({s.k}), dst), engine());
  if (what == "data") {
    return data_gradient<Data, Data::desc, Forward>({src, weights, dst}, hint);
  }
  if (what == "weight") {
    return weight_gradient<Weight, Weight::desc, Forward>({src, weights, dst}, hint);
  }
  return forward<Forward>(hint);
}

void run(benchmark::State& state, const ConvShape& shape, const std::string& what) {
  const bool linear = shape.side == 1 && shape.kernel == 1;
  const Ready ready = linear ? inner_product(shape, what) : convolution(shape, what);
  dnnl::stream stream(engine());
  const auto compute = [&] {
    ready.primitive.execute(stream, ready.arguments);
    stream.wait();
  };
  compute();
  for (auto _ : state) {
    compute();
  }
  report_rate(state, "GFLOP/s", shape.flop() * 1e-9);
}

void add(std::span<const ConvShape> shapes) {
  for (const ConvShape& shape : shapes) {
    for (const std::string what : {"forward", "data", "weight"}) {
      benchmark::RegisterBenchmark((shape.name() + "/" + what).c_str(),
                                   [=](benchmark::State& state) { run(state, shape, what); })
          ->UseRealTime();
    }
  }
}

}  // namespace
}  // namespace convoy::bench

int main(int argc, char** argv) {
  return convoy::bench::bench_main(argc, argv, convoy::bench::add);
}
