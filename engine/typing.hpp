#pragma once
/// What keyboards, mail programs and word processors do to a text that a person passes on. Works in
/// place and never makes a text longer, so that no copy of a secret is left behind.

#include <plankurier/secret.hpp>

namespace plankurier::typing {

/// A text that is worked on, with room from the start; wiped at its end.
class Draft {
public:
    Draft(std::string_view content, std::size_t room) {
        text.reserve(room);
        text = content;
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    ~Draft() {
        text.resize(text.capacity());
        wipe(std::as_writable_bytes(std::span{text.data(), text.size()}));
    }
    std::string text;
};

/// Takes out what nobody sees (blanks, line breaks, no-break and zero-width spaces, soft hyphens,
/// byte order marks), makes every dash a hyphen, and every quotation mark `"`.
void clean(std::string& text);

} // namespace plankurier::typing
