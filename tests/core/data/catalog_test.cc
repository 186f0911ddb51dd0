#include "core/data/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/base/check.h"

namespace convoy::data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Sets CONVOY_DATA_DIR for one test.
class CatalogTest : public ::testing::Test {
 public:
  CatalogTest() {
    if (const char* value = std::getenv("CONVOY_DATA_DIR")) {
      before_ = value;
    }
    unsetenv("CONVOY_DATA_DIR");
  }
  ~CatalogTest() override { setenv("CONVOY_DATA_DIR", before_.c_str(), 1); }

 protected:
  static std::string refusal(const std::string& name, const std::string& dir = "") {
    try {
      open_dataset(name, Split::kTest, dir);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }

 private:
  std::string before_;
};

TEST_F(CatalogTest, FilesAreExpectedBelowTheDataFolder) {
  EXPECT_EQ(default_data_dir("mnist"), "data/mnist");
  setenv("CONVOY_DATA_DIR", "/somewhere", 1);
  EXPECT_EQ(default_data_dir("mnist"), "/somewhere/mnist");
  EXPECT_EQ(default_data_dir("fashion-mnist"), "/usr/share/datasets/fashion-mnist");
  EXPECT_EQ(default_data_dir("synthetic"), "");
}

TEST_F(CatalogTest, UnknownNameGetsTheNearestAndAllNames) {
  EXPECT_EQ(refusal("fashion_mnist"),
            "no data set is called 'fashion_mnist' (did you mean 'fashion-mnist'?); there are: "
            "mnist, fashion-mnist, synthetic");
}

TEST_F(CatalogTest, MissingFilesNameTheCommandThatGetsThem) {
  EXPECT_THAT(refusal("mnist", "/no/such/folder"),
              AllOf(HasSubstr("/no/such/folder: no t10k-images"),
                    HasSubstr("deploy/fetch-mnist /no/such/folder")));
  EXPECT_THAT(refusal("fashion-mnist", "/no/such/folder"),
              HasSubstr("apt-get install dataset-fashion-mnist"));
}

TEST_F(CatalogTest, SyntheticTakesNoFolder) {
  EXPECT_EQ(open_dataset("synthetic", Split::kTest).size(), 2000);
  EXPECT_THAT(refusal("synthetic", "/tmp"), HasSubstr("takes no folder (/tmp given)"));
}

TEST_F(CatalogTest, FashionMnistIsReadFromDebiansPackage) {
  if (!std::filesystem::exists(default_data_dir("fashion-mnist"))) {
    GTEST_SKIP() << "package dataset-fashion-mnist is not installed";
  }
  const Dataset test = open_dataset("fashion-mnist", Split::kTest);
  EXPECT_EQ(test.size(), 10'000);
  EXPECT_EQ(test.name(), "fashion-mnist/test");
  EXPECT_EQ(test.batch_shape(1), (Shape{1, 28, 28, 1}));
  EXPECT_EQ(test.class_names()[test.label(0)], "Ankle boot");
}

}  // namespace
}  // namespace convoy::data
