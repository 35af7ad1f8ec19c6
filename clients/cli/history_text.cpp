#include <clients/cli/history_text.hpp>

#include <clients/cli/console.hpp>

#include <plankurier/receiving.hpp>

namespace plankurier::cli {

namespace {

constexpr std::string_view page_begin = "<!DOCTYPE html>\n<html lang=\"";
constexpr std::string_view page_end = "</body>\n</html>\n";
constexpr std::string_view page_head = R"(<style>
body { font: 12pt/1.5 sans-serif; max-width: 42em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3em 1em .3em 0; }
tr { border-bottom: 1px solid #999; break-inside: avoid; }
footer { margin-top: 2em; font-size: 10pt; }
</style>
</head>
<body>
)";

/// For a place between tags; strangers chose some of these texts.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char letter : printable(text)) {
        switch (letter) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += letter;
        }
    }
    return out;
}

std::string row(std::string_view head, std::string_view value) {
    return "<tr><th scope=\"row\">" + escaped(head) + "</th><td>" + escaped(value) + "</td></tr>\n";
}

Text text_of(HistoryEvent event) {
    switch (event) {
    case HistoryEvent::accepted: return Text::event_accepted;
    case HistoryEvent::stored: return Text::event_stored;
    case HistoryEvent::available: return Text::event_available;
    case HistoryEvent::fetched: return Text::event_fetched;
    case HistoryEvent::expired: return Text::event_expired;
    case HistoryEvent::purged: return Text::event_purged;
    case HistoryEvent::revoked: return Text::event_revoked;
    }
    return Text::event_accepted;
}

} // namespace

std::string event_text(Language language, const HistoryEntry& entry) {
    const bool signed_fetch = entry.event == HistoryEvent::fetched && entry.detail == 1;
    const auto which = signed_fetch ? Text::event_fetched_signed : text_of(entry.event);
    return fill(text(language, which), {std::to_string(entry.detail)});
}

std::string state_text(Language language, const std::string& state) {
    constexpr std::pair<std::string_view, Text> known[] = {
        {"uploading", Text::state_uploading}, {"available", Text::state_available},
        {"fetched", Text::state_fetched},     {"expired", Text::state_expired},
        {"revoked", Text::state_revoked},     {"withheld", Text::state_withheld},
    };
    for (const auto& [wire, which] : known) {
        if (wire == state) return std::string{text(language, which)};
    }
    return printable(state);
}

bool is_status_page(std::string_view content, const TransferId& transfer) {
    return content.starts_with(page_begin) && content.ends_with(page_end) &&
           content.find(page_head) != std::string_view::npos &&
           content.find("<td>" + transfer.hex() + "</td>") != std::string_view::npos;
}

std::string status_page(Language language, const Receipt& receipt, const TransferStatus& status,
                        const History& history) {
    const auto word = [&](Text which) { return text(language, which); };
    std::string out{page_begin};
    out += tag(language);
    out += "\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + escaped(word(Text::page_title)) +
           "</title>\n";
    out += page_head;
    out += "<h1>" + escaped(word(Text::page_title)) + "</h1>\n<table>\n";
    out += row(word(Text::page_authority), receipt.authority);
    out += row(word(Text::page_recipient), receipt.recipient);
    if (!receipt.escrow.empty()) out += row(word(Text::page_escrow), receipt.escrow);
    out += row(word(Text::page_number), receipt.number);
    out += row(word(Text::page_transfer), receipt.transfer.hex());
    out += row(word(Text::page_state), state_text(language, status.state));
    out += row(word(Text::page_expires), time_text(language, status.expires));
    out += "</table>\n<h2>" + escaped(word(Text::page_history)) + "</h2>\n<table>\n";
    for (const auto& entry : history.entries) {
        out += row(time_text(language, entry.time), event_text(language, entry));
    }
    out += "</table>\n<footer>" + escaped(word(Text::page_footer)) + "</footer>\n";
    out += page_end;
    return out;
}

} // namespace plankurier::cli
