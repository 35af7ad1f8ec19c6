#pragma once
/// From a transfer that the service knows to one that is available: upload over the relays,
/// receipts, finish. One thread.

#include <clients/cli/commands.hpp>
#include <clients/cli/upload_state.hpp>

#include <plankurier/envelope.hpp>

namespace plankurier::cli {

/// References outlive the delivery.
struct DeliveryJob {
    const Options& options;
    Console& console;
    ControlClient& control;
    const Service& service;
    UploadStore& store;
    const UploadState& state;
    const BodySource& source;
    BodyLayout layout;
    FloeHeader header{};
    bool touched{}; ///< see `UploadJob`
};
struct Delivered {
    Finished finished;
    std::size_t relays{}; ///< that the upload could use
    std::size_t copies{}; ///< relays that are known to have signed
};

/// Fails as `Upload::run` and `finish_when_stored`.
[[nodiscard]] Result<Delivered> deliver(const DeliveryJob& job);

} // namespace plankurier::cli
