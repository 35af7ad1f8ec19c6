// How long a volume rests that could not be copied: longer each time, but only in a row.
#include "relay/pieces/copy_rest.hpp"

#include <catch2/catch.hpp>

#include <vector>

namespace plankurier::test::pieces_copy_rest_test {

namespace {

using namespace std::chrono_literals;
using relay::pieces::CopyEnd;
using relay::pieces::CopyRest;
using Rests = std::vector<std::chrono::milliseconds>;

/// a: ended with `again`, d: with `disk`.
Rests rests(const char* ends, std::chrono::milliseconds disk_rest = 1s) {
    Rests out;
    CopyRest rest;
    for (; *ends != 0; ++ends) {
        out.push_back(rest.after(*ends == 'd' ? CopyEnd::disk : CopyEnd::again, disk_rest));
    }
    return out;
}

} // namespace

TEST_CASE("an attempt that fails again rests twice as long, up to a limit") {
    CHECK(rests("aaaaaaaa") == Rests{250ms, 500ms, 1s, 2s, 4s, 8s, 15s, 15s});
    CHECK(rests("dddddddd") == Rests{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s});
    CHECK(rests("dd", 5s) == Rests{5s, 10s});
}

TEST_CASE("another kind of end begins its own row, whatever came before") {
    CHECK(rests("aaaad") == Rests{250ms, 500ms, 1s, 2s, 1s});
    CHECK(rests("dddaa") == Rests{1s, 2s, 4s, 250ms, 500ms});
    CHECK(rests("adadad") == Rests{250ms, 1s, 250ms, 1s, 250ms, 1s});
    CHECK(rests("aadda") == Rests{250ms, 500ms, 1s, 2s, 250ms});
}

TEST_CASE("a rest stays at its limit, however often an attempt fails") {
    CopyRest rest;
    for (int i = 0; i < 100; ++i) CHECK(rest.after(CopyEnd::again, 1s) <= 15s);
    CHECK(rest.after(CopyEnd::again, 1s) == 15s);
    CHECK(rest.after(CopyEnd::disk, 1s) == 1s);
}

} // namespace plankurier::test::pieces_copy_rest_test
