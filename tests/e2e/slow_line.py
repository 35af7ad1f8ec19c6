"""A line of few bytes a second: a TCP proxy on loopback."""
import socket
import threading
import time


class SlowLine:
    """`with SlowLine(port_behind, bytes_per_s) as line:` then connect to `line.port`. What goes
    towards the server is slow; what comes back is not."""

    def __init__(self, port_behind, bytes_per_s):
        self.port_behind, self.bytes_per_s = port_behind, bytes_per_s
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port_behind))
            for source, target, slow in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._carry, args=(source, target, slow),
                                 daemon=True).start()

    def _carry(self, source, target, slow):
        parts_per_s = 20
        try:
            while part := source.recv(self.bytes_per_s // parts_per_s if slow else 65_536):
                target.sendall(part)
                if slow:
                    time.sleep(1 / parts_per_s)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
