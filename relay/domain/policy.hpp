#pragma once
/// Every limit and rule that an operator can set, in one place. Values; any thread.

#include <plankurier/contact.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace plankurier::relay {

struct Limits {
    std::int64_t code_valid_s{30 * 60};
    std::int64_t code_attempts_max{5};
    std::int64_t code_resend_s{60};
    std::size_t code_mails_per_address_hour{3}, code_mails_per_address_day{6};
    /// Beyond it whoever asks has to work first; beyond ten times as many nobody gets one.
    std::size_t code_mails_hour{300};
    unsigned work_bits{18}; ///< see WorkPuzzle
    std::size_t work_count{16};
    std::int64_t work_valid_s{600};
    std::int64_t session_valid_s{24 * 3'600};
    std::int64_t upload_idle_s{24 * 3'600};
    std::uint64_t transfer_bytes_max{std::uint64_t{100} << 30};
    std::size_t files_max{1'000};
    std::size_t message_bytes_max{64 * 1'024};
    std::int64_t expiry_days_min{1}, expiry_days_default{14}, expiry_days_max{60};
    bool expiry_extend{};               ///< senders may lengthen, up to the longest expiry in all
    std::int64_t remember_days_max{30}; ///< how long an address stays verified, if asked for
    std::size_t open_transfers_per_address{3}; ///< uploads that are not finished
    std::uint64_t bytes_per_address_day{std::uint64_t{200} << 30};
    /// New transfers stop where a relay's free space would fall below the larger of the two.
    std::uint64_t free_bytes_min{std::uint64_t{50} << 30};
    std::uint64_t free_percent_min{10};
    std::int64_t mail_retry_first_s{60}, mail_retry_max_s{4 * 3'600};
    /// So long no relay may have all of a transfer before its sender hears that it is lost.
    std::int64_t lost_after_s{3'600};
};

/// What one department takes. A relay cannot see types: clients keep to them.
struct DepartmentLimits {
    std::vector<std::string> types;
    std::uint64_t transfer_bytes_max{};
    std::int64_t expiry_days_min{}, expiry_days_default{}, expiry_days_max{};
    friend bool operator==(const DepartmentLimits&, const DepartmentLimits&) = default;
};
/// Whoever a rule is about (`to`: a department's id, or a pattern of addresses) takes transfers
/// only from senders of its rules (`from`: a pattern of addresses, or "*").
struct Rule {
    std::string from, to;
};

struct Policy {
    std::string authority{"Plankurier"};
    std::string link_base{"https://localhost"};
    Limits limits;
    /// Whole addresses ("anna@amt.example") or domains ("@amt.example").
    std::vector<std::string> staff_patterns;
    /// Department id -> address of its notices.
    std::map<std::string, std::string> department_mails;
    std::vector<std::string> types{"pdf", "jpeg", "png"};
    /// Only of departments that differ from the limits for all.
    std::map<std::string, DepartmentLimits> departments;
    std::vector<Rule> rules;
    /// Senders may make transfers that their link alone opens: whoever has it reads them.
    bool link_allowed{};
    /// How many relays keep a transfer, where there are so many; at least 2.
    std::size_t copies_max{3};
};

/// True when the address fits a pattern (ASCII case is ignored).
[[nodiscard]] bool matches_pattern(std::string_view address, std::string_view pattern);
/// The domains of all addresses that may be staff's, in small letters, each once. Of single
/// addresses no more than that, so that whoever asks learns of no person.
[[nodiscard]] std::vector<std::string> staff_domains(const Policy& policy);
[[nodiscard]] DepartmentLimits limits_of(const Policy& policy, std::string_view department);
/// What all of them take.
[[nodiscard]] DepartmentLimits limits_of(const Policy& policy,
                                         const std::vector<std::string>& departments);
/// False when rules about the recipient name other senders. `department` is empty for a person.
[[nodiscard]] bool may_write(const Policy& policy, std::string_view sender,
                             std::string_view department, std::string_view recipient);
/// What is to stay free of a file system of that size.
[[nodiscard]] std::uint64_t free_bytes_wanted(const Limits& limits, std::uint64_t total_bytes);
/// True for addresses of the authority.
[[nodiscard]] bool is_staff(const Policy& policy, std::string_view address);

} // namespace plankurier::relay
