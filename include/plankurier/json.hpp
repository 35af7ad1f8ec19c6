#pragma once
/// JSON (RFC 8259) as this project reads it: what comes from strangers, from files and from other
/// implementations. Stricter than the standard, so that two readers never see two different values:
/// numbers are integers that fit, members stand once, nesting is bounded.
/// Stateless functions; any thread.

#include <nlohmann/json.hpp>

#include <concepts>
#include <limits>
#include <string_view>
#include <type_traits>

namespace plankurier {

/// How values are taken out of JSON: an integer only where one stands that fits the type asked for.
/// Fractions, exponents, and what is too large or negative are `Json::type_error`, never rounded,
/// cut or wrapped. Everything else as nlohmann::adl_serializer.
template <typename T, typename = void>
struct JsonSerializer : nlohmann::adl_serializer<T> {};

using Json = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                  std::uint64_t, double, std::allocator, JsonSerializer>;

template <typename T>
struct JsonSerializer<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>> {
    template <typename BasicJson>
    static void to_json(BasicJson& out, T value) {
        nlohmann::to_json(out, value);
    }
    template <typename BasicJson>
    static void from_json(const BasicJson& in, T& out) {
        const auto fitting = [&](auto number) {
            if (!std::in_range<T>(number)) {
                throw Json::type_error::create(302, "number out of range", nullptr);
            }
            out = static_cast<T>(number);
        };
        if (in.is_number_unsigned()) {
            fitting(*in.template get_ptr<const std::uint64_t*>());
        } else if (in.is_number_integer()) {
            fitting(*in.template get_ptr<const std::int64_t*>());
        } else {
            throw Json::type_error::create(302, "an integer is wanted", nullptr);
        }
    }
};

inline constexpr int json_depth_max = 32; ///< values in values

/// One JSON text and nothing behind it. Throws a Json::exception that names no content: not JSON,
/// bytes that are not UTF-8, a member that stands twice in one object, deeper than json_depth_max.
[[nodiscard]] Json parse_json(std::string_view text);
/// The same without an exception: `is_discarded()` tells that it is none.
[[nodiscard]] Json try_parse_json(std::string_view text) noexcept;

} // namespace plankurier
