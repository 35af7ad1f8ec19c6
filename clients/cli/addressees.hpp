#pragma once
/// Whom `--to` means: departments and clerks of the checked directory, by id or address, or one
/// typed address that is reached by a password. Values; any thread.

#include <clients/cli/console.hpp>
#include <clients/cli/options.hpp>

#include <plankurier/directory.hpp>

namespace plankurier::cli {

struct Addressees {
    std::vector<const Department*> listed; ///< in the order in which they were named
    std::string typed;                     ///< an address without a key; else empty
    [[nodiscard]] std::vector<std::string> ids() const;
};

/// Of the letters A to Z.
[[nodiscard]] std::string in_lower_case(std::string text);
/// True for what is meant as an e-mail address; the relay looks closer.
[[nodiscard]] bool is_address(std::string_view text) noexcept;
/// An address that the directory lists is taken with its key, unless `--password`,
/// `--password-file` or `--by-link` says otherwise. Says what to do instead where that helps. Fails
/// with `invalid_argument`, `unknown_department`, `expired` (no key that can be used at `now`).
[[nodiscard]] Result<Addressees> find_addressees(const Options& options, const Directory& directory,
                                                 std::int64_t now, Console& console);
/// The department or clerk of that id, or the clerk of that address; nullptr when there is none.
[[nodiscard]] const Department* find_listed(const Directory& directory,
                                            const std::string& named) noexcept;
/// A department's name, or "Anna Grün <anna.gruen@amt.example>".
[[nodiscard]] std::string full_name(const Department& department);
/// The same for receipts, with the id of a department.
[[nodiscard]] std::string receipt_name(const Department& department);

} // namespace plankurier::cli
