#include "relay/pieces/copy_rest.hpp"

#include <algorithm>

namespace plankurier::relay::pieces {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds again_rest{250}, again_rest_max{15'000}, disk_rest_max{60'000};

} // namespace

milliseconds CopyRest::after(CopyEnd end, milliseconds disk_rest) {
    in_a_row_ = last_ == end ? in_a_row_ + 1 : 0;
    last_ = end;
    const bool disk = end == CopyEnd::disk;
    return std::min(disk ? disk_rest_max : again_rest_max,
                    (disk ? disk_rest : again_rest) * (1U << std::min(in_a_row_, 10U)));
}

} // namespace plankurier::relay::pieces
