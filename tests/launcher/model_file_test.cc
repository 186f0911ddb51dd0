#include "launcher/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/check.h"
#include "launcher/builtin_models.h"

namespace convoy::launcher {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What parse_model says about `text`; "" if it takes it.
std::string refusal(std::string_view text) {
  try {
    parse_model(text, "net.textproto");
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// A model of one layer, which stands on line 2.
std::string layer(std::string_view text) {
  return fmt::format("name: \"m\"\nlayer {{ name: \"a\" {} }}\n", text);
}

TEST(ModelFileTest, TheExampleOfTheDesignParses) {
  const ModelSpec spec = parse_model(R"(
  name: "example"
  layer { name: "c1" conv2d { out_channels: 8 kernel_size: 3 kernel_size: 5 stride: 2 padding: 1 padding: 2
                              dilation: 1 groups: 1 bias: true padding_mode: REFLECT } }
  layer { name: "n1" batch_norm2d {} }       layer { name: "r1" relu {} }
  layer { name: "p1" max_pool2d { kernel_size: 2 stride: 2 padding: 1 } }
  layer { name: "d1" dropout { p: 0.1 } }    layer { name: "f" flatten {} }
  layer { name: "fc" linear { out_features: 10 bias: true init: XAVIER_UNIFORM } }
  )",
                                     "example.textproto");
  ASSERT_EQ(spec.model.layer_size(), 7);
  const v1::Conv2d& conv = spec.model.layer(0).conv2d();
  EXPECT_THAT(conv.kernel_size(), ElementsAre(3, 5));
  EXPECT_THAT(conv.padding(), ElementsAre(1, 2));
  EXPECT_EQ(conv.padding_mode(), v1::Conv2d::REFLECT);
  EXPECT_EQ(spec.model.layer(6).linear().init(), v1::Layer::XAVIER_UNIFORM);
  EXPECT_EQ(spec.layer_places[0], "example.textproto:3:11");
  EXPECT_EQ(spec.layer_places[2], "example.textproto:5:54");
}

TEST(ModelFileTest, PaddingIsANumberOrAWord) {
  const auto padding = [](std::string_view text) {
    return parse_model(layer(fmt::format("conv2d {{ out_channels: 1 kernel_size: 3 {} }}", text)),
                       "net.textproto")
        .model.layer(0)
        .conv2d()
        .padding();
  };
  EXPECT_THAT(padding("padding: SAME"), ElementsAre(v1::Conv2d::SAME));
  EXPECT_THAT(padding("padding: VALID"), ElementsAre(0));
  EXPECT_THAT(padding("padding: [2, 3]"), ElementsAre(2, 3));
}

TEST(ModelFileTest, EveryBuiltinModelParsesAndIsCalledByItsName) {
  for (const BuiltinModel& builtin : builtin_models()) {
    const ModelSpec spec = load_model(std::string(builtin.name));
    EXPECT_EQ(spec.model.name(), builtin.name);
    EXPECT_EQ(spec.text, builtin.text);
    EXPECT_TRUE(spec.model.has_recipe()) << builtin.name;
  }
  EXPECT_EQ(builtin_models().size(), 3U);
}

TEST(ModelFileTest, LayersMayBeAList) {
  const ModelSpec spec = parse_model(
      "name: 'm' layer: [\n{ name: 'a' relu {} },\n{ name: 'b' flatten {} }]", "net.textproto");
  EXPECT_THAT(spec.layer_places, ElementsAre("net.textproto:2:3", "net.textproto:3:3"));
}

TEST(ModelFileTest, ASyntaxErrorIsPlaced) {
  EXPECT_THAT(refusal("name: \"m\"\nlayer { name \"a\" relu {} }"),
              StartsWith("net.textproto:2:14: Expected \":\""));
  EXPECT_THAT(refusal("name: \"m\"\nlayer { name: \"a\" relu {}"), StartsWith("net.textproto:2:"));
}

TEST(ModelFileTest, AnUnknownLayerGetsTheNearestName) {
  EXPECT_THAT(refusal(layer("conv2 {}")),
              StartsWith("net.textproto:2:25: unknown layer 'conv2' (did you mean 'conv2d'?)"));
  EXPECT_THAT(refusal(layer("ReLU {}")), HasSubstr("(did you mean 'relu'?)"));
  EXPECT_THAT(refusal(layer("lstm {}")),
              HasSubstr("unknown layer 'lstm'\nknown: conv2d, linear, max_pool2d"));
}

TEST(ModelFileTest, AnUnknownFieldGetsTheNearestName) {
  EXPECT_THAT(refusal(layer("conv2d { kernelsize: 3 }")),
              StartsWith("net.textproto:2:38: Conv2d has no field 'kernelsize' (did you mean "
                         "'kernel_size'?)"));
  EXPECT_THAT(refusal(layer("relu { inplace: true }")),
              HasSubstr("Relu has no field 'inplace'\nit has: none"));
  EXPECT_THAT(refusal("recipe { epoch: 3 }"), HasSubstr("(did you mean 'epochs'?)"));
}

TEST(ModelFileTest, AnUnknownWordGetsTheNearestWord) {
  EXPECT_THAT(refusal(layer("conv2d { padding_mode: REFLEKT }")),
              HasSubstr("padding_mode: unknown word 'REFLEKT' (did you mean 'REFLECT'?)"));
  EXPECT_THAT(refusal(layer("linear { init: XAVIER }")),
              HasSubstr("known: DEFAULT, XAVIER_UNIFORM, XAVIER_NORMAL"));
}

TEST(ModelFileTest, AWordGivenAsANumberIsRefused) {
  EXPECT_THAT(refusal(layer("conv2d { out_channels: 1 kernel_size: 1 padding_mode: 7 }")),
              StartsWith("net.textproto:2:59: layer 'a' (conv2d): padding_mode: 7 is none of its "
                         "words"));
}

TEST(ModelFileTest, AValueOutOfRangeIsRefusedWithLayerAndNumbers) {
  EXPECT_EQ(refusal(layer("dropout { p: 1.5 }")),
            "net.textproto:2:29: layer 'a' (dropout): p is 1.5; it must be 0 to 1");
  EXPECT_THAT(refusal(layer("dropout { p: nan }")), HasSubstr("p is nan; it must be 0 to 1"));
  EXPECT_THAT(refusal(layer("conv2d { out_channels: 1 kernel_size: 0 }")),
              HasSubstr("kernel_size is 0; it must be 1 to 16384"));
  EXPECT_THAT(refusal(layer("conv2d { out_channels: 1 kernel_size: 1 padding: -1 }")),
              HasSubstr("layer 'a' (conv2d): padding is -1; it must be 0 to 16384"));
  EXPECT_THAT(refusal(layer("linear { out_features: 99999999999 }")),
              HasSubstr("Integer out of range (99999999999)"));
  EXPECT_THAT(refusal(layer("relu {}") + "recipe { momentum: 1 }"),
              HasSubstr("recipe: momentum is 1; it must be at least 0 and below 1"));
  EXPECT_THAT(refusal(layer("relu {}") + "recipe { clip_norm: inf }"),
              HasSubstr("recipe: clip_norm is inf; it must be"));
  EXPECT_THAT(refusal(layer("relu {}") + "recipe { augment { rotation: 200 } }"),
              HasSubstr("rotation is 200; it must be at least 0 and below 180"));
}

TEST(ModelFileTest, AMissingFieldIsNamed) {
  EXPECT_THAT(refusal(layer("conv2d { kernel_size: 3 }")),
              HasSubstr("layer 'a' (conv2d): out_channels is missing"));
  EXPECT_THAT(refusal(layer("max_pool2d {}")),
              HasSubstr("layer 'a' (max_pool2d): kernel_size is missing"));
  EXPECT_THAT(refusal("layer { name: \"a\" relu {} }"), HasSubstr("name is missing"));
  EXPECT_THAT(refusal("name: \"m\""), HasSubstr("net.textproto: layer is missing"));
  EXPECT_THAT(refusal(""), HasSubstr("name is missing"));
}

TEST(ModelFileTest, ThreeValuesAreNoPair) {
  EXPECT_EQ(refusal(layer("conv2d { out_channels: 1 kernel_size: 1 stride: [1, 2, 3] }")),
            "net.textproto:2:59: layer 'a' (conv2d): stride is given 3 times; at most 2: height, "
            "width");
}

TEST(ModelFileTest, ALayerWithoutNameOrKindIsRefused) {
  EXPECT_EQ(refusal("name: \"m\"\nlayer { relu {} }"),
            "net.textproto:2:1: layer number 1 (relu): name is missing");
  EXPECT_THAT(refusal(layer("")), StartsWith("net.textproto:2:9: layer 'a' has no kind"));
  EXPECT_THAT(refusal(layer("relu {} flatten {}")), HasSubstr("another member of oneof"));
}

TEST(ModelFileTest, TwoLayersOfOneNameAreRefusedWithBothPlaces) {
  EXPECT_EQ(refusal(layer("relu {}") + layer("flatten {}").substr(10)),
            "net.textproto:3:9: layer 'a' (flatten): net.textproto:2:9 is called that too; give it "
            "another name");
}

TEST(ModelFileTest, ANameThatIsNoKeyIsRefused) {
  const std::vector<std::string> names = {"a b", ".a", "a.", "\\377", "a\\n", std::string(65, 'a')};
  for (const std::string& name : names) {
    EXPECT_THAT(refusal(fmt::format("name: \"m\" layer {{ name: \"{}\" relu {{}} }}", name)),
                HasSubstr("1 to 64 letters, digits"))
        << name;
  }
  EXPECT_THAT(refusal("name: \"../m\" layer { name: \"a\" relu {} }"),
              HasSubstr("1 to 64 letters"));
}

TEST(ModelFileTest, TooManyLayersAreRefused) {
  std::string text = "name: \"m\"";
  for (int i = 0; i < 1001; ++i) {
    text += fmt::format(" layer {{ name: \"r{}\" relu {{}} }}", i);
  }
  EXPECT_THAT(refusal(text), HasSubstr("layer is given 1001 times; at most 1000"));
}

TEST(ModelFileTest, OversizedOrBinaryTextIsRefused) {
  EXPECT_THAT(refusal(std::string(kMaxModelBytes + 1, ' ')), HasSubstr("longer than 1048576"));
  EXPECT_THAT(refusal(std::string_view("\x89PNG\r\n\x1a\n\0\0", 10)),
              StartsWith("net.textproto:2: control character 0x1a"));
  EXPECT_NE(refusal(std::string(100000, '{')), "");
}

TEST(ModelFileTest, AFileCannotWriteToTheTerminalThroughMessages) {
  const std::string text = refusal(layer("dropout { p: \"\x1b[2J\" }"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
}

class LoadModelTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(dir_); }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  static std::string load_refusal(const std::string& name) {
    try {
      load_model(name);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  const std::filesystem::path dir_ =
      std::filesystem::path(::testing::TempDir()) / fmt::format("convoy_load_model_{}", ::getpid());
};

TEST_F(LoadModelTest, AFileIsReadAndNamedInErrors) {
  const std::string path = dir_ / "net.textproto";
  std::ofstream(path) << layer("relu {}");
  EXPECT_EQ(load_model(path).model.layer(0).name(), "a");
  std::ofstream(path) << layer("rely {}");
  EXPECT_THAT(load_refusal(path), StartsWith(path + ":2:24: unknown layer 'rely'"));
}

TEST_F(LoadModelTest, AnUnknownNameGetsTheNearestAndTheList) {
  EXPECT_THAT(load_refusal("tutoral"),
              AllOf(StartsWith("no model 'tutoral' (did you mean 'tutorial'?)"),
                    HasSubstr("built in: tutorial, lenet5, best")));
}

TEST_F(LoadModelTest, ADirectoryOrAnEndlessFileIsRefused) {
  EXPECT_THAT(load_refusal(dir_), HasSubstr("cannot read the model file"));
  EXPECT_THAT(load_refusal("/dev/zero"), HasSubstr("longer than 1048576 bytes"));
}

}  // namespace
}  // namespace convoy::launcher
