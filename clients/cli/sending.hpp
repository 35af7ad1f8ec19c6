#pragma once
/// A transfer on its way, from the checks of its files to the receipt. One thread.

#include <clients/cli/send_prepare.hpp>

namespace plankurier::cli {

/// Where transfers under way keep their state.
[[nodiscard]] std::filesystem::path uploads_folder();

/// References outlive the sending.
struct SendingJob {
    const Options& options;
    Console& console;
    ControlClient& control;
    const Authority& authority;
    UploadStore& store;
    UploadState& state;
    const BodySource& source;
    const OpenedKeyFile* key{}; ///< of the department that sends; else null
    bool touched{};             ///< the files have other times than at an earlier start
};
/// Sends what is left to send. The state is kept when it can be continued, else it is deleted.
[[nodiscard]] Exit run_sending(const SendingJob& job, Bytes envelope);

/// A new transfer of the files on the command line: by a citizen, or by a department.
[[nodiscard]] Exit send_new(const Options& options, Console& console, ControlClient& control,
                            const Authority& authority, const DepartmentSender* from);

} // namespace plankurier::cli
