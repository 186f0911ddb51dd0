#include "launcher/model_rules.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "convoy/v1/rule.pb.h"
#include "core/base/check.h"
#include "launcher/rule.h"

namespace convoy::launcher {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Tree = google::protobuf::TextFormat::ParseInfoTree;

constexpr std::size_t kMaxNameLength = 64;

// A message on the way down, and how to speak of it.
struct Position {
  std::string source;
  const Tree* tree;   // nullptr where the parser kept no positions
  std::string place;  // of the message itself
  std::string what;   // "layer 'c1' (conv2d): "
};

// Where `field` is given for the index-th time. Of a list, as in stride: [1, 2], the parser keeps
// only the beginning.
std::string place_of(const Position& in, const FieldDescriptor* field, int index) {
  if (in.tree != nullptr) {
    auto location = in.tree->GetLocation(field, index);
    if (location.line < 0 && index > 0) {
      location = in.tree->GetLocation(field, 0);
    }
    if (location.line >= 0) {
      return fmt::format("{}:{}:{}", in.source, location.line + 1, location.column + 1);
    }
  }
  return in.place;
}

// The number that a field holds; none for booleans, strings, messages and the words of an enum.
std::optional<double> number(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection* reflection = message.GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return repeated ? reflection->GetRepeatedInt32(message, field, index)
                      : reflection->GetInt32(message, field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return repeated ? reflection->GetRepeatedDouble(message, field, index)
                      : reflection->GetDouble(message, field);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value = repeated ? reflection->GetRepeatedEnumValue(message, field, index)
                                 : reflection->GetEnumValue(message, field);
      return field->enum_type()->FindValueByNumber(value) != nullptr ? std::nullopt
                                                                     : std::optional<double>(value);
    }
    default:
      return std::nullopt;
  }
}

const FieldDescriptor* layer_name_field() {
  return v1::Layer::descriptor()->FindFieldByNumber(v1::Layer::kNameFieldNumber);
}

bool is_name(std::string_view text) {
  const bool letters = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  return letters && !text.empty() && text.size() <= kMaxNameLength && text.front() != '.' &&
         text.back() != '.';
}

void check_value(const Message& message, const FieldDescriptor* field, int index,
                 const v1::Rule& rule, const Position& in) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    const std::string text = message.GetReflection()->GetString(message, field);
    if (!is_name(text)) {
      fail("{}: {}name {:?}: 1 to {} letters, digits, '_', '-' or '.', with no '.' at either end",
           place_of(in, field, index), in.what, text.substr(0, kMaxNameLength), kMaxNameLength);
    }
    return;
  }
  const std::optional<double> value = number(message, field, index);
  if (!value) {
    return;
  }
  // An enum takes numbers that are none of its words only where the rule gives a range.
  const bool word_only = field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM && !rule.has_min();
  if (word_only) {
    fail("{}: {}{}: {} is none of its words", place_of(in, field, index), in.what, field->name(),
         *value);
  }
  if (!accepts(rule, *value)) {
    fail("{}: {}{} is {}; it must be {}", place_of(in, field, index), in.what, field->name(),
         *value, range_text(rule));
  }
}

Position descend(const Message& child, const FieldDescriptor* field, int index,
                 const Position& in) {
  Position down = in;
  down.place = place_of(in, field, index);
  down.tree = in.tree == nullptr ? nullptr : in.tree->GetTreeForNested(field, index);
  if (child.GetDescriptor() == v1::Layer::descriptor()) {
    down.place = place_of(down, layer_name_field(), -1);
    const auto& layer = static_cast<const v1::Layer&>(child);
    const std::string kind = kind_name(layer);
    down.what = is_name(layer.name()) ? fmt::format("layer '{}'", layer.name())
                                      : fmt::format("layer number {}", index + 1);
    down.what += kind.empty() ? ": " : fmt::format(" ({}): ", kind);
  } else if (in.what.empty()) {
    down.what = field->name() + ": ";
  }
  return down;
}

void check_message(const Message& message, const Position& in) {
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    const v1::Rule& rule = field->options().GetExtension(v1::rule);
    const int count = field->is_repeated() ? reflection->FieldSize(message, field)
                                           : (reflection->HasField(message, field) ? 1 : 0);
    if (count == 0 && rule.required()) {
      fail("{}: {}{} is missing", in.place, in.what, field->name());
    }
    if (rule.max_count() > 0 && count > rule.max_count()) {
      fail("{}: {}{} is given {} times; at most {}{}", place_of(in, field, rule.max_count()),
           in.what, field->name(), count, rule.max_count(),
           rule.max_count() == 2 ? ": height, width" : "");
    }
    for (int j = 0; j < count; ++j) {
      const int index = field->is_repeated() ? j : -1;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        const Message& child = field->is_repeated()
                                   ? reflection->GetRepeatedMessage(message, field, j)
                                   : reflection->GetMessage(message, field);
        check_message(child, descend(child, field, index, in));
      } else {
        check_value(message, field, index, rule, in);
      }
    }
  }
}

}  // namespace

std::string kind_name(const v1::Layer& layer) {
  const auto* kind =
      v1::Layer::descriptor()->FindFieldByNumber(static_cast<int>(layer.kind_case()));
  return kind == nullptr ? "" : kind->name();
}

std::string layer_place(const ParsedPlaces& places, int index) {
  const auto* field = v1::Model::descriptor()->FindFieldByNumber(v1::Model::kLayerFieldNumber);
  // The position of its name, because a list, layer: [{...}, {...}], has one position for all.
  return place_of({places.source, places.tree.GetTreeForNested(field, index), places.source, ""},
                  layer_name_field(), -1);
}

void check_rules(const v1::Model& model, const ParsedPlaces& places) {
  check_message(model, {places.source, &places.tree, places.source, ""});
  std::map<std::string_view, int> seen;
  for (int i = 0; i < model.layer_size(); ++i) {
    const v1::Layer& layer = model.layer(i);
    if (layer.kind_case() == v1::Layer::KIND_NOT_SET) {
      fail("{}: layer '{}' has no kind: write what it is, as in layer {{ name: \"{}\" relu {{}} }}",
           layer_place(places, i), layer.name(), layer.name());
    }
    const auto [first, fresh] = seen.try_emplace(layer.name(), i);
    if (!fresh) {
      fail("{}: layer '{}' ({}): {} is called that too; give it another name",
           layer_place(places, i), layer.name(), kind_name(layer),
           layer_place(places, first->second));
    }
  }
}

}  // namespace convoy::launcher
