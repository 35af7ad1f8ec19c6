#include <plankurier/secret.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <new>

namespace plankurier::test::secret_test {

namespace {

/// A place of our own for a text, so that we can look at what is left in it.
struct Place {
    alignas(SecretText) std::array<std::byte, sizeof(SecretText)> bytes{};

    SecretText* make(std::string_view text) { return ::new (bytes.data()) SecretText{text}; }
    [[nodiscard]] bool holds(std::string_view text) const {
        return as_text(ByteView{bytes}).find(text) != std::string_view::npos;
    }
};

} // namespace

TEST_CASE("a short secret text leaves nothing where it was moved from") {
    Place place;
    SecretText* const first = place.make("7K3M-Q9XA");
    REQUIRE(place.holds("3M-Q9XA"));
    const SecretText second{std::move(*first)};
    CHECK(second.reveal() == "7K3M-Q9XA");
    CHECK_FALSE(place.holds("3M-Q9XA"));
    std::destroy_at(first);
}

TEST_CASE("a short secret text leaves nothing where it was assigned from") {
    Place place;
    SecretText* const first = place.make("7K3M-Q9XA");
    SecretText second{"something else that is longer than the string itself can hold"};
    second = std::move(*first);
    CHECK(second.reveal() == "7K3M-Q9XA");
    CHECK_FALSE(place.holds("3M-Q9XA"));
    std::destroy_at(first);
}

TEST_CASE("a secret text leaves nothing when it dies") {
    Place place;
    SecretText* const text = place.make("7K3M-Q9XA");
    REQUIRE(place.holds("3M-Q9XA"));
    std::destroy_at(text);
    CHECK_FALSE(place.holds("3M-Q9XA"));
}

} // namespace plankurier::test::secret_test
