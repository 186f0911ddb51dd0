// mpirun -n 2 allreduce_bench [ELEMENTS [ROUNDS]]: convoy's reduction of a gradient against
// MPI_Allreduce of the same buffer, in turns; medians and ranges in milliseconds, by rank 0.
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "dist/collectives.h"
#include "dist/gradient_reducer.h"
#include "dist/job.h"

namespace {

using namespace convoy;
using namespace convoy::dist;

using Times = std::vector<double>;

template <typename Body>
void measure(Communicator& communicator, Times& times, const Body& body) {
  barrier(communicator);
  const auto began = std::chrono::steady_clock::now();
  body();
  times.push_back(
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
}

void print(const char* name, Times times) {
  std::ranges::sort(times);
  fmt::print("{:<44} {:8.3f} ({:.3f}-{:.3f})\n", name, times[times.size() / 2], times.front(),
             times.back());
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t elements = argc > 1 ? std::atoll(argv[1]) : 1'400'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 100;
  const auto communicator = join_job();
  Parameter parameter(Parameter::Options{.shape = {elements}});
  ParameterStore store({{"p", &parameter}}, 0);
  const auto length = static_cast<std::int64_t>(store.gradients().size());
  const ShardTree tree(communicator->size(), communicator->size());
  struct Way {
    std::string name;
    Partition partition;
    std::unique_ptr<GradientReducer> reducer;
    Times times;
  };
  std::vector<Way> ways;
  for (const std::int64_t kib : {64, 256, 1024, 4096, 1 << 20}) {
    ways.push_back({fmt::format("convoy, buckets of {} KiB", kib),
                    Partition(length, communicator->size(), kib << 10),
                    nullptr,
                    {}});
  }
  ways.push_back({"convoy, bf16, buckets of 1024 KiB",
                  Partition(length, communicator->size(), 1 << 20),
                  nullptr,
                  {}});
  for (Way& way : ways) {
    way.reducer = std::make_unique<GradientReducer>(
        store, *communicator, way.partition, tree,
        GradientReducer::Options{
            .reduce = {.overlap = Overlap::kOff, .bf16 = way.name.find("bf16") != way.name.npos}});
  }
  Times allreduce;
  Times small;
  Times small_mpi;
  const std::span<const float> partial = store.gradients();
  for (int round = 0; round < rounds; ++round) {
    for (Way& way : ways) {
      measure(*communicator, way.times, [&] {
        way.reducer->begin_step(round, {}, std::span(&partial, 1));
        way.reducer->finish();
      });
    }
    measure(*communicator, allreduce, [&] {
      MPI_Allreduce(MPI_IN_PLACE, store.gradients().data(), static_cast<int>(length), MPI_FLOAT,
                    MPI_SUM, MPI_COMM_WORLD);
    });
    std::vector<double> sums(129);
    measure(*communicator, small, [&] { all_reduce_sum(*communicator, std::span(sums)); });
    measure(*communicator, small_mpi, [&] {
      MPI_Allreduce(MPI_IN_PLACE, sums.data(), 129, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    });
  }
  if (communicator->rank() == 0) {
    fmt::print("{} ranks, {} floats, {} rounds: median (range), milliseconds\n",
               communicator->size(), elements, rounds);
    for (const Way& way : ways) {
      print(way.name.c_str(), way.times);
    }
    print("MPI_Allreduce, in place", allreduce);
    print("convoy, 129 doubles", small);
    print("MPI_Allreduce, 129 doubles", small_mpi);
  }
}
