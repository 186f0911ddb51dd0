// The program `convoy`: reads the command line, runs a subcommand, and turns what is thrown into a
// line on stderr and an exit code. Nothing else catches.
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "launcher/commands.h"

namespace {

namespace launcher = convoy::launcher;

struct Run {
  int operator()(const launcher::HelpText& help) const {
    fmt::print("{}", help.text);
    return 0;
  }
  int operator()(const launcher::TrainOptions& options) const { return run_train(options); }
  int operator()(const launcher::EvaluateOptions& options) const { return run_evaluate(options); }
  int operator()(const launcher::PredictOptions& options) const { return run_predict(options); }
  int operator()(const launcher::ExportOptions& options) const { return run_export(options); }
};

}  // namespace

int main(int argc, char** argv) {
  try {
    return std::visit(Run{}, launcher::parse_command_line(argc, argv));
  } catch (const launcher::UsageError& error) {
    fmt::print(stderr, "convoy: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "convoy: {}\n", error.what());
    return 1;
  }
}
