// Flags for the fields of v1::Recipe: names, types, ranges and words come from the schema, so that
// flags and model files cannot come to differ.
#include <algorithm>
#include <array>
#include <cctype>

#include "launcher/flags.h"

namespace convoy::launcher {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

struct FieldFlag {
  const char* field;
  const char* value;
  const char* help;
};

// In the order that --help shows. `augment` is a flag of another kind.
constexpr std::array kFlags = {
    FieldFlag{"epochs", "N", "Passes over the training images [15]"},
    FieldFlag{"batch_size", "N", "Images per step, over all processes together [32]"},
    FieldFlag{"optimizer", "NAME", "adam, adamw or sgd [adam]"},
    FieldFlag{"lr", "X", "Learning rate; with one_cycle its peak [0.001]"},
    FieldFlag{"momentum", "X", "Of sgd [0]"},
    FieldFlag{"nesterov", "", "Let sgd look ahead; needs a momentum"},
    FieldFlag{"weight_decay", "X", "Pull of parameters to zero [0; adamw 0.01]"},
    FieldFlag{"label_smoothing", "X", "Probability spread over all classes [0]"},
    FieldFlag{"clip_norm", "X", "Largest norm of the gradient; 0: any [0]"},
    FieldFlag{"schedule", "NAME", "constant, step, cosine or one_cycle [constant]"},
    FieldFlag{"precision", "NAME", "float32 or bf16 (needs AVX512-BF16) [float32]"},
    FieldFlag{"warmup_steps", "N", "Steps in which the learning rate first rises [0]"},
    FieldFlag{"step_size", "N", "step: epochs from one reduction to the next"},
    FieldFlag{"gamma", "X", "step: factor of a reduction [0.1]"},
    FieldFlag{"eta_min", "X", "cosine: last learning rate [0]"},
    FieldFlag{"pct_start", "X", "one_cycle: part of the steps on the way up [0.3]"},
    FieldFlag{"div_factor", "X", "one_cycle: peak / first learning rate [25]"},
    FieldFlag{"final_div_factor", "X", "one_cycle: first / last learning rate [10000]"},
};

std::string flag_name(const std::string& field) {
  std::string name = "--" + field;
  std::ranges::replace(name, '_', '-');
  return name;
}

// "ONE_CYCLE" as a person types it: "one_cycle".
std::vector<std::string> words_of(const EnumDescriptor* type) {
  std::vector<std::string> words;
  for (int i = 0; i < type->value_count(); ++i) {
    words.push_back(type->value(i)->name());
    std::ranges::transform(words.back(), words.back().begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  return words;
}

void set_field(v1::Recipe& recipe, const FieldDescriptor* field, const std::string& name,
               const std::string& text) {
  const Reflection* reflection = recipe.GetReflection();
  const v1::Rule& rule = field->options().GetExtension(v1::rule);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      v1::Rule bounded = rule;
      if (!bounded.has_max()) {
        bounded.set_max(std::numeric_limits<std::int32_t>::max());
      }
      reflection->SetInt32(&recipe, field,
                           static_cast<std::int32_t>(parse_whole(name, text, bounded)));
      return;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const std::vector<std::string> words = words_of(field->enum_type());
      const auto index = static_cast<int>(parse_word(name, text, words));
      reflection->SetEnum(&recipe, field, field->enum_type()->value(index));
      return;
    }
    default:
      reflection->SetDouble(&recipe, field, parse_number(name, text, rule));
  }
}

}  // namespace

void add_recipe_flags(CLI::App& app, v1::Recipe& recipe) {
  for (const FieldFlag& entry : kFlags) {
    const FieldDescriptor* field = v1::Recipe::descriptor()->FindFieldByName(entry.field);
    const Flag flag = {.name = flag_name(entry.field),
                       .value = entry.value,
                       .help = entry.help,
                       .group = "Recipe (default: the model's; in brackets if that says nothing)"};
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
      add_switch(app, flag, [&recipe, field](bool on) {
        recipe.GetReflection()->SetBool(&recipe, field, on);
      });
    } else {
      add_value(app, flag, [&recipe, field, name = flag.name](const std::string& text) {
        set_field(recipe, field, name, text);
      });
    }
  }
}

}  // namespace convoy::launcher
