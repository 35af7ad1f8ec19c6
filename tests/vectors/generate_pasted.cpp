// Links as mail programs, filters and people leave them, and codes as people type them. The pasted
// texts are written by hand or by the filters' rules, and never by our own functions.
#include "vectors/generate.hpp"

namespace plankurier::vectors {

namespace {

const std::string id(32, '5');
const std::string secret = "AbCdEf-_0123456789AbCdEf-_0123456789AbCdE-8";
const std::string plain = "https://plan.example/t#v1." + id, whole = plain + "." + secret;
const std::string never = "https://plan.example/n#v1." + secret;
const std::string code_link = "https://plan.example/c#v1.K7QM-2RFX";

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
    return text;
}

/// As an address stands in another address' query.
std::string in_query(const std::string& text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ||
                              c == '_' || c == '.' || c == '~';
        out += is_plain ? std::string{c} : "%" + to_hex(as_bytes({&c, 1}));
    }
    return out;
}

std::string safe_link(const std::string& link) {
    return "https://eur01.safelinks.protection.outlook.com/?url=" + in_query(link) +
           "&data=05%7C02%7Canna%40amt.example%7C0%7C0%7C638%7CUnknown&sdata=x%3D&reserved=0";
}
std::string proofpoint_1(const std::string& link) {
    return "https://urldefense.proofpoint.com/v1/url?u=" + in_query(link) + "&k=a%3D%3D&r=b&s=c";
}
std::string proofpoint_2(const std::string& link) {
    std::string url;
    for (const char c : link) {
        if (c == '/') {
            url += '_';
        } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.') {
            url += c;
        } else {
            url += "-" + replaced(to_hex(as_bytes({&c, 1})), "d", "D");
        }
    }
    return "https://urldefense.proofpoint.com/v2/url?u=" + url + "&d=DwMFAg&c=a&r=b&m=c&s=d&e=";
}
std::string proofpoint_3(const std::string& link) {
    std::string url, signs;
    for (const char c : link) {
        const bool is_replaced = c == '#' || c == '%';
        if (is_replaced) signs += c;
        url += is_replaced ? '*' : c;
    }
    return "https://urldefense.com/v3/__" + url + "__;" + to_base64url(as_bytes(signs)) +
           "!!NEf9!aB3-c_d$";
}

void pasted(const std::string& slug, const std::string& about, const std::string& text,
            const std::string& page, const std::string& link) {
    const Json in = {{"text", text}, {"page", page}};
    const auto outcome = run("pasted_link", in);
    if (outcome.result == "ok" && outcome.out.at("link") != link) {
        std::cerr << "pasted_link-" << slug << ": became another link\n";
        ++wrong;
        return;
    }
    add("pasted_link", slug, about, in);
}

void around() {
    const auto same = [](const std::string& slug, const std::string& about,
                         const std::string& text) { pasted(slug, about, text, "t", whole); };
    same("plain", "nothing to do", whole);
    same("angle-brackets", "as mail programs mark links", "<" + whole + ">");
    same("full-stop", "the end of a sentence", whole + ".");
    same("comma", "in an enumeration", whole + ", ");
    same("quotes", "straight quotation marks", "\"" + whole + "\"");
    same("german-quotes", "German quotation marks and a full stop", "„" + whole + "“.");
    same("guillemets", "angle quotation marks", "»" + whole + "«");
    same("brackets", "in round brackets, with a full stop", "(" + whole + ").");
    same("bold", "stars of a plain text mail", "*" + whole + "*");
    same("blanks", "blanks and tabs around", "  \t" + whole + " \r\n");
    same("line-break", "broken by a mail program", whole.substr(0, 60) + "\r\n" + whole.substr(60));
    same("quoted-blanks", "no-break and zero-width spaces inside",
         "\u00a0" + whole.substr(0, 40) + "\u200b" + whole.substr(40) + "\ufeff");
    same("byte-order-mark", "a file of another system", "\ufeff" + whole + "\n");
    same("dashes", "hyphens made dashes by a word processor", replaced(whole, "-", "–"));
    same("words-before", "words before it", "Ihr Link: " + whole);
    same("markdown", "text and address in brackets", "[" + whole + "](" + whole + ")");
    same("shown-and-wrapped", "a text part that was made of HTML",
         whole + "<" + safe_link(whole) + ">");
    same("no-scheme", "typed without https", whole.substr(8));
    same("capital-host", "scheme and host in capital letters",
         replaced(whole, "https://plan.example", "HTTPS://PLAN.Example"));
    same("query", "a tracker's query", replaced(whole, "/t#", "/t?utm_source=mail&fbclid=a#"));
    same("percent", "# escaped", replaced(whole, "#", "%23"));
    same("percent-twice", "# escaped twice", replaced(whole, "#", "%2523"));
    same("percent-all", "everything escaped that can be", in_query(whole));
    pasted("percent-behind", "a point escaped behind #", replaced(plain, "v1.", "v1%2E"), "t",
           plain);
    pasted("fragment", "the part behind # alone", "#" + whole.substr(whole.find('#') + 1), "t",
           whole.substr(whole.find('#') + 1));
    pasted("ipv6", "a host in square brackets", "<https://[::1]:8443/t#v1." + id + ">.", "t",
           "https://[::1]:8443/t#v1." + id);
}

void wrapped() {
    pasted("safelinks", "wrapped by SafeLinks", safe_link(whole), "t", whole);
    pasted("safelinks-escaped", "SafeLinks around a link with %23",
           safe_link(replaced(whole, "#", "%23")), "t", whole);
    pasted("proofpoint-1", "wrapped by Proofpoint, version 1", proofpoint_1(whole), "t", whole);
    pasted("proofpoint-2", "wrapped by Proofpoint, version 2", proofpoint_2(whole), "t", whole);
    pasted("proofpoint-3", "wrapped by Proofpoint, version 3", proofpoint_3(whole), "t", whole);
    pasted("proofpoint-3-slash", "version 3 with the slashes joined",
           replaced(proofpoint_3(whole), "__https://", "__https:/"), "t", whole);
    // "I3Yx" is "#v1": a run of three.
    pasted("proofpoint-3-run", "version 3 with a run of signs",
           "https://urldefense.com/v3/__https://plan.example/t**B." + id + "__;I3Yx!!a!b$", "t",
           plain);
    pasted("nested", "SafeLinks around Proofpoint 2, in angle brackets",
           "<" + safe_link(proofpoint_2(whole)) + ">", "t", whole);
    pasted("nested-3", "Proofpoint 3 around SafeLinks", proofpoint_3(safe_link(whole)), "t", whole);
    pasted("search-engine", "a page that sends on",
           "https://www.search.example/url?sa=D&q=" + in_query(whole) + "&ust=1", "t", whole);
    pasted("code", "the code mail's link by SafeLinks", safe_link(code_link), "c", code_link);
    pasted("never", "the other link of a code mail", "<" + never + ">", "n", never);
    const auto seed = secret_of<KeySeed>("citizen");
    const auto key = recipient_public_key(seed, StanzaType::hpke_p256).value();
    const std::string back =
        "https://plan.example/r#v1." + inbox_id(key).hex() + "." + to_base64url(seed.reveal());
    pasted("return", "a return link by Proofpoint 2", proofpoint_2(back), "r", back);
}

void no_links() {
    const auto refused = [](const std::string& slug, const std::string& about,
                            const std::string& text) {
        add("pasted_link", slug, about, {{"text", text}, {"page", "t"}}, "malformed");
    };
    refused("empty", "nothing", "");
    refused("words", "no link at all", "Guten Tag, hier ist der Link");
    refused("cut", "a secret that lost a character", whole.substr(0, whole.size() - 1));
    refused("words-behind", "words behind it run into the secret", whole + " danke");
    refused("other-page", "a link to another page", never);
    refused("id-cut", "an id that lost a character", plain.substr(0, plain.size() - 1));
    refused("wrapped-nothing", "SafeLinks around nothing", safe_link(""));
    refused("wrapped-too-often", "more layers than anybody makes",
            safe_link(safe_link(safe_link(safe_link(safe_link(safe_link(safe_link(whole))))))));
    refused("no-end", "Proofpoint 3 that lost its end",
            "https://urldefense.com/v3/__" + replaced(whole, "#", "*"));
}

void codes() {
    const auto good = [](const std::string& slug, const std::string& about,
                         const std::string& typed) {
        add("typed_code", slug, about, {{"typed", typed}});
    };
    const auto refused = [](const std::string& slug, const std::string& about,
                            const std::string& typed) {
        add("typed_code", slug, about, {{"typed", typed}}, "malformed");
    };
    good("shown", "as the mail shows it", "K7QM-2RFX");
    good("bare", "without the hyphen", "K7QM2RFX");
    good("small", "small letters", "k7qm-2rfx");
    good("blanks", "blanks and a line end", " K7QM 2RFX\r\n");
    good("en-dash", "a dash of a word processor", "K7QM–2RFX");
    good("no-break-hyphen", "a hyphen that does not break", "K7QM\u20112RFX");
    good("no-break-space", "a no-break space", "K7QM\u00a02RFX");
    good("byte-order-mark", "a file of another system", "\ufeffK7QM-2RFX\n");
    good("quotes", "quotation marks and a full stop", "„K7QM-2RFX“.");
    good("one-sign-each", "one sign each, as read out on the phone", "k 7 q m - 2 r f x");
    good("alike", "O for 0, I and L for 1", "oil7-2RFX");
    good("link", "the link of the mail", code_link);
    good("link-wrapped", "that link by SafeLinks", safe_link(code_link));
    good("link-brackets", "that link in angle brackets", "<" + code_link + ">.");
    refused("empty", "nothing", "");
    refused("short", "a sign is missing", "K7QM-2RF");
    refused("long", "a sign too many", "K7QM-2RFXX");
    refused("sign-u", "a sign that no code has", "K7QM-2RFU");
    refused("umlaut", "another sign that no code has", "K7QM-2RFÄ");
    refused("number", "the number in the subject", "417");
    refused("words", "words around it", "Code: K7QM-2RFX");
    refused("other-link", "another link of the mail", never);
    refused("twice", "typed twice", "K7QM-2RFX K7QM-2RFX");
}

void strict() {
    const auto read = [](const char* kind, const std::string& slug, const std::string& about,
                         const std::string& text, const std::string& expect = "ok") {
        add(kind, slug, about, {{"text", text}}, expect);
    };
    read("code_link", "mail", "the link of a code mail", code_link);
    read("code_link", "fragment", "the part behind # alone", "v1.K7QM-2RFX");
    read("code_link", "page", "a link to another page", replaced(code_link, "/c#", "/n#"),
         "malformed");
    read("code_link", "cut", "a sign less", code_link.substr(0, code_link.size() - 1), "malformed");
    read("code_link", "within", "a link within a link", code_link + "v1.K7QM-2RFX", "malformed");
    read("never_link", "mail", "the link of a code mail", never);
    read("never_link", "cut", "a sign less", never.substr(0, never.size() - 1), "malformed");
    read("never_link", "page", "a link to another page", replaced(never, "/n#", "/t#"),
         "malformed");
}

} // namespace

void write_pasted() {
    around();
    wrapped();
    no_links();
    codes();
    strict();
}

} // namespace plankurier::vectors
