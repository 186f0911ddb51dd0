#include "dist/coordinator/worker/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "core/base/check.h"
#include "core/io/file.h"
#include "tests/support/temporary_directory.h"

namespace convoy::dist {
namespace {

using ::testing::ElementsAre;
using Messages = std::vector<std::string>;

class JournalTest : public ::testing::Test {
 protected:
  Messages read() {
    Messages found;
    const Journal journal(path_, [&](std::string message) { found.push_back(std::move(message)); });
    return found;
  }
  void write(const Messages& messages) {
    Journal journal(path_, [](const std::string&) {});
    journal.append(messages);
  }

  testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_.path() / "reports.journal";
};

TEST_F(JournalTest, GivesBackWhatWasAppended) {
  write({"one", "", std::string(100'000, 'x')});
  write({"four"});
  EXPECT_THAT(read(), ElementsAre("one", "", std::string(100'000, 'x'), "four"));
}

TEST_F(JournalTest, ATornTailIsCutOffWhereverItIsTorn) {
  write({"one", "two"});
  const std::vector<std::byte> whole = io::read_file(path_);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(whole.data()), static_cast<std::streamsize>(length));
    const Messages before = length < 15 ? Messages{} : Messages{"one"};
    EXPECT_EQ(read(), before) << length << " bytes";
    write({"three"});
    Messages after = before;
    after.emplace_back("three");
    EXPECT_EQ(read(), after) << length << " bytes";
  }
}

TEST_F(JournalTest, AFlippedBitEndsIt) {
  write({"one", "two", "three"});
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(15 + 12);  // the second message
  file.put('T');
  file.close();
  EXPECT_THAT(read(), ElementsAre("one"));
}

TEST_F(JournalTest, AHugeLengthIsNotBelieved) {
  std::ofstream(path_, std::ios::binary) << "\xff\xff\xff\x7f" << std::string(100, 'x');
  EXPECT_TRUE(read().empty());
  EXPECT_EQ(std::filesystem::file_size(path_), 0U);
}

TEST_F(JournalTest, RewritingReplacesAllAndEmptyingLeavesNothing) {
  Journal journal(path_, [](const std::string&) {});
  journal.append(Messages{"one", "two"});
  journal.rewrite(Messages{"two"});
  journal.append(Messages{"three"});
  EXPECT_THAT(read(), ElementsAre("two", "three"));
  journal.rewrite({});
  EXPECT_EQ(journal.bytes(), 0);
  journal.append(Messages{"four"});
  EXPECT_THAT(read(), ElementsAre("four"));
}

TEST_F(JournalTest, AFullDiskTakesNothingByHalves) {
  const testing::SmallDisk disk("64k");
  if (!disk.available()) {
    GTEST_SKIP() << "mounting needs root";
  }
  const std::filesystem::path path = disk.path() / "journal";
  {
    Journal journal(path, [](const std::string&) {});
    journal.append(Messages{"small"});
    EXPECT_THROW(journal.append(Messages{std::string(100'000, 'x')}), Error);
    journal.append(Messages{"small again"});
  }
  Messages found;
  const Journal journal(path, [&](std::string message) { found.push_back(std::move(message)); });
  EXPECT_THAT(found, ElementsAre("small", "small again"));
}

}  // namespace
}  // namespace convoy::dist
