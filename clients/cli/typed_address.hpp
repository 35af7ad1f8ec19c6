#pragma once
/// E-mail addresses and addresses of services as people type them. Stateless functions; any thread.

#include <clients/cli/texts_mistakes.hpp>

namespace plankurier::cli {

/// An address as it goes into a mail: "<Anna@Müller.example>," becomes "Anna@xn--mller-kva.example"
/// (domains in any script by IDNA 2008, RFC 5891). `option` and the typed address are the values of
/// the mistake's sentence.
[[nodiscard]] tl::expected<std::string, Mistake> settle_address(std::string typed);

/// "Senden.Müller.example/" becomes "https://senden.xn--mller-kva.example", and a link
/// "https://amt.example/t#v1.…" becomes "https://amt.example". What cannot be an
/// address of a service comes back as it was typed, without blanks around.
[[nodiscard]] std::string settle_server(std::string typed);

} // namespace plankurier::cli
