#include <plankurier/receiving.hpp>

#include <catch2/catch.hpp>

namespace plankurier::test::types_test {

TEST_CASE("what is no allowed type is told apart by what a person can do about it") {
    using namespace std::string_view_literals;
    const auto flaw = [](std::string_view name, std::string_view head) {
        REQUIRE_FALSE(check_type(name, as_bytes(head)));
        return flaw_of(name, as_bytes(head));
    };
    constexpr auto pdf = "%PDF-1.7\n"sv, jpeg = "\xFF\xD8\xFF\xE0"sv;
    constexpr auto heic = "\0\0\0\x18"
                          "ftypheic\0\0\0\0"sv;
    constexpr auto archive = "PK\3\4\x14\0"sv, office = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv;
    CHECK(flaw("plan.pdf", "") == TypeFlaw::empty);
    CHECK(flaw("plan.pdf", "\0\0\0\0"sv) == TypeFlaw::placeholder);
    CHECK(flaw("plan.pdf.lnk", "L\0\0\0"sv) == TypeFlaw::shortcut);
    CHECK(flaw("plan.jpg", pdf) == TypeFlaw::name_differs);
    CHECK(flaw("plan", pdf) == TypeFlaw::name_differs);
    CHECK(flaw("bild.pdf", jpeg) == TypeFlaw::name_differs);
    CHECK(flaw("IMG_1.HEIC", heic) == TypeFlaw::photo_container);
    CHECK(flaw("IMG_1.jpg", heic) == TypeFlaw::photo_container);
    CHECK(flaw("scan.tif", "II*\0\10\0\0\0"sv) == TypeFlaw::image);
    CHECK(flaw("scan.jpg", "MM\0*\0\0\0\10"sv) == TypeFlaw::image);
    CHECK(flaw("bild.webp", "RIFF\1\2\3\4WEBP"sv) == TypeFlaw::image);
    CHECK(flaw("logo.svg", "<svg/>") == TypeFlaw::image);
    CHECK(flaw("plan.dwg", "AC1032\0"sv) == TypeFlaw::drawing);
    CHECK(flaw("plan.pdf", "AC1032\0"sv) == TypeFlaw::drawing);
    CHECK(flaw("plan.dxf", "  0\nSECTION\n") == TypeFlaw::drawing);
    CHECK(flaw("alles.zip", archive) == TypeFlaw::archive);
    CHECK(flaw("alles.pdf", archive) == TypeFlaw::archive);
    CHECK(flaw("antrag.docx", archive) == TypeFlaw::document);
    CHECK(flaw("antrag.pdf", office) == TypeFlaw::document);
    CHECK(flaw("notiz.txt", "Guten Tag") == TypeFlaw::document);
    CHECK(flaw("plan.exe", "MZ\x90\0"sv) == TypeFlaw::other);
}

} // namespace plankurier::test::types_test
