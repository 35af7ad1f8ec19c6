#include "vectors/kinds_read.hpp"

#include <plankurier/code.hpp>
#include <plankurier/links.hpp>

namespace plankurier::vectors {

namespace {

SecretText text_of(const Json& in, const char* member) {
    return SecretText{in.at(member).get<std::string>()};
}

Outcome run_code_link(const Json& in) {
    const auto link = parse_code_link(text_of(in, "text"));
    if (!link) return failed(link);
    return ok({{"base", link->base}, {"code", link->code.reveal()}});
}

Outcome run_never_link(const Json& in) {
    const auto link = parse_never_link(text_of(in, "text"));
    if (!link) return failed(link);
    return ok({{"base", link->base}, {"token", link->token.reveal()}});
}

/// What becomes of a pasted text counts only when it is a link to the page that is wanted.
Outcome run_pasted_link(const Json& in) {
    const auto link = tidy_link(text_of(in, "text"));
    const auto page = in.at("page").get<std::string>();
    const auto judged = [&](const auto& parsed) {
        return parsed ? ok({{"link", link.reveal()}}) : failed(parsed);
    };
    if (page == "t") return judged(parse_transfer_link(link));
    if (page == "r") return judged(parse_return_link(link));
    if (page == "c") return judged(parse_code_link(link));
    return judged(parse_never_link(link));
}

Outcome run_typed_code(const Json& in) {
    const auto code = typed_code(text_of(in, "typed"));
    if (!code) return failed(code);
    return ok({{"code", code->reveal()}});
}

} // namespace

const Kinds& pasted_kinds() {
    static const Kinds kinds = {
        {"code_link", run_code_link},
        {"never_link", run_never_link},
        {"pasted_link", run_pasted_link},
        {"typed_code", run_typed_code},
    };
    return kinds;
}

} // namespace plankurier::vectors
