#pragma once
/// A folder that is gone after the test: in TMPDIR if that is set, else in memory where the system
/// has such a place, since thousands of fsyncs on a busy disk take minutes. One thread at a time.

#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace plankurier::test {

class TempFolder {
public:
    TempFolder() : TempFolder(usual_place()) {}
    /// In another place.
    explicit TempFolder(const std::filesystem::path& parent) {
        std::string pattern = parent / "plankurier-test-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = pattern;
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    static std::filesystem::path usual_place() {
        const std::filesystem::path memory{"/dev/shm"};
        const bool wanted = std::getenv("TMPDIR") == nullptr && ::access(memory.c_str(), W_OK) == 0;
        return wanted ? memory : std::filesystem::temp_directory_path();
    }
    std::filesystem::path path_;
};

} // namespace plankurier::test
