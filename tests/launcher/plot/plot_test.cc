// Pictures are drawn to files and read back as pixels.
#include <cairo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "launcher/plot/confusion_picture.h"
#include "launcher/plot/curves.h"
#include "launcher/plot/image_grid.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::plot {
namespace {

using launcher::EpochMetrics;
using ::testing::HasSubstr;

std::uint32_t code(Colour colour) {
  const auto byte = [](double share) {
    return static_cast<std::uint32_t>(std::lround(share * 255));
  };
  return byte(colour.red) << 16 | byte(colour.green) << 8 | byte(colour.blue);
}

// A PNG's pixels as 0xRRGGBB.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint32_t> pixels = {};

  std::uint32_t at(int x, int y) const {
    return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(x)];
  }
  std::ptrdiff_t count(Colour colour) const { return std::ranges::count(pixels, code(colour)); }
};

Picture read_png(const std::filesystem::path& path) {
  cairo_surface_t* surface = cairo_image_surface_create_from_png(path.c_str());
  EXPECT_EQ(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS) << path;
  Picture picture = {.width = cairo_image_surface_get_width(surface),
                     .height = cairo_image_surface_get_height(surface)};
  const unsigned char* rows = cairo_image_surface_get_data(surface);
  for (int y = 0; y < picture.height; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(
        rows + static_cast<std::ptrdiff_t>(y) * cairo_image_surface_get_stride(surface));
    for (int x = 0; x < picture.width; ++x) {
      picture.pixels.push_back(row[x] & 0xFFFFFF);
    }
  }
  cairo_surface_destroy(surface);
  return picture;
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class PlotTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name) const { return directory_.path() / name; }
  bool is_empty() const { return std::filesystem::is_empty(directory_.path()); }

 private:
  testing::TemporaryDirectory directory_;
};

using CanvasTest = PlotTest;

TEST_F(CanvasTest, ImageKeepsItsPixelsSharp) {
  const std::vector<std::uint8_t> pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7};
  Canvas canvas(file("a.png"), 20, 20);
  canvas.image({.x = 5, .y = 5, .width = 10, .height = 10}, {pixels, 2, 2, 3});
  canvas.save();
  const Picture picture = read_png(file("a.png"));
  EXPECT_EQ(picture.width, 40);
  EXPECT_EQ(picture.count(rgb(0xFF0000)), 100);
  EXPECT_EQ(picture.count(rgb(0x00FF00)), 100);
  EXPECT_EQ(picture.count(rgb(0x0000FF)), 100);
  EXPECT_EQ(picture.count(rgb(0x090807)), 100);
  EXPECT_EQ(picture.count(kPaper), 40 * 40 - 400);
  EXPECT_EQ(picture.at(10, 10), 0xFF0000U);
  EXPECT_EQ(picture.at(29, 10), 0x00FF00U);
}

TEST_F(CanvasTest, GreyImageIsGrey) {
  const std::vector<std::uint8_t> pixels = {7, 200};
  Canvas canvas(file("a.png"), 4, 2);
  canvas.image({.x = 0, .y = 0, .width = 4, .height = 2}, {pixels, 1, 2, 1});
  canvas.save();
  const Picture picture = read_png(file("a.png"));
  EXPECT_EQ(picture.at(0, 0), 0x070707U);
  EXPECT_EQ(picture.at(7, 3), 0xC8C8C8U);
}

TEST_F(CanvasTest, SvgIsAnSvg) {
  Canvas canvas(file("a.svg"), 30, 20);
  canvas.text({5, 5}, "text");
  canvas.save();
  EXPECT_THAT(text_of(file("a.svg")), HasSubstr("<svg xmlns"));
  EXPECT_THAT(text_of(file("a.svg")), HasSubstr("viewBox=\"0 0 30 20\""));
}

TEST_F(CanvasTest, TextLeavesNoTraceInTheNextLine) {
  Canvas canvas(file("a.png"), 100, 40);
  canvas.text({5, 5}, ".", {.colour = kInk});
  canvas.line({0, 30}, {100, 30}, kRed, 2);
  canvas.save();
  const Picture picture = read_png(file("a.png"));
  EXPECT_EQ(picture.count(kRed), 200 * 4);
}

TEST_F(CanvasTest, TextIsAlignedToItsPoint) {
  const auto ink_columns = [&](Align align) {
    Canvas canvas(file("a.png"), 100, 20);
    canvas.text({50, 10}, "HHHH", {.align = align});
    canvas.save();
    const Picture picture = read_png(file("a.png"));
    std::vector<int> columns;
    for (int x = 0; x < picture.width; ++x) {
      if (picture.at(x, 20) == code(kInk)) {
        columns.push_back(x);
      }
    }
    return std::pair(columns.front(), columns.back());
  };
  EXPECT_GE(ink_columns(Align::kLeft).first, 100);
  EXPECT_LE(ink_columns(Align::kRight).second, 100);
  const auto [first, last] = ink_columns(Align::kCentre);
  EXPECT_NEAR((first + last) / 2.0, 100, 2);
}

TEST_F(CanvasTest, TextThatIsNotUtf8IsDrawnAllTheSame) {
  Canvas canvas(file("a.png"), 100, 20);
  canvas.text({0, 10}, "H\xFF\x01H");
  canvas.save();
  EXPECT_GT(read_png(file("a.png")).count(kInk), 0);
}

TEST_F(CanvasTest, NameOfAnotherKindIsRefused) {
  testing::expect_error([&] { check_picture_path("a.jpg"); }, "a.jpg", ".png or .svg");
  testing::expect_error([&] { Canvas(file("a"), 10, 10); }, "must end in .png or .svg");
}

TEST_F(CanvasTest, PageBeyondReasonIsRefused) {
  testing::expect_error([&] { Canvas(file("a.png"), 20000, 10); }, "20000 x 10", "too large");
  testing::expect_error([&] { Canvas(file("a.png"), 10000, 10000); }, "too large");
  testing::expect_error([&] { Canvas(file("a.png"), 0, 10); }, "0 x 10");
}

TEST_F(CanvasTest, ImageOfAnotherSizeThanItsBytesIsRefused) {
  const std::vector<std::uint8_t> pixels(12);
  Canvas canvas(file("a.png"), 10, 10);
  testing::expect_error([&] { canvas.image({}, {pixels, 4, 4, 1}); }, "4 x 4 x 1 has 12 bytes");
  testing::expect_error([&] { canvas.image({}, {pixels, 3, 2, 2}); }, "2 channels");
  testing::expect_error([&] { canvas.image({}, {pixels, 0, 0, 1}); }, "0 x 0");
}

TEST_F(CanvasTest, FileThatCannotBeWrittenIsNamedWithTheReason) {
  Canvas canvas(file("none/a.png"), 10, 10);
  testing::expect_error([&] { canvas.save(); }, file("none/a.png").string(),
                        "No such file or directory");
  EXPECT_TRUE(is_empty());
}

using CurvesTest = PlotTest;

EpochMetrics epoch(int number) {
  return {.epoch = number,
          .train_loss = 0.1 / number,
          .train_accuracy = 1 - 0.05 / number,
          .test_loss = 0.05 / number,
          .test_accuracy = 1 - 0.02 / number};
}

std::vector<EpochMetrics> epochs(int count) {
  std::vector<EpochMetrics> all;
  for (int i = 1; i <= count; ++i) {
    all.push_back(epoch(i));
  }
  return all;
}

TEST_F(CurvesTest, AnyNumberOfEpochsShowsBothCurves) {
  for (const int count : {1, 2, 15, 100, 1000}) {
    draw_curves(file("a.png"), epochs(count), {.header = {"title", "subtitle"}});
    const Picture picture = read_png(file("a.png"));
    EXPECT_GT(picture.count(kBlue), 200) << count;
    EXPECT_GT(picture.count(kVermillion), 200) << count;
    draw_curves(file("a.svg"), epochs(count), {});
    EXPECT_THAT(text_of(file("a.svg")), HasSubstr("<svg xmlns"));
  }
}

TEST_F(CurvesTest, WithoutATestThereIsOneCurve) {
  std::vector<EpochMetrics> untested = epochs(5);
  for (EpochMetrics& metrics : untested) {
    metrics.test_loss = metrics.test_accuracy = EpochMetrics::kNone;
  }
  draw_curves(file("a.png"), untested, {});
  const Picture picture = read_png(file("a.png"));
  EXPECT_GT(picture.count(kBlue), 200);
  EXPECT_EQ(picture.count(kVermillion), 0);
}

TEST_F(CurvesTest, ValuesThatAreNotFiniteLeaveGaps) {
  std::vector<EpochMetrics> whole = epochs(100);
  std::vector<EpochMetrics> torn = whole;
  for (std::size_t i = 30; i < 90; ++i) {
    torn[i].train_loss = torn[i].train_accuracy = i % 2 == 0 ? EpochMetrics::kNone : HUGE_VAL;
  }
  draw_curves(file("whole.png"), whole, {});
  draw_curves(file("torn.png"), torn, {});
  EXPECT_LT(read_png(file("torn.png")).count(kBlue),
            read_png(file("whole.png")).count(kBlue) * 3 / 4);
}

TEST_F(CurvesTest, StrangeValuesAreDrawn) {
  for (const double value : {EpochMetrics::kNone, HUGE_VAL, 0.0, -1.0, 1e-300, 1e300}) {
    std::vector<EpochMetrics> strange = epochs(3);
    for (EpochMetrics& metrics : strange) {
      metrics.train_loss = metrics.test_loss = metrics.train_accuracy = value;
    }
    draw_curves(file("a.png"), strange, {});
    EXPECT_EQ(read_png(file("a.png")).width, 1920);
  }
}

TEST_F(CurvesTest, NothingToShowIsRefused) {
  testing::expect_error([&] { draw_curves(file("a.png"), {}, {}); }, "no epoch");
}

using ImageGridTest = PlotTest;

PredictedImage image(const std::string& predicted, const std::string& truth) {
  static const std::vector<std::uint8_t> grey(28 * 28, 128);
  return {.image = {grey, 28, 28, 1}, .predicted = predicted, .truth = truth, .confidence = 0.9};
}

TEST_F(ImageGridTest, OnlyWrongPredictionsAreRed) {
  const std::vector<PredictedImage> right = {image("1", "1"), image("2", "2"), image("3", "")};
  draw_image_grid(file("a.png"), right, {});
  EXPECT_EQ(read_png(file("a.png")).count(kRed), 0);
  const std::vector<PredictedImage> wrong = {image("1", "1"), image("2", "3")};
  draw_image_grid(file("a.png"), wrong, {});
  // The frame alone: four sides of 84 units, 2.5 thick, at two pixels a unit.
  EXPECT_GT(read_png(file("a.png")).count(kRed), 4 * 168 * 4);
}

TEST_F(ImageGridTest, EveryImageIsDrawnAtOneSize) {
  for (const int count : {1, 7, 40, 100}) {
    const std::vector<PredictedImage> images(static_cast<std::size_t>(count), image("1", "1"));
    draw_image_grid(file("a.png"), images, {.header = {"title", "subtitle"}});
    EXPECT_GE(read_png(file("a.png")).count(rgb(0x808080)), count * 168 * 168);
  }
}

TEST_F(ImageGridTest, LargeAndOblongImagesFit) {
  const std::vector<std::uint8_t> pixels(std::size_t{600} * 300 * 3, 128);
  const std::vector<PredictedImage> images(
      3, {.image = {pixels, 600, 300, 3}, .predicted = "a name that is much too long to be shown"});
  draw_image_grid(file("a.png"), images, {.columns = 3});
  EXPECT_LT(read_png(file("a.png")).width, 1000);
}

TEST_F(ImageGridTest, TooManyImagesAreRefused) {
  const std::vector<PredictedImage> images(20000, image("1", "1"));
  testing::expect_error([&] { draw_image_grid(file("a.png"), images, {}); },
                        "too large; draw fewer images");
  testing::expect_error([&] { draw_image_grid(file("a.png"), {}, {}); }, "no image");
}

TEST(GridColumnsTest, FewPlacesAreLeftEmpty) {
  EXPECT_EQ(grid_columns(1), 1);
  EXPECT_EQ(grid_columns(10), 5);
  EXPECT_EQ(grid_columns(40), 8);
  EXPECT_EQ(grid_columns(100), 10);
  for (int count = 1; count <= 1000; ++count) {
    const int columns = grid_columns(count);
    const int rows = (count + columns - 1) / columns;
    EXPECT_GE(columns, rows) << count;
    EXPECT_LE(columns * rows - count, columns / 2 + 1) << count;
  }
}

using ConfusionPictureTest = PlotTest;

launcher::ConfusionMatrix matrix(int classes, int mistakes) {
  std::vector<std::string> names(static_cast<std::size_t>(classes));
  for (int i = 0; i < classes; ++i) {
    names[static_cast<std::size_t>(i)] = "class " + std::to_string(i);
  }
  launcher::ConfusionMatrix matrix(names);
  for (int i = 0; i < classes; ++i) {
    matrix.add(i, i, 100 - mistakes);
    matrix.add(i, (i + 1) % classes, mistakes);
  }
  return matrix;
}

TEST_F(ConfusionPictureTest, PerfectModelHasOnlyBlueSquares) {
  for (const int classes : {2, 10, 47, 100}) {
    draw_confusion(file("a.png"), matrix(classes, 0), "title");
    const Picture picture = read_png(file("a.png"));
    EXPECT_GT(picture.count(kBlue), classes * 15 * 15) << classes;
    EXPECT_EQ(picture.count(kVermillion), 0) << classes;
  }
}

TEST_F(ConfusionPictureTest, LargestMistakeStandsOut) {
  draw_confusion(file("a.png"), matrix(10, 5), "title");
  EXPECT_GT(read_png(file("a.png")).count(kVermillion), 10 * 60 * 60);
}

TEST_F(ConfusionPictureTest, ClassWithoutImagesIsDrawn) {
  draw_confusion(file("a.svg"), launcher::ConfusionMatrix({"a", "b"}), "");
  EXPECT_THAT(text_of(file("a.svg")), HasSubstr("<svg xmlns"));
}

}  // namespace
}  // namespace convoy::plot
