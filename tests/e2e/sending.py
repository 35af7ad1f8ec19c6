"""A transfer on its way to several relays: when it is available, and when all have it."""
import json
import time

import world


class Sent:
    """Started at once; the time runs from the code that was typed in."""

    def __init__(self, service, file):
        self.service, self.file = service, file
        self.links = service.links()
        self.bytes_before = service.network.sent_bytes("sender") if service.network else 0
        self.known = {path.parent.name for member in service.members
                      for path in member.volume_files()}
        self.client = service.start_send(file, more=["--json"])
        self.client.give_code()

    def wait_copies(self, members, seconds=600):
        """Until the client has its receipt and these relays have every volume; then `tid`,
        `volumes`, `seconds` and `sender_bytes` (headers included) are known."""
        self.done = self.client.end()
        told = [json.loads(line) for line in self.done.stdout.splitlines() if line]
        self.told = next(one for one in told if one["event"] == "available")
        self.tid = self.told["transfer"]
        self.volumes = len({volume for member in self.service.members
                            for volume in member.described(self.tid)})
        self.service.wait_copies(self.tid, self.volumes, members, seconds)
        self.seconds = time.monotonic() - self.client.code_given
        if self.service.network:
            self.sender_bytes = self.service.network.sent_bytes("sender") - self.bytes_before

    def body_bytes(self):
        """Sealed, as it lies at each relay."""
        return sum(path.stat().st_size for path in self.service.members[0].volume_files(self.tid))

    @property
    def link(self):
        return self.service.new_link(self.links)
