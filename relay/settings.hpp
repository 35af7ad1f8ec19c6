#pragma once
/// The values of one relay.toml, each with its place, its type and its range. What nobody asked for
/// is found as unknown. One thread.

#include <toml++/toml.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace plankurier::relay {

/// A table of the file (at first the whole of it) and the names that were asked for so far.
class Settings {
public:
    /// Throws std::runtime_error with file, line and column.
    explicit Settings(const std::filesystem::path& file);
    /// The value at a path such as "limits.transfer_gib_max", below this table; nullptr where the
    /// file says nothing. From now on the name is a known one.
    [[nodiscard]] const toml::node* find(std::string_view path) const;
    /// The tables that a table of tables holds ("departments") or a list of tables ("rules").
    struct Part;
    [[nodiscard]] std::vector<Part> parts(std::string_view path) const;
    /// Throws std::runtime_error: where `path` stands (else this table), its whole name, and `why`,
    /// which goes on after the name.
    [[noreturn]] void refuse(std::string_view path, const std::string& why) const;
    /// Throws std::runtime_error that names every setting below this table that nobody has asked
    /// for, with its place and the nearest name that there is.
    void refuse_unknown() const;

private:
    struct Shared;
    Settings(std::shared_ptr<Shared> shared, const toml::table* table, std::string prefix);
    [[nodiscard]] const toml::node* look(std::string_view path) const;
    [[nodiscard]] const toml::table& table_of(const toml::node& node,
                                              const std::string& name) const;
    void gather_unknown(const toml::node& node, const std::string& name,
                        std::vector<std::string>& out) const;
    [[nodiscard]] std::string nearest(const std::string& name) const;

    std::shared_ptr<Shared> shared_;
    const toml::table* table_;
    std::string prefix_; ///< of this table's names, with a dot at its end; or empty
};
struct Settings::Part {
    std::string id; ///< of a table; empty in a list
    Settings settings;
};

/// Each leaves `target` as it is where the file says nothing, and throws std::runtime_error for a
/// value of another type or beyond the range.
void take(const Settings& settings, std::string_view path, std::string& target);
void take(const Settings& settings, std::string_view path, bool& target);
void take(const Settings& settings, std::string_view path, std::vector<std::string>& target);
void take(const Settings& settings, std::string_view path, std::int64_t& target, std::int64_t min,
          std::int64_t max);
inline constexpr std::int64_t count_max = 1'000'000'000;
void take_count(const Settings& settings, std::string_view path, std::size_t& target,
                std::int64_t min = 0, std::int64_t max = count_max);
/// The file counts in GiB or MiB, `bytes` in bytes.
void take_gib(const Settings& settings, std::string_view path, std::uint64_t& bytes,
              std::int64_t gib_min = 1);
void take_mib(const Settings& settings, std::string_view path, std::uint64_t& bytes,
              std::int64_t mib_min, std::int64_t mib_max);
void take_port(const Settings& settings, std::string_view path, std::uint16_t& target);
/// A relative path starts at `base`.
void take_path(const Settings& settings, std::string_view path, const std::filesystem::path& base,
               std::filesystem::path& target);

} // namespace plankurier::relay
