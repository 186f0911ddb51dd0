// Training with a coordinator of its own, as `convoy train` does it in one process.
#include "launcher/coordination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "core/io/file.h"
#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/rpc/client.h"
#include "dist/coordinator/rpc/server.h"
#include "launcher/commands.h"
#include "launcher/exit_codes.h"
#include "launcher/json.h"
#include "launcher/run_identity.h"
#include "launcher/stop_signal.h"
#include "tests/launcher/command_line.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::parse_as;

class CoordinationTest : public ::testing::Test {
 protected:
  CoordinationTest() { setenv("XDG_STATE_HOME", (directory_.path() / "state").c_str(), 1); }

  int train(const std::string& name, std::vector<std::string> more) const {
    std::vector<std::string> words = {"train",     "--dataset", "synthetic",    "--model",
                                      "lenet5",    "--plots",   "none",         "--quiet",
                                      "--threads", "1",         "--batch-size", "500"};
    words.insert(words.end(), more.begin(), more.end());
    if (std::ranges::find(more, "--resume") == more.end()) {
      words.insert(words.end(), {"--run-dir", run(name).string()});
    }
    const StopSignal stop;
    dist::LocalCommunicator alone;
    return run_train(parse_as<TrainOptions>(words), alone);
  }
  fs::path run(const std::string& name) const { return directory_.path() / name; }
  Json json(const fs::path& file) const {
    const std::vector<std::byte> bytes = io::read_file(file);
    return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  std::vector<std::byte> weights(const std::string& name) const {
    return io::read_file(run(name) / "final" / "model.safetensors");
  }
  // What its coordinator kept.
  v1::Run told(const std::string& name, v1::ListEpochsResponse* epochs = nullptr) const {
    const dist::Coordinator coordinator(
        {.database = run(name) / "coordinator.db", .read_only = true});
    v1::GetRunRequest request;
    request.set_run(json(run(name) / "run.json").at("run").get<std::string>());
    if (epochs != nullptr) {
      v1::ListEpochsRequest all;
      all.set_run(request.run());
      *epochs = coordinator.list_epochs(all);
    }
    return coordinator.get_run(request);
  }
  // That is what the trainer wrote.
  v1::Run expect_complete(const std::string& name, std::int64_t steps) const {
    v1::ListEpochsResponse response;
    v1::Run told = this->told(name, &response);
    EXPECT_EQ(told.step(), steps);
    EXPECT_EQ(told.lost_steps(), 0);
    const std::vector<EpochMetrics> written = read_metrics(run(name) / "metrics.jsonl");
    EXPECT_EQ(static_cast<std::size_t>(response.epochs_size()), written.size());
    for (int i = 0; i < response.epochs_size(); ++i) {
      const v1::EpochMetrics& epoch = response.epochs(i);
      const EpochMetrics& line = written[static_cast<std::size_t>(i)];
      EXPECT_EQ(epoch.aggregated().loss_sum(), epoch.train().loss_sum());
      EXPECT_EQ(epoch.aggregated().images(), epoch.train().images());
      EXPECT_EQ(epoch.train().loss_sum() / static_cast<double>(epoch.train().images()),
                line.train_loss);
      EXPECT_EQ(epoch.test().loss_sum() / static_cast<double>(epoch.test().images()),
                line.test_loss);
    }
    return told;
  }

  convoy::testing::TemporaryDirectory directory_;
};

TEST_F(CoordinationTest, ACoordinatorKnowsAllAndChangesNothing) {
  EXPECT_EQ(train("alone", {"--epochs", "2", "--coordinator", "none"}), kExitDone);
  EXPECT_EQ(train("told", {"--epochs", "2"}), kExitDone);
  EXPECT_EQ(weights("alone"), weights("told"));
  EXPECT_FALSE(fs::exists(run("alone") / "coordinator.db"));
  const v1::Run told = expect_complete("told", 40);
  EXPECT_EQ(told.state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(told.spec().model(), "lenet5");
  EXPECT_EQ(told.spec().steps(), 40);
  EXPECT_EQ(told.last_epoch().epoch(), 2);
  EXPECT_FALSE(fs::exists(run("told") / "coordinator.json"));
  EXPECT_EQ(fs::file_size(run("told") / "reports.journal"), 0U);
  EXPECT_TRUE(
      fs::equivalent(directory_.path() / "state" / "convoy" / "runs" / told.run(), run("told")));
}

TEST_F(CoordinationTest, StopsWhenItIsAskedToAndGoesOnUnderTheSameName) {
  EXPECT_EQ(train("straight", {"--epochs", "3", "--coordinator", "none"}), kExitDone);
  std::thread stopper([this] {
    const fs::path file = run("stopped") / "coordinator.json";
    while (!fs::exists(file)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    struct stat status = {};
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    const Json description = json(file);
    dist::CoordinatorClient client(
        {.endpoint = {.address = description.at("address").get<std::string>(),
                      .token = description.at("token").get<std::string>()}});
    EXPECT_EQ(description.at("pid").get<std::int64_t>(), getpid());
    v1::StopRunRequest request;
    request.set_run(description.at("run").get<std::string>());
    for (bool asked = false; !asked;) {
      try {
        client.stop_run(request);
        asked = true;
      } catch (const dist::Refusal&) {  // not registered yet
      }
    }
  });
  EXPECT_EQ(train("stopped", {"--epochs", "3"}), kExitStopped);
  stopper.join();
  EXPECT_EQ(train("stopped", {"--resume", run("stopped").string()}), kExitDone);
  const v1::Run told = expect_complete("stopped", 60);
  EXPECT_EQ(told.state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(told.generation(), 2);
  EXPECT_EQ(weights("straight"), weights("stopped"));
}

// A coordinator on a socket of its own, with a token.
class Elsewhere {
 public:
  explicit Elsewhere(fs::path directory) : directory_(std::move(directory)) {
    fs::create_directory(directory_);
    io::write_file_atomically(token_file(), io::as_bytes(token_ + "\n"));
    fs::permissions(token_file(), fs::perms::owner_read | fs::perms::owner_write);
    start("127.0.0.1:0");
  }
  void start(const std::string& listen) {
    coordinator_.emplace(dist::Coordinator::Options{.database = directory_ / "coordinator.db"});
    server_.emplace(*coordinator_,
                    dist::CoordinatorServer::Options{.listen = listen, .token = token_});
    address_ = server_->address();
  }
  void stop() {
    server_.reset();
    coordinator_.reset();
  }
  const std::string& address() const { return address_; }
  fs::path token_file() const { return directory_ / "token"; }
  v1::Run run(const std::string& name) const {
    v1::GetRunRequest request;
    request.set_run(name);
    return coordinator_->get_run(request);
  }

 private:
  fs::path directory_;
  dist::Token token_ = dist::make_token();
  std::optional<dist::Coordinator> coordinator_;
  std::optional<dist::CoordinatorServer> server_;
  std::string address_;
};

TEST_F(CoordinationTest, ReportsElsewhereThoughThatIsRestartedMeanwhile) {
  Elsewhere elsewhere(directory_.path() / "elsewhere");
  EXPECT_EQ(train("alone", {"--epochs", "2", "--coordinator", "none"}), kExitDone);
  std::thread restarter([&] {
    while (!fs::exists(run("told") / "run.json")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    elsewhere.stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    elsewhere.start(elsewhere.address());
  });
  EXPECT_EQ(train("told", {"--epochs", "2", "--coordinator", elsewhere.address(),
                           "--coordinator-token-file", elsewhere.token_file().string()}),
            kExitDone);
  restarter.join();
  EXPECT_EQ(weights("alone"), weights("told"));
  EXPECT_FALSE(fs::exists(run("told") / "coordinator.json"));
  const v1::Run told = elsewhere.run(json(run("told") / "run.json").at("run"));
  EXPECT_EQ(told.step(), 40);
  EXPECT_EQ(told.lost_steps(), 0);
  EXPECT_EQ(told.state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(told.last_epoch().aggregated().loss_sum(), told.last_epoch().train().loss_sum());
}

TEST_F(CoordinationTest, AWrongTokenStopsNothing) {
  const Elsewhere elsewhere(directory_.path() / "elsewhere");
  setenv("CONVOY_COORDINATOR_TOKEN", "0123456789abcdef0123", 1);
  EXPECT_EQ(train("refused", {"--max-steps", "5", "--coordinator", elsewhere.address()}),
            kExitDone);
  unsetenv("CONVOY_COORDINATOR_TOKEN");
  EXPECT_GT(fs::file_size(run("refused") / "reports.journal"), 0U);
}

TEST_F(CoordinationTest, ACoordinatorThatIsNowhereDoesNotMatter) {
  EXPECT_EQ(train("alone", {"--max-steps", "5", "--coordinator", "none"}), kExitDone);
  EXPECT_EQ(train("away", {"--max-steps", "5", "--coordinator", "127.0.0.1:1"}), kExitDone);
  EXPECT_EQ(weights("alone"), weights("away"));
  EXPECT_GT(fs::file_size(run("away") / "reports.journal"), 0U);
}

TEST_F(CoordinationTest, ARunThatFailsSaysSo) {
  EXPECT_THROW(train("failed", {"--epochs", "2", "--lr", "1000", "--optimizer", "sgd"}), Error);
  EXPECT_EQ(told("failed").state(), v1::RUN_STATE_FAILED);
  EXPECT_THAT(told("failed").state_reason(), ::testing::HasSubstr("not a number"));
}

TEST(RunIdentityTest, NamesAreOnesThatCoordinatorsTake) {
  const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'795'386'690));
  EXPECT_THAT(make_run_name("tutorial", now),
              ::testing::MatchesRegex("20261122-2231-tutorial-[0-9a-f]{6}"));
  EXPECT_THAT(make_run_name("/a/My Net_2.textproto", now),
              ::testing::MatchesRegex("20261122-2231-my-net-2-[0-9a-f]{6}"));
  EXPECT_LE(make_run_name(std::string(200, 'x'), now).size(), 63U);
  EXPECT_NE(make_run_name("m", now), make_run_name("m", now));
}

TEST(RunIdentityTest, KeepsNameAndCoordinatorAndGrowsItsGeneration) {
  const convoy::testing::TemporaryDirectory directory;
  const ReportOptions remote = {.reporting = Reporting::kRemote,
                                .connection = {.address = "node1:7070", .token_file = "token"}};
  const RunIdentity first = next_generation(directory.path(), "m", remote);
  EXPECT_EQ(first.generation, 1);
  const RunIdentity second = next_generation(directory.path(), "m", {});
  EXPECT_EQ(second.run, first.run);
  EXPECT_EQ(second.generation, 2);
  EXPECT_EQ(second.reporting, Reporting::kRemote);
  EXPECT_EQ(second.connection.address, "node1:7070");
  EXPECT_EQ(second.connection.token_file, fs::absolute("token"));
  const RunIdentity third =
      next_generation(directory.path(), "m", {.reporting = Reporting::kEmbedded});
  EXPECT_EQ(third.reporting, Reporting::kEmbedded);
  EXPECT_TRUE(third.connection.token_file.empty());
  io::write_file_atomically(directory.path() / "run.json", io::as_bytes("{\"run\": \"../x\"}"));
  EXPECT_EQ(next_generation(directory.path(), "m", {}).generation, 1);
}

}  // namespace
}  // namespace convoy::launcher
