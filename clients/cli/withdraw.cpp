#include <clients/cli/withdraw.hpp>

#include <algorithm>

namespace plankurier::cli {

bool withdraw(ControlClient& control, const UploadState& state, const RetryRule& retry,
              Console& console) {
    if (state.step == SendStep::begun) return true; // the service knows of no transfer
    constexpr unsigned retries_max = 3;
    const auto revoked = with_retries(
        RetryRule{std::min(retry.retries, retries_max)},
        [&] {
            return control.revoke({state.transfer, state.manage});
        },
        [](unsigned) {});
    if (revoked) {
        console.say(Text::withdrawn);
        console.event("withdrawn", {{"transfer", state.transfer.hex()}});
        return true;
    }
    if (!RetryRule::worth_it(revoked.error().code)) return true; // it is gone, or never was there
    console.warn(Text::not_withdrawn, {state.transfer.hex()});
    return false;
}

} // namespace plankurier::cli
