// Many runs, in a line each.
#include <fmt/format.h>

#include <cmath>

#include "launcher/format.h"
#include "launcher/status_report.h"
#include "launcher/status_shared.h"
#include "launcher/text_table.h"

namespace convoy::launcher {

std::string status_lines(std::span<const StatusReport> reports, const StatusScreen& screen) {
  if (reports.empty()) {
    return "no runs\n";
  }
  TextTable table({{.heading = "run"},
                   {.heading = "state"},
                   {.heading = "epoch", .right = true, .rank = 4},
                   {.heading = "step", .right = true, .rank = 7},
                   {.heading = "done", .right = true},
                   {.heading = "loss", .right = true, .rank = 3},
                   {.heading = "test", .right = true, .rank = 5},
                   {.heading = "images/s", .right = true, .rank = 6},
                   {.heading = "ETA", .right = true, .rank = 1},
                   {.heading = "ranks", .right = true, .rank = 2},
                   {.heading = "", .rank = 8}});
  for (const StatusReport& report : reports) {
    const v1::Run& run = report.run;
    const bool going = goes_on(run.state());
    const v1::Sums& train =
        run.epoch_so_far().images() > 0 ? run.epoch_so_far() : run.last_epoch().train();
    std::string trouble;
    if (going && run.has_straggler()) {
      trouble = fmt::format("rank {} is {:.2f} times slower", run.straggler().rank(),
                            run.straggler().factor());
    }
    if (going && !run.waiting_for().empty()) {
      trouble = fmt::format("waits for {}", shown(run.waiting_for(), screen, 40));
    }
    table.add({shown(run.run(), screen, 63), std::string(state_word(run.state())),
               fmt::format("{}/{}", run.epoch(), run.spec().epochs()), format_count(run.step()),
               fmt::format("{:.0f} %", std::floor(100 * share_done(run))), loss_of(train),
               accuracy_of(run.last_epoch().test()),
               going && run.images_per_second() > 0 ? format_rate(run.images_per_second()) : "",
               run.has_remaining() ? format_duration(duration_of(run.remaining())) : "",
               going ? fmt::format("{}/{}", run.ranks_alive(), run.spec().world_size()) : "",
               trouble});
  }
  const std::vector<std::string> lines = table.lines(table_width(screen));
  std::string text = painted(lines.front(), kDim, screen) + "\n";
  for (std::size_t i = 0; i < reports.size(); ++i) {
    text += painted(lines[i + 1], colour_of(reports[i].run.state()), screen) + "\n";
  }
  for (const StatusReport& report : reports) {
    if (!report.note.empty()) {
      text += fmt::format("{}: {}\n", shown(report.run.run(), screen), shown(report.note, screen));
    }
  }
  return fitted(text, screen);
}

}  // namespace convoy::launcher
