#include <clients/cli/addressees.hpp>

#include <clients/cli/option_rules.hpp>

#include <plankurier/receiving.hpp>

#include <algorithm>

namespace plankurier::cli {

namespace {

constexpr std::size_t addressees_max = 8; // of one transfer (docs/protocol.md)

Result<Addressees> with_password(const Options& options, Console& console) {
    if (options.to.size() != 1 || !is_address(options.to.front())) {
        return console.refuse(Mistake::password_alone);
    }
    return Addressees{{}, options.to.front()};
}

/// Names what was typed, and the department that was meant: by its shown name, or a letter beside.
tl::unexpected<Error> refuse_unknown(const std::string& named, const Directory& directory,
                                     Console& console) {
    const auto typed = in_lower_case(named);
    std::vector<std::string> ids;
    std::string meant;
    for (const auto& one : directory.departments) {
        ids.push_back(one.id);
        if (in_lower_case(one.name) == typed) meant = one.id;
    }
    if (meant.empty()) meant = nearest_word(typed, ids);
    const auto shown = printable(named);
    if (meant.empty()) {
        return console.refuse(Mistake::to_unknown, {shown}, Errc::unknown_department);
    }
    return console.refuse(Mistake::to_unknown_near, {shown, printable(meant)},
                          Errc::unknown_department);
}

} // namespace

std::string in_lower_case(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

bool is_address(std::string_view text) noexcept {
    const auto at = text.find('@');
    return at != text.npos && at != 0;
}

std::vector<std::string> Addressees::ids() const {
    std::vector<std::string> out;
    for (const auto* one : listed) out.push_back(one->id);
    return out;
}

const Department* find_listed(const Directory& directory, const std::string& named) noexcept {
    return is_address(named) ? directory.find_clerk(named) : directory.find(named);
}

std::string full_name(const Department& department) {
    if (department.address.empty()) return department.name;
    return department.name + " <" + department.address + ">";
}

std::string receipt_name(const Department& department) {
    return department.address.empty() ? department.id : full_name(department);
}

Result<Addressees> find_addressees(const Options& options, const Directory& directory,
                                   std::int64_t now, Console& console) {
    if (options.to.empty() || options.to.front().empty()) return console.refuse(Mistake::to_needed);
    if (options.to.size() > addressees_max) {
        return console.refuse(Mistake::to_many,
                              {std::to_string(options.to.size()), std::to_string(addressees_max)});
    }
    if (options.password || !options.password_file.empty()) return with_password(options, console);
    // By a link to one person; `prepare_transfer` refuses all others.
    if (options.by_link && options.to.size() == 1 && is_address(options.to.front())) {
        return Addressees{{}, options.to.front()};
    }
    Addressees out;
    for (const auto& named : options.to) {
        const auto* department = find_listed(directory, named);
        if (department == nullptr && is_address(named)) {
            out.typed = named;
            continue;
        }
        if (department == nullptr) return refuse_unknown(named, directory, console);
        if (std::find(out.listed.begin(), out.listed.end(), department) != out.listed.end()) {
            return console.refuse(Mistake::to_twice, {printable(named)});
        }
        if (!usable_key(directory, *department, now)) {
            console.warn(Text::no_usable_key, {printable(full_name(*department))});
            return fail(Errc::expired, "--to");
        }
        out.listed.push_back(department);
    }
    if (!out.typed.empty() && options.to.size() > 1) {
        return console.refuse(Mistake::typed_alone, {printable(out.typed)});
    }
    return out;
}

} // namespace plankurier::cli
