"""A relay that cheats: a proxy with the relay's own certificate in front of its piece plane.

`mode` says what it does to pieces on their way to whoever fetches them: "honest", "flip" (one bit
in each), "truncate" (ends the line within each), "stall" (says nothing more), "swap" (gives the
neighbour of the piece that was asked for). Uploads and small answers pass as they are, but for
"boast": in its map it has every volume whole of which it has anything.
"""
import contextlib
import re
import select
import socket
import ssl
import threading

# Further into an answer than any descriptor or map of these tests reaches.
INTO_A_PIECE = 50_000
READ = re.compile(rb"^GET (/v1/[0-9a-f]{32}/\d+)/(\d+) ")


def read(line):
    """b"" at the end; None when TLS has only spoken to itself: a relay sends its session tickets
    while it waits for the rest of what we carry to it."""
    line.setblocking(False)
    try:
        return line.recv(65_536)
    except ssl.SSLWantReadError:
        return None
    finally:
        line.setblocking(True)


class HostileLine:
    """For `lines` of SeveralRelays. The relay's folder has its certificate a little later: `open`."""

    def __init__(self, port_behind):
        self.port_behind = port_behind
        self.mode = "honest"
        self.cheated = 0  # pieces
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def open(self, tls_folder):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(tls_folder / "relay.pem", tls_folder / "relay.key")
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw):
        behind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        behind.check_hostname, behind.verify_mode = False, ssl.CERT_NONE
        with contextlib.suppress(OSError), \
                self.context.wrap_socket(raw, server_side=True) as client, \
                socket.create_connection(("127.0.0.1", self.port_behind)) as plain, \
                behind.wrap_socket(plain, server_hostname="localhost") as relay:
            self._carry(client, relay)

    def _carry(self, client, relay):
        """One thread for both directions, since a TLS line has one owner."""
        answered = 0  # bytes since the last request
        while True:
            ready = [one for one in (client, relay) if one.pending()]
            if not ready:
                ready, _, _ = select.select([client, relay], [], [], 600)
            if not ready:
                return
            part = read(client) if client in ready else None
            if part == b"":
                return
            if part:
                relay.sendall(self._asked(part))
                answered = 0
            part = read(relay) if relay in ready else None
            if part == b"":
                return
            if part:
                if answered < INTO_A_PIECE <= answered + len(part):
                    part = self._cheat(client, part)
                answered += len(part)
                client.sendall(self._boasted(part))

    def _asked(self, request):
        match = READ.match(request)
        if self.mode != "swap" or not match:
            return request
        self.cheated += 1
        return (b"GET %s/%d " % (match.group(1), int(match.group(2)) ^ 1)) + request[match.end():]

    def _boasted(self, part):
        """Of the same length, since that was told already."""
        if self.mode != "boast" or b'"descriptor":false' not in part:
            return part
        self.cheated += 1
        return part.replace(b'"descriptor":false', b'"descriptor":true ')

    def _cheat(self, client, part):
        if self.mode == "flip":
            self.cheated += 1
            return part[:-1] + bytes([part[-1] ^ 1])
        if self.mode == "truncate":
            self.cheated += 1
            raise OSError("cut")
        if self.mode == "stall":
            self.cheated += 1
            while self.mode == "stall" and select.select([client], [], [], 1)[0] == []:
                pass  # until whoever waits gives up
            raise OSError("given up")
        return part
