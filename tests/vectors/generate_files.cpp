// What strangers chose: names and types of files.
#include "vectors/generate.hpp"

namespace plankurier::vectors {

namespace {

void single_names() {
    std::string umlauts;
    for (int at = 0; at < 150; ++at) umlauts += "\u00E4";
    const std::vector<std::pair<std::string, std::string>> list = {
        {"plain", "Plan Nordansicht.pdf"},
        {"path", "../../etc/passwd.pdf"},
        {"windows-path", "C:\\Pläne\\Grundriss.pdf"},
        {"absolute", "/tmp/x.png"},
        {"nul", std::string{"plan\0.exe.pdf", 13}},
        {"control", "plan\r\n\x1b[31m.pdf"},
        {"bidi", "rechnung\u202Efdp.exe.pdf"},
        {"zero-width", "pl\u200Ban.pdf"},
        {"decomposed", "Pla\u0308ne.pdf"},
        {"device", "CON.pdf"},
        {"device-number", "com1.jpg"},
        {"trailing", "plan.pdf. . "},
        {"leading-dot", ".bashrc.pdf"},
        {"leading-dash", "-rf.pdf"},
        {"dots", ".."},
        {"empty", ""},
        {"blanks", "   "},
        {"stream", "plan.pdf:hidden"},
        {"not-utf8", "pl\xFF\xFE.pdf"},
        {"long", std::string(600, 'a') + ".pdf"},
        {"wildcards", "a*b?c<d>e|f\".pdf"},
        {"stem-dash", "-.pdf"},
        {"stem-blank", " .pdf"},
        {"stem-tilde", "~.pdf"},
        {"stem-dot", "..pdf"},
        {"stem-none", ".pdf"},
        {"stem-zero-width", "\u200B.pdf"},
        {"stem-bidi", "\u202E\u2066.jpg"},
        {"stem-mixed", "/tmp/- ~.\u00A0.png"},
        {"trailing-dot", "plan.pdf."},
        {"no-extension", "-"},
        {"long-umlauts", umlauts + ".jpeg"},
        {"long-extension", "plan." + std::string(300, 'x')},
        {"private-use", "pl\uE000an.pdf"},
        {"no-break-space", "Plan\u00A0Nord.pdf"},
        {"percent", "100 %.pdf"},
    };
    for (const auto& [slug, text] : list) {
        add("file_name", slug, "a name that a stranger chose", {{"name", to_hex(as_bytes(text))}});
    }
}

void several_names() {
    const auto names = [](const std::string& slug, const std::string& about,
                          const std::vector<std::string>& list) {
        Json given = Json::array();
        for (const auto& one : list) given.push_back(to_hex(as_bytes(one)));
        add("file_names", slug, about, {{"names", std::move(given)}});
    };
    names("equal", "the same name from two folders", {"a/plan.pdf", "b/plan.pdf", "plan.pdf"});
    names("umlaut-case", "a disk without case takes them for one",
          {"\u00C4nderung.pdf", "\u00E4nderung.pdf", "a\u0308nderung.PDF"});
    names("sharp-s", "full case folding", {"Stra\u00DFe.pdf", "STRASSE.pdf"});
    names("number-taken", "the next free number", {"plan.pdf", "plan (2).pdf", "Plan.pdf"});
    const std::string same(220, 'L');
    names("long-alike", "alike once they are shortened",
          {same + "-Blatt-1.pdf", same + "-Blatt-2.pdf", same + "-Blatt-3.pdf"});
    names("stems", "nothing left but the extension", {"-.pdf", "~.pdf", "datei.pdf"});
}

void file_types() {
    const std::string pdf = "255044462d312e370a", jpeg = "ffd8ffe000104a464946",
                      png = "89504e470d0a1a0a0000000d49484452";
    const auto type = [](const std::string& slug, const std::string& file, const std::string& head,
                         const std::string& expect = "ok") {
        add("file_type", slug, "name and content must agree", {{"name", file}, {"head", head}},
            expect);
    };
    const auto text = [](std::string_view bytes) { return to_hex(as_bytes(bytes)); };
    const auto zeros = [](std::size_t count) { return std::string(2 * count, '0'); };
    const std::string refused = "type_not_allowed";
    type("pdf", "a.pdf", pdf);
    type("pdf-upper", "A.PDF", pdf);
    type("pdf-bom", "a.pdf", "efbbbf" + pdf);
    type("pdf-line-break", "a.pdf", "0d0a" + pdf);
    type("pdf-pjl", "a.pdf", text("\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n") + pdf);
    type("pdf-after-1024", "a.pdf", zeros(1'024) + pdf);
    type("pdf-after-1025", "a.pdf", zeros(1'025) + pdf, refused);
    type("pdf-postscript", "a.pdf", text("%!PS-Adobe-3.0 PDF-1.4\n"));
    type("postscript", "a.pdf", text("%!PS-Adobe-3.0 EPSF-3.0\n"), refused);
    type("jpeg", "A.JPEG", jpeg);
    type("jpeg-jfif", "a.jfif", jpeg);
    type("jpeg-jpe", "a.jpe", jpeg);
    type("jpeg-jpg-upper", "A.JPG", jpeg);
    type("jpeg-no-app", "a.jpg", "ffd8ffdb004300");
    type("jpeg-fill", "a.jpg", "ffd8ffffffe000104a464946");
    type("jpeg-with-pdf-comment", "a.jpg", "ffd8fffe0008" + pdf);
    type("jpeg-with-pdf-comment-as-pdf", "a.pdf", "ffd8fffe0008" + pdf, refused);
    type("jpeg-after-line-break", "a.jpg", "0a" + jpeg, refused);
    type("png", "a.png", png);
    type("png-of-apple", "a.png", "89504e470d0a1a0a0000000443674249", refused);
    type("pdf-as-png", "a.png", pdf, refused);
    type("jpeg-as-png", "a.png", jpeg, refused);
    type("exe-as-pdf", "a.pdf", "4d5a9000", refused);
    type("heic", "a.heic", "0000001866747970686569630000", refused);
    type("dwg", "a.dwg", text("AC1032"), refused);
    type("zip-as-pdf", "a.pdf", "504b030414000000", refused);
    type("zeros", "a.pdf", zeros(64), refused);
    type("double", "a.pdf.exe", pdf, refused);
    type("dot-behind", "a.pdf.", pdf, refused);
    type("none", "a", pdf, refused);
    type("empty-content", "a.pdf", "", refused);
    type("svg", "a.svg", "3c737667", refused);
}

} // namespace

void write_files() {
    single_names();
    several_names();
    file_types();
}

} // namespace plankurier::vectors
