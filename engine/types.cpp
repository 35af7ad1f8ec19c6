#include <plankurier/receiving.hpp>

#include <algorithm>
#include <array>

namespace plankurier {

std::string_view media_type(FileType type) noexcept {
    switch (type) {
    case FileType::pdf: return "application/pdf";
    case FileType::jpeg: return "image/jpeg";
    case FileType::png: return "image/png";
    }
    return "application/octet-stream";
}

Result<FileType> type_from_name(std::string_view name) {
    const std::size_t dot = name.find_last_of('.');
    if (dot == std::string_view::npos || dot == 0) return fail(Errc::type_not_allowed, "name");
    std::string extension{name.substr(dot + 1)};
    std::ranges::transform(extension, extension.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (extension == "pdf") return FileType::pdf;
    if (extension == "jpg" || extension == "jpeg") return FileType::jpeg;
    if (extension == "png") return FileType::png;
    return fail(Errc::type_not_allowed, "name");
}

Result<FileType> type_from_content(ByteView head) {
    using namespace std::string_view_literals;
    // PNG: signature, then the first chunk must be IHDR of 13 bytes (W3C PNG, 5.2 and 11.2.2).
    constexpr std::string_view png = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"sv;
    const std::string_view text = as_text(head);
    if (text.starts_with("%PDF-"sv)) return FileType::pdf;
    if (text.starts_with("\xFF\xD8\xFF"sv)) return FileType::jpeg;
    if (text.starts_with(png)) return FileType::png;
    return fail(Errc::type_not_allowed, "content");
}

Result<FileType> check_type(std::string_view name, ByteView head) {
    const auto promised = type_from_name(name);
    if (!promised) return promised;
    const auto shown = type_from_content(head);
    if (!shown) return shown;
    if (*promised != *shown) return fail(Errc::type_not_allowed, "name and content differ");
    return shown;
}

} // namespace plankurier
