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

namespace {

using namespace std::string_view_literals;

/// In lower case, without the dot; empty when there is none.
std::string extension_of(std::string_view name) {
    const std::size_t dot = name.find_last_of('.');
    if (dot == std::string_view::npos || dot == 0) return {};
    std::string extension{name.substr(dot + 1)};
    std::ranges::transform(extension, extension.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return extension;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> list) {
    return std::ranges::find(list, text) != list.end();
}

bool starts_with_one_of(std::string_view text, std::initializer_list<std::string_view> list) {
    return std::ranges::any_of(list, [&](auto start) { return text.starts_with(start); });
}

/// "%!PS-Adobe-N.n PDF-" at the start of `text`.
bool is_postscript_pdf(std::string_view text) {
    constexpr auto start = "%!PS-Adobe-"sv;
    if (!text.starts_with(start)) return false;
    text.remove_prefix(start.size());
    const auto version = std::min(text.find_first_not_of("0123456789."), text.size());
    return version > 0 && text.substr(version).starts_with(" PDF-"sv);
}

bool is_pdf(std::string_view head) {
    constexpr std::size_t bytes_before_max = 1'024;
    for (auto at = head.find('%'); at <= bytes_before_max; at = head.find('%', at + 1)) {
        const auto rest = head.substr(at);
        if (rest.starts_with("%PDF-"sv) || is_postscript_pdf(rest)) return true;
    }
    return false;
}

/// By ISO 14496-12: a box `ftyp` with one of the brands of still images.
bool is_photo_container(std::string_view head) {
    return head.size() >= 12 && head.substr(4, 4) == "ftyp"sv &&
           is_one_of(head.substr(8, 4), {"heic"sv, "heix"sv, "hevc"sv, "heim"sv, "heis"sv, "mif1"sv,
                                         "msf1"sv, "avif"sv});
}

bool is_other_image(std::string_view head) {
    const bool webp = head.starts_with("RIFF"sv) &&
                      head.substr(std::min<std::size_t>(8, head.size())).starts_with("WEBP"sv);
    return webp ||
           starts_with_one_of(head, {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv, "GIF8"sv, "BM"sv});
}

TypeFlaw flaw_of_content(std::string_view head) {
    if (is_photo_container(head)) return TypeFlaw::photo_container;
    if (starts_with_one_of(head, {"AC10"sv, "AutoCAD Binary DXF"sv, "ISO-10303-21"sv})) {
        return TypeFlaw::drawing;
    }
    if (starts_with_one_of(head, {"PK\3\4"sv, "PK\5\6"sv, "7z\xBC\xAF\x27\x1C"sv, "Rar!\x1A"sv,
                                  "\x1F\x8B"sv, "BZh"sv,
                                  "\xFD"
                                  "7zXZ"sv})) {
        return TypeFlaw::archive;
    }
    if (starts_with_one_of(head, {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "{\\rtf"sv})) {
        return TypeFlaw::document;
    }
    return is_other_image(head) ? TypeFlaw::image : TypeFlaw::other;
}

TypeFlaw flaw_of_extension(std::string_view extension) {
    if (is_one_of(extension, {"heic", "heif", "hif", "avif"})) return TypeFlaw::photo_container;
    if (is_one_of(extension,
                  {"dwg", "dxf", "dwf", "dwfx", "dgn", "ifc", "skp", "rvt", "step", "stp"})) {
        return TypeFlaw::drawing;
    }
    if (is_one_of(extension, {"zip", "7z", "rar", "gz", "tgz", "tar", "bz2", "xz", "zipx"})) {
        return TypeFlaw::archive;
    }
    if (is_one_of(extension,
                  {"doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx", "odt", "ods", "odp",
                   "rtf", "txt", "md", "csv", "pages", "numbers", "eml", "msg"})) {
        return TypeFlaw::document;
    }
    if (is_one_of(extension, {"tif", "tiff", "gif", "bmp", "webp", "svg", "psd", "eps", "raw",
                              "dng", "cr2", "cr3", "nef", "arw", "jp2", "jxl", "mpo"})) {
        return TypeFlaw::image;
    }
    if (is_one_of(extension,
                  {"lnk", "url", "webloc", "desktop", "icloud", "gdoc", "gsheet", "gslides"})) {
        return TypeFlaw::shortcut;
    }
    return TypeFlaw::other;
}

} // namespace

Result<FileType> type_from_name(std::string_view name) {
    const auto extension = extension_of(name);
    if (extension == "pdf") return FileType::pdf;
    if (is_one_of(extension, {"jpg", "jpeg", "jpe", "jfif"})) return FileType::jpeg;
    if (extension == "png") return FileType::png;
    return fail(Errc::type_not_allowed, "name");
}

Result<FileType> type_from_content(ByteView head) {
    constexpr std::string_view png = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"sv;
    const std::string_view text = as_text(head);
    // The images first: an image that has "%PDF-" in a comment is an image.
    if (text.starts_with(png)) return FileType::png;
    if (text.starts_with("\xFF\xD8\xFF"sv)) return FileType::jpeg;
    if (is_pdf(text)) return FileType::pdf;
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

TypeFlaw flaw_of(std::string_view name, ByteView head) {
    const auto extension = extension_of(name);
    const auto by_name = flaw_of_extension(extension);
    if (by_name == TypeFlaw::shortcut) return by_name;
    if (head.empty()) return TypeFlaw::empty;
    if (type_from_content(head)) return TypeFlaw::name_differs;
    const auto zero = [](std::byte byte) { return byte == std::byte{}; };
    if (std::ranges::all_of(head, zero)) return TypeFlaw::placeholder;
    const auto by_content = flaw_of_content(as_text(head));
    // What Word and others save is an archive, but nobody thinks of it as one.
    if (by_content == TypeFlaw::archive && by_name != TypeFlaw::other) return by_name;
    return by_content == TypeFlaw::other ? by_name : by_content;
}

} // namespace plankurier
