// convoy_bench [--benchmark_filter=REGEX ...] [N,C,SIDE,K,KERNEL,STRIDE,PADDING ...]: how fast
// layers, convolutions of these shapes and the whole training step are.
#include "tests/bench/bench_main.h"
#include "tests/bench/conv_bench.h"

int main(int argc, char** argv) {
  return convoy::bench::bench_main(argc, argv, convoy::bench::register_convolutions);
}
