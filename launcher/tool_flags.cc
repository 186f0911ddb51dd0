// Flags of the commands that look at a machine rather than train: doctor and bench.
#include <CLI/App.hpp>

#include "launcher/flags.h"

namespace convoy::launcher {
namespace {

constexpr const char* kDoctorExamples = R"(Examples:
  convoy doctor           what stands in the way of training on this machine, and how to clear it
  convoy doctor -n 8      whether eight ranks fit here
  mpirun -n 2 --hostfile FILE --map-by node convoy doctor-rank    whether hosts reach each other

Exit code: 0 without problems, 1 with any; notes are no problems.
)";

constexpr const char* kScalingExamples = R"(Examples:
  convoy bench scaling -n 4                    32 images for each rank: weak scaling
  convoy bench scaling -n 4 --batch-size 256   256 for all together: strong scaling
  convoy bench scaling -n 2 --bandwidth-gbit 1 --latency-us 200    predict for a slower network
  convoy bench scaling -n 2 -- --bf16-gradients    what follows -- goes to convoy train
)";

constexpr const char* kCoordinatorExamples = R"(Examples:
  convoy bench coordinator                     1, 100 and 1000 workers, each once a second
  convoy bench coordinator --workers 50 --seconds 60
  convoy bench coordinator --address node1:7070 --token-file token    one that runs already
)";

constexpr const char* kMeasure = "Measuring";
constexpr const char* kPredict = "Predicting";

int small_whole(const std::string& name, const std::string& text, int most) {
  return static_cast<int>(parse_whole(name, text, range(1, most)));
}

void add_ranks(CLI::App& app, const std::string& help, std::optional<int>& target,
               const std::string& group) {
  add_value(app, {"-n,--ranks", "N", help, group},
            [&target](const std::string& text) { target = small_whole("--ranks", text, 1 << 16); });
}

// What a prediction needs to be told of the network.
void add_prediction_flags(CLI::App& app, BenchScalingOptions& options) {
  add_value(app, {"--hosts", "N", "Predict up to this many [1024]", kPredict},
            [&options](const std::string& text) {
              options.hosts = parse_whole("--hosts", text, range(2, 1 << 20));
            });
  add_value(app, {"--latency-us", "US", "Of a message, one way [50]", kPredict},
            [&options](const std::string& text) {
              options.latency_us = parse_number("--latency-us", text, range(0, 1e9));
            });
  add_value(app, {"--bandwidth-gbit", "GBIT", "Of a host, each direction [10]", kPredict},
            [&options](const std::string& text) {
              options.bandwidth_gbit = parse_number("--bandwidth-gbit", text, range(1e-6, 1e6));
            });
  add_value(app, {"--message-us", "US", "Of the processor, per message [5]", kPredict},
            [&options](const std::string& text) {
              options.message_us = parse_number("--message-us", text, range(0, 1e9));
            });
}

}  // namespace

void add_flags(CLI::App& app, DoctorOptions& options) {
  app.footer(kDoctorExamples);
  const std::string group = "Plan";
  add_ranks(app, "Ranks on this machine [one per core]", options.ranks, group);
  add_value(app, {"--threads", "N", "Threads of each [cores / ranks]", group},
            [&options](const std::string& text) {
              options.threads = small_whole("--threads", text, 4096);
            });
  add_switch(app, {"--json", "", "Print one JSON object on stdout", kProgram},
             [&options](bool on) { options.json = on; });
}

void add_flags(CLI::App& app, BenchScalingOptions& options) {
  app.footer(kScalingExamples);
  const std::string group = kMeasure;
  add_ranks(app, "Measure 1 to N ranks [one per core]", options.ranks, group);
  add_path(app, {"--hostfile", "FILE", "Machines to use: NAME slots=N on each line", group},
           options.hostfile);
  add_value(app, {"--model", "NAME|FILE", "tutorial, lenet5, best or a file [tutorial]", group},
            [&options](const std::string& text) { options.model = text; });
  add_value(app, {"--batch-per-rank", "N", "Images of each rank in a step [32]", group},
            [&options](const std::string& text) {
              options.batch_per_rank = small_whole("--batch-per-rank", text, 1 << 20);
            });
  add_value(app, {"--batch-size", "N", "Images of all ranks together, instead", group},
            [&options](const std::string& text) {
              options.batch_size = small_whole("--batch-size", text, 1 << 20);
            });
  add_value(app, {"--threads", "N", "Threads of each rank [1]", group},
            [&options](const std::string& text) {
              options.threads = small_whole("--threads", text, 4096);
            });
  add_value(app, {"--steps", "K", "Of each run; the first ten don't count [100]", group},
            [&options](const std::string& text) {
              options.steps = parse_whole("--steps", text, range(11, 1e9));
            });
  add_value(app, {"--rounds", "R", "Runs of each number of ranks, in turns [3]", group},
            [&options](const std::string& text) {
              options.rounds = small_whole("--rounds", text, 1000);
            });
  app.add_option("TRAIN_OPTIONS", options.train_options, "For convoy train, after --")
      ->type_name("");
  add_prediction_flags(app, options);
  add_switch(app, {"--json", "", "Print one JSON object on stdout", kProgram},
             [&options](bool on) { options.json = on; });
  add_switch(app, {"--quiet", "", "No progress on stderr", kProgram},
             [&options](bool on) { options.quiet = on; });
}

void add_flags(CLI::App& app, BenchCoordinatorOptions& options) {
  app.footer(kCoordinatorExamples);
  add_value(app, {"--workers", "N", "So many instead of 1, 100 and 1000", kMeasure},
            [&options](const std::string& text) {
              options.workers = {small_whole("--workers", text, 4000)};
            });
  add_value(app, {"--seconds", "S", "Of each phase [10]", kMeasure},
            [&options](const std::string& text) {
              options.seconds = small_whole("--seconds", text, 3600);
            });
  add_value(app, {"--address", "HOST:PORT", "A running coordinator [starts one]", kMeasure},
            [&options](const std::string& text) { options.address = text; });
  add_path(app, {"--token-file", "FILE", "Holds that one's token", kMeasure}, options.token_file);
  add_switch(app, {"--json", "", "Print one JSON object on stdout", kProgram},
             [&options](bool on) { options.json = on; });
  add_switch(app, {"--quiet", "", "No progress on stderr", kProgram},
             [&options](bool on) { options.quiet = on; });
}

}  // namespace convoy::launcher
