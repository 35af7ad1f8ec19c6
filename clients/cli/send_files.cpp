#include <clients/cli/send_files.hpp>

#include <clients/cli/files.hpp>
#include <clients/cli/send_check.hpp>

#include <plankurier/files.hpp>
#include <plankurier/receiving.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

namespace plankurier::cli {

namespace {

/// A name that is no UTF-8 comes from an old disk; there it was ISO 8859-1.
std::string as_utf8(const std::string& name) {
    if (is_utf8(name)) return name;
    std::string out;
    for (const char letter : name) {
        const auto point = static_cast<unsigned char>(letter);
        if (point < 0x80) {
            out += letter;
        } else {
            out += static_cast<char>(0xC0 | point >> 6);
            out += static_cast<char>(0x80 | (point & 0x3F));
        }
    }
    return out;
}

std::string own_name(const std::filesystem::path& path) {
    return as_utf8(path.filename().native());
}

Result<Bytes> read_head(const std::filesystem::path& path) {
    const FileHandle file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat about {};
    if (file.get() < 0 || ::fstat(file.get(), &about) != 0) {
        return tl::unexpected(file_error(errno));
    }
    if (S_ISDIR(about.st_mode)) return tl::unexpected(file_error(EISDIR));
    if (!S_ISREG(about.st_mode)) return fail(Errc::file_unreadable, "no regular file");
    Bytes head(type_head_bytes);
    const auto got = ::pread(file.get(), head.data(), head.size(), 0);
    if (got < 0) return tl::unexpected(file_error(errno));
    head.resize(static_cast<std::size_t>(got));
    return head;
}

std::string_view wire_name(FileType type) {
    switch (type) {
    case FileType::pdf: return "pdf";
    case FileType::jpeg: return "jpeg";
    case FileType::png: return "png";
    }
    return {};
}

Result<void> check_file(const std::filesystem::path& path, const Service& service,
                        Console& console) {
    const auto name = clean_file_name(own_name(path));
    const auto head = read_head(path);
    if (!head) return tl::unexpected(head.error());
    const auto type = check_type(name, *head);
    if (!type) {
        tell_flaw(name, *head, console);
        return tl::unexpected(type.error());
    }
    if (std::ranges::find(service.types, wire_name(*type)) == service.types.end()) {
        return fail(Errc::type_not_allowed, "policy");
    }
    return {};
}

} // namespace

void tell_flaw(std::string_view name, ByteView head, Console& console) {
    switch (flaw_of(name, head)) {
    case TypeFlaw::other: return;
    case TypeFlaw::empty: return console.warn(Text::flaw_empty);
    case TypeFlaw::placeholder: return console.warn(Text::flaw_placeholder);
    case TypeFlaw::shortcut: return console.warn(Text::flaw_shortcut);
    case TypeFlaw::photo_container: return console.warn(Text::flaw_photo);
    case TypeFlaw::image: return console.warn(Text::flaw_image);
    case TypeFlaw::drawing: return console.warn(Text::flaw_drawing);
    case TypeFlaw::archive: return console.warn(Text::flaw_archive);
    case TypeFlaw::document: return console.warn(Text::flaw_document);
    case TypeFlaw::name_differs: break;
    }
    switch (type_from_content(head).value_or(FileType::pdf)) {
    case FileType::pdf: return console.warn(Text::flaw_name, {"PDF", ".pdf"});
    case FileType::jpeg: return console.warn(Text::flaw_name, {"JPEG", ".jpg"});
    case FileType::png: return console.warn(Text::flaw_name, {"PNG", ".png"});
    }
}

Result<BodySource> open_files(const Options& options, const Service& service, Console& console) {
    if (options.arguments.size() > std::min<std::uint64_t>(service.files_max, files_max)) {
        return fail(Errc::too_many_files, "files");
    }
    std::vector<std::filesystem::path> paths;
    for (const auto& argument : options.arguments) {
        std::error_code error;
        auto path = std::filesystem::absolute(argument, error);
        if (const auto checked = check_file(path, service, console); !checked) {
            console.warn(Text::file_named, {printable(argument)});
            return tl::unexpected(checked.error());
        }
        paths.push_back(std::move(path));
    }
    std::size_t failed = 0;
    auto source = BodySource::open(std::move(paths), &failed);
    if (!source) {
        console.warn(Text::file_named, {printable(options.arguments[failed])});
        return source;
    }
    if (auto fits = check_size(source->content_bytes(), service, console); !fits) {
        return tl::unexpected(fits.error());
    }
    return source;
}

Result<OpenedAgain> open_again(const std::vector<FileIdentity>& files,
                               std::span<const std::string> elsewhere, Console& console) {
    std::vector<std::filesystem::path> paths;
    for (const auto& file : files) {
        const auto moved = std::ranges::find_if(elsewhere, [&](const std::string& place) {
            return std::filesystem::path{place}.filename() == file.path.filename();
        });
        paths.push_back(moved == elsewhere.end() ? file.path : std::filesystem::path{*moved});
    }
    const auto name = [&, shown = paths](std::size_t index) {
        console.warn(Text::file_named, {printable(shown[index].string())});
    };
    std::size_t failed = 0;
    auto source = BodySource::open(std::move(paths), &failed);
    if (!source) {
        name(failed);
        return tl::unexpected(source.error());
    }
    const auto likeness = source->compare(files);
    if (!likeness) {
        if (const auto index = source->failed_file()) name(*index);
        return tl::unexpected(likeness.error());
    }
    return OpenedAgain{std::move(*source), *likeness == Likeness::touched};
}

std::vector<ManifestFile> manifest_files(const BodySource& source, Console& console) {
    std::vector<std::string> names;
    for (const auto& file : source.files()) names.push_back(own_name(file.path));
    const auto sent = distinct_names(names);
    std::vector<ManifestFile> out;
    for (std::size_t index = 0; index < sent.size(); ++index) {
        const auto& file = source.files()[index];
        if (sent[index] != to_nfc(names[index]).value_or("")) {
            console.say(Text::sent_as, {printable(names[index]), sent[index]});
        }
        // Its name was checked; what is no type there never comes so far.
        const auto type = type_from_name(sent[index]).value_or(FileType::pdf);
        out.push_back({sent[index], file.size_bytes, std::string{media_type(type)},
                       file.mtime_ns / 1'000'000'000});
    }
    return out;
}

} // namespace plankurier::cli
