#include <clients/cli/outputs.hpp>

#include <set>

namespace plankurier::cli {

Result<void> check_apart(std::initializer_list<std::filesystem::path> paths, Console& console) {
    std::set<std::filesystem::path> seen;
    for (const auto& path : paths) {
        if (path.empty()) continue;
        const auto whole = std::filesystem::absolute(path).lexically_normal();
        if (seen.insert(whole).second) continue;
        return console.refuse(Mistake::outputs_same, {printable(path.string())});
    }
    return {};
}

Result<void> check_outputs(std::initializer_list<std::filesystem::path> paths, Console& console) {
    if (auto apart = check_apart(paths, console); !apart) return apart;
    for (const auto& path : paths) {
        if (path.empty()) continue;
        if (auto free = check_output(path); !free) return naming(console, path, std::move(free));
    }
    return {};
}

Result<void> write_pair(const std::filesystem::path& first, ByteView first_content,
                        const std::filesystem::path& second, ByteView second_content,
                        Console& console) {
    if (auto free = check_outputs({first, second}, console); !free) return free;
    if (auto written = write_new_file(first, first_content); !written) {
        return naming(console, first, std::move(written));
    }
    auto written = write_new_file(second, second_content);
    if (!written) {
        std::error_code ignored;
        std::filesystem::remove(first, ignored);
        return naming(console, second, std::move(written));
    }
    return {};
}

} // namespace plankurier::cli
