#include "relay/settings.hpp"

#include "relay/letters_apart.hpp"

#include <algorithm>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace plankurier::relay {

struct Settings::Shared {
    std::string file;
    toml::table table;
    std::set<std::string> known;
};

namespace {

std::string place_of(const toml::source_region& region) {
    return ", line " + std::to_string(region.begin.line) + ", column " +
           std::to_string(region.begin.column) + ": ";
}

std::string type_name(toml::node_type type) {
    switch (type) {
    case toml::node_type::string: return "a text";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number with a point";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::array: return "a list";
    case toml::node_type::table: return "a table";
    default: return "a date or time";
    }
}

std::string expected(const std::string& what, const toml::node& found) {
    return "must be " + what + ", not " + type_name(found.type());
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

std::string range_text(std::int64_t min, std::int64_t max) {
    const std::string from = "a whole number from " + std::to_string(min);
    return max == std::numeric_limits<std::int64_t>::max() ? from + " on"
                                                           : from + " to " + std::to_string(max);
}

} // namespace

Settings::Settings(const std::filesystem::path& file)
    : shared_(std::make_shared<Shared>()), table_(&shared_->table) {
    shared_->file = file.string();
    try {
        shared_->table = toml::parse_file(shared_->file);
    } catch (const toml::parse_error& error) {
        const std::string what{error.description()};
        const bool is_encoding = what.find("utf-8") != what.npos || what.find("UTF-8") != what.npos;
        throw std::runtime_error(shared_->file + place_of(error.source()) + what +
                                 (is_encoding ? ": save the file as UTF-8" : ""));
    }
}

Settings::Settings(std::shared_ptr<Shared> shared, const toml::table* table, std::string prefix)
    : shared_(std::move(shared)), table_(table), prefix_(std::move(prefix)) {}

const toml::table& Settings::table_of(const toml::node& node, const std::string& name) const {
    if (const auto* table = node.as_table()) return *table;
    throw std::runtime_error(shared_->file + place_of(node.source()) + name + " " +
                             expected("a table", node));
}

const toml::node* Settings::look(std::string_view path) const {
    const toml::table* table = table_;
    for (std::size_t begin = 0;;) {
        const std::size_t end = std::min(path.find('.', begin), path.size());
        const toml::node* node = table->get(path.substr(begin, end - begin));
        if (node == nullptr || end == path.size()) return node;
        table = &table_of(*node, prefix_ + std::string{path.substr(0, end)});
        begin = end + 1;
    }
}

const toml::node* Settings::find(std::string_view path) const {
    shared_->known.insert(prefix_ + std::string{path});
    return look(path);
}

std::vector<Settings::Part> Settings::parts(std::string_view path) const {
    std::vector<Part> out;
    const std::string name = prefix_ + std::string{path};
    const toml::node* node = look(path);
    const auto* list = node == nullptr ? nullptr : node->as_array();
    const auto* all = node == nullptr ? nullptr : node->as_table();
    if (node == nullptr || (list != nullptr && list->empty()) || (all != nullptr && all->empty())) {
        shared_->known.insert(name); // it has no parts that could be known
        return out;
    }
    if (list != nullptr) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            const std::string one = name + "[" + std::to_string(i) + "]";
            out.push_back({{}, {shared_, &table_of((*list)[i], one), one + "."}});
        }
        return out;
    }
    for (const auto& [key, entry] : table_of(*node, name)) {
        const std::string id{key.str()};
        const std::string one = name + "." + id;
        out.push_back({id, {shared_, &table_of(entry, one), one + "."}});
    }
    return out;
}

void Settings::refuse(std::string_view path, const std::string& why) const {
    const toml::node* node = path.empty() ? nullptr : look(path);
    std::string name = prefix_ + std::string{path};
    if (path.empty() && !name.empty()) name.pop_back(); // the table's own name
    const bool has_place = node != nullptr || !prefix_.empty();
    throw std::runtime_error(
        shared_->file +
        (has_place ? place_of(node != nullptr ? node->source() : table_->source()) : ": ") + name +
        " " + why);
}

/// Of the names that somebody asked for: the one that differs in the fewest letters, in its table
/// or in another one. Empty when none is near.
std::string Settings::nearest(const std::string& name) const {
    std::string best;
    std::size_t least = std::max<std::size_t>(3, last_part(name).size() / 3 + 1);
    for (const std::string& known : shared_->known) {
        const std::size_t elsewhere = letters_apart(last_part(name), last_part(known)) + 1;
        const std::size_t far = std::min(letters_apart(name, known), elsewhere);
        // Of two that are as near: the shorter one, which is for all and not for one department.
        if (far < least || (far == least && !best.empty() && known.size() < best.size())) {
            least = far;
            best = known;
        }
    }
    return best;
}

void Settings::gather_unknown(const toml::node& node, const std::string& name,
                              std::vector<std::string>& out) const {
    if (shared_->known.contains(name)) return;
    const auto begins = shared_->known.lower_bound(name + ".");
    const auto* table = node.as_table();
    const bool has_known = begins != shared_->known.end() && begins->starts_with(name + ".");
    if (table != nullptr && has_known) {
        for (const auto& [key, entry] : *table) {
            gather_unknown(entry, name + "." + std::string{key.str()}, out);
        }
        return;
    }
    const auto* list = node.as_array();
    const bool is_tables = list != nullptr && list->is_array_of_tables();
    const auto parts = shared_->known.lower_bound(name + "[");
    if (is_tables && parts != shared_->known.end() && parts->starts_with(name + "[")) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            gather_unknown((*list)[i], name + "[" + std::to_string(i) + "]", out);
        }
        return;
    }
    const std::string near = nearest(name);
    out.push_back(shared_->file + place_of(node.source()) + "there is no " +
                  (table != nullptr || is_tables ? "table " : "setting ") + name +
                  (near.empty() ? "" : ", did you mean " + near + "?"));
}

void Settings::refuse_unknown() const {
    std::vector<std::string> unknown;
    for (const auto& [key, entry] : *table_) {
        gather_unknown(entry, prefix_ + std::string{key.str()}, unknown);
    }
    std::string text;
    for (const std::string& one : unknown) text += (text.empty() ? "" : "\n") + one;
    if (!text.empty()) throw std::runtime_error(text);
}

void take(const Settings& settings, std::string_view path, std::string& target) {
    const auto* node = settings.find(path);
    if (node == nullptr) return;
    if (!node->is_string()) settings.refuse(path, expected("a text in quotes", *node));
    target = node->as_string()->get();
}

void take(const Settings& settings, std::string_view path, bool& target) {
    const auto* node = settings.find(path);
    if (node == nullptr) return;
    if (!node->is_boolean()) settings.refuse(path, expected("true or false", *node));
    target = node->as_boolean()->get();
}

void take(const Settings& settings, std::string_view path, std::vector<std::string>& target) {
    const auto* node = settings.find(path);
    if (node == nullptr) return;
    const auto* list = node->as_array();
    if (list == nullptr) settings.refuse(path, expected("a list of texts in [ ]", *node));
    target.clear();
    for (const toml::node& one : *list) {
        if (!one.is_string()) {
            settings.refuse(path, "must be a list of texts; one of it is " + type_name(one.type()));
        }
        target.push_back(one.as_string()->get());
    }
}

void take(const Settings& settings, std::string_view path, std::int64_t& target, std::int64_t min,
          std::int64_t max) {
    const auto* node = settings.find(path);
    if (node == nullptr) return;
    if (!node->is_integer()) settings.refuse(path, expected(range_text(min, max), *node));
    const std::int64_t value = node->as_integer()->get();
    if (value < min || value > max) {
        settings.refuse(path,
                        "is " + std::to_string(value) + ", it must be " + range_text(min, max));
    }
    target = value;
}

void take_count(const Settings& settings, std::string_view path, std::size_t& target,
                std::int64_t min, std::int64_t max) {
    auto value = static_cast<std::int64_t>(target);
    take(settings, path, value, min, max);
    target = static_cast<std::size_t>(value);
}

void take_gib(const Settings& settings, std::string_view path, std::uint64_t& bytes,
              std::int64_t gib_min) {
    auto gib = static_cast<std::int64_t>(bytes >> 30);
    take(settings, path, gib, gib_min, std::int64_t{1} << 22);
    bytes = static_cast<std::uint64_t>(gib) << 30;
}

void take_mib(const Settings& settings, std::string_view path, std::uint64_t& bytes,
              std::int64_t mib_min, std::int64_t mib_max) {
    auto mib = static_cast<std::int64_t>(bytes >> 20);
    take(settings, path, mib, mib_min, mib_max);
    bytes = static_cast<std::uint64_t>(mib) << 20;
}

void take_port(const Settings& settings, std::string_view path, std::uint16_t& target) {
    std::int64_t port = target;
    take(settings, path, port, 1, 65'535);
    target = static_cast<std::uint16_t>(port);
}

void take_path(const Settings& settings, std::string_view path, const std::filesystem::path& base,
               std::filesystem::path& target) {
    std::string text;
    take(settings, path, text);
    if (!text.empty()) target = base / text; // an absolute path replaces the base
}

} // namespace plankurier::relay
