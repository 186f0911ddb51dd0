#include "launcher/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/build_model.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;

data::Dataset dataset(const char* name, std::size_t images, int classes) {
  std::vector<std::string> names(static_cast<std::size_t>(classes));
  for (int number = 0; std::string & class_name : names) {
    class_name = std::to_string(number++);
  }
  return data::Dataset({.name = name,
                        .height = 2,
                        .width = 3,
                        .channels = 1,
                        .pixels = std::vector<std::uint8_t>(images * 6),
                        .labels = std::vector<std::uint8_t>(images),
                        .class_names = names});
}

TEST(SummaryTest, TheModelIsATableOfLayers) {
  const auto model = build_model(load_model("lenet5"), {32, 28, 28, 1}, 10);
  EXPECT_EQ(model_summary("lenet5", *model, {32, 28, 28, 1}), R"(model lenet5
layer    output        parameters  MFLOP
(image)  [1, 28, 28]
c1       [6, 28, 28]          156   0.24  Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
relu1    [6, 28, 28]                      ReLU()
s2       [6, 14, 14]                      MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
c3       [16, 10, 10]       2,416   0.48  Conv2d(6, 16, kernel_size=(5, 5), stride=(1, 1))
relu3    [16, 10, 10]                     ReLU()
s4       [16, 5, 5]                       MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
flatten  [400]                            Flatten(start_dim=1, end_dim=-1)
c5       [120]             48,120   0.10  Linear(in_features=400, out_features=120, bias=True)
relu5    [120]                            ReLU()
f6       [84]              10,164   0.02  Linear(in_features=120, out_features=84, bias=True)
relu6    [84]                             ReLU()
output   [10]                 850   0.00  Linear(in_features=84, out_features=10, bias=True)
total                      61,706   0.83  forward, per image
)");
}

// By hand: 2 * (784*32*9 + 196*64*288 + 49*128*576 + 2048*625 + 625*10) = 17.47 million.
TEST(SummaryTest, MflopAreThoseOfOneImage) {
  for (const std::int64_t batch : {1, 32}) {
    const auto model = build_model(load_model("tutorial"), {batch, 28, 28, 1}, 10);
    EXPECT_THAT(model_summary("tutorial", *model, {batch, 28, 28, 1}),
                HasSubstr("1,379,557  17.47  forward, per image"));
  }
}

TEST(SummaryTest, GroupsAndStridesCostLess) {
  const Shape image = {1, 28, 28, 4};
  const ModelSpec spec = parse_model(
      "name: 'm' layer { name: 'c' conv2d { out_channels: 8 kernel_size: 2 stride: 2 groups: 4 } } "
      "layer { name: 'f' flatten {} } layer { name: 'l' linear { out_features: 10 } }",
      "net.textproto");
  const auto model = build_model(spec, image, 10);
  EXPECT_EQ(forward_flop(*model->layers()[0].module, image), 2.0 * 14 * 14 * 8 * 4);
}

TEST(SummaryTest, RunningStatisticsAreNotLearned) {
  const ModelSpec spec =
      parse_model("name: 'm' layer { name: 'n' batch_norm2d {} } layer { name: 'f' flatten {} }",
                  "net.textproto");
  const auto model = build_model(spec, {4, 2, 3, 1}, 6);
  EXPECT_THAT(model_summary("m", *model, {4, 2, 3, 1}),
              HasSubstr("total                        2 "));
}

TEST(SummaryTest, TheDataSetIsNamedAndCounted) {
  EXPECT_EQ(data_summary(dataset("toy/train", 12345, 3), dataset("toy/test", 10, 3)),
            "toy/train: 12,345 images [1, 2, 3]\n"
            "toy/test: 10 images [1, 2, 3]\n"
            "3 classes: 0, 1, 2\n");
}

TEST(SummaryTest, ManyClassesAreCutShortAndADigestIsShown) {
  EXPECT_EQ(data_summary(dataset("toy/train", 1, 47), dataset("toy/test", 1, 47), "sha256:ab12"),
            "toy/train: 1 images [1, 2, 3]\n"
            "toy/test: 1 images [1, 2, 3]\n"
            "47 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...\n"
            "digest sha256:ab12\n");
}

}  // namespace
}  // namespace convoy::launcher
