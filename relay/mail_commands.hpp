#pragma once
/// The administrator's commands about mail. Each throws std::runtime_error with what to do about
/// it. They may run beside the relay.

#include "relay/config.hpp"

#include <istream>

namespace plankurier::relay {

/// `bounce`: takes one message that came back to `mail.bounce`, for the running relay to act upon.
/// True when it says that a mail of ours failed for good: then it is on the disk, and the relay may
/// be down. Throws, before anything is read, when there are no data of a control plane, or another
/// user's.
bool take_bounce(const Config& config, std::istream& message);
/// `bounce --maildir DIR`: the same for all messages in DIR/new and DIR/cur. Removes those that say
/// so, since they name a recipient. Returns how many that were.
std::size_t take_bounces(const Config& config, const std::filesystem::path& maildir);
/// `never remove`: the address, one line of `in`, gets mail again. False: it was not on the list.
bool remove_never(const Config& config, std::istream& in);

} // namespace plankurier::relay
