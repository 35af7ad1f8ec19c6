#include "relay/requests.hpp"

#include "relay/adapters/data_lock.hpp"
#include "relay/adapters/files.hpp"
#include "relay/adapters/reserve.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace plankurier::relay {

namespace {

bool make_file(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    ::close(fd);
    return true;
}

} // namespace

void leave_request(const Config& config, const std::string& name) {
    const auto file = config.data_dir / ("request." + name);
    if (make_file(file)) return;
    const int why = errno;
    if (why == ENOSPC || why == EDQUOT) {
        // The running relay does the same, but a second later.
        adapters::Reserves reserves{{config.data_dir}, config.reserve_bytes, "request"};
        if (make_file(file)) return;
    }
    throw std::system_error(why, std::generic_category(),
                            "leave a request in " + config.data_dir.string());
}

void ask_running_relay(const Config& config, const std::string& name) {
    if (!adapters::DataLock::is_held(config.data_dir)) {
        throw std::runtime_error("the relay does not run, and nothing was done; start it first");
    }
    leave_request(config, name);
}

void obey_request(const std::filesystem::path& data_dir, const std::string& name,
                  const std::function<void()>& obey) {
    const auto file = data_dir / ("request." + name);
    if (!std::filesystem::exists(file)) return;
    obey();
    adapters::remove_durably(file);
}

} // namespace plankurier::relay
