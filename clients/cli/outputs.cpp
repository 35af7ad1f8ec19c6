#include <clients/cli/outputs.hpp>

#include <set>

namespace plankurier::cli {

std::string shown(const NamedPath& named) {
    const std::string option{named.option};
    return (option.empty() ? "" : option + " ") + printable(named.path.string());
}

Result<void> check_apart(std::initializer_list<NamedPath> paths, Console& console) {
    std::set<std::filesystem::path> seen;
    for (const auto& named : paths) {
        if (named.path.empty()) continue;
        const auto whole = std::filesystem::absolute(named.path).lexically_normal();
        if (seen.insert(whole).second) continue;
        return console.refuse(Mistake::outputs_same, {printable(named.path.string())});
    }
    return {};
}

Result<void> check_outputs(std::initializer_list<NamedPath> paths, Console& console) {
    if (auto apart = check_apart(paths, console); !apart) return apart;
    for (const auto& named : paths) {
        if (named.path.empty()) continue;
        auto free = check_output(named.path);
        if (!free) return naming(console, named, std::move(free));
    }
    return {};
}

Result<void> write_pair(const NamedPath& first, ByteView first_content, const NamedPath& second,
                        ByteView second_content, Console& console) {
    if (auto free = check_outputs({first, second}, console); !free) return free;
    if (auto written = write_new_file(first.path, first_content); !written) {
        return naming(console, first, std::move(written));
    }
    auto written = write_new_file(second.path, second_content);
    if (!written) {
        std::error_code ignored;
        std::filesystem::remove(first.path, ignored);
        return naming(console, second, std::move(written));
    }
    return {};
}

} // namespace plankurier::cli
