#!/usr/bin/env python3
"""Many people behind one address, and somebody there who floods: who shows a good ticket or session
has a place of the own, all others share that of the address, and who is refused learns when to ask
again. Limits are small here, so that a test fills them."""
import argparse
import http.client
import json
import os
import pathlib
import socket
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import browser
import checks as counting
import nginx_refusals
import wire as wires
import world
from probes import wait_until

STRANGERS, OF_A_TRANSFER = 8, 6
LATE = 64  # as many more may come and be told so, see relay/pieces/line_limits.hpp
REQUESTS_S, BURST = 20, 200
HEADERS = ("Strict-Transport-Security", "Content-Security-Policy", "X-Content-Type-Options",
           "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy",
           "X-Robots-Tag", "Cache-Control")


class Crowd(world.World):
    def __init__(self, build):
        super().__init__(build)
        self.limits.update(connections_per_address=STRANGERS,
                           connections_per_transfer=OF_A_TRANSFER,
                           requests_per_address_s=REQUESTS_S, requests_per_session_s=REQUESTS_S)


class Lines:
    """TLS connections to the piece plane, held open."""

    def __init__(self, service):
        self.service, self.tls = service, ssl.create_default_context(cafile=service.ca)
        self.open = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for line in self.open:
            line.close()

    def line(self):
        line = http.client.HTTPSConnection("localhost", self.service.pieces_port, context=self.tls,
                                           timeout=30)
        line.connect()
        self.open.append(line)
        return line

    def idle(self, count):
        """Connected, without a word."""
        for _ in range(count):
            self.open.append(socket.create_connection(("127.0.0.1", self.service.pieces_port)))


def said(line, path, headers, method="GET", body=b""):
    """(status, headers, code of the problem or None)"""
    line.request(method, path, body, headers)
    answer = line.getresponse()
    content = answer.read()
    problem = answer.headers.get_content_type() == "application/problem+json"
    return answer.status, answer.headers, json.loads(content)["code"] if problem else None


def is_busy(told):
    return told[0] == 503 and told[2] == "busy" and told[1]["Retry-After"] in ("1", "2", "3")


def made_up(ticket):
    """The same ticket with another signature."""
    raw = bytearray(wires.b64url_bytes(ticket["Authorization"].split()[1]))
    raw[-1] ^= 1
    return {"Authorization": "Plankurier " + wires.b64url(bytes(raw))}


def piece_plane(service, checks):
    wire = wires.Wire(service)
    one, other = (wires.RawTransfer(wire, 2).send(service.pieces_url) for _ in range(2))
    tickets = [transfer.ticket(transfer.as_sender)[0] for transfer in (one, other)]
    wire.lines.clear()
    with Lines(service) as lines:
        lines.idle(STRANGERS)
        told = said(lines.line(), one.path, {})
        checks.that("beyond its limit an address without a ticket is told so: busy, and when to ask "
                    "again", is_busy(told) or print(told))
        told = said(lines.line(), one.path, made_up(tickets[0]))
        checks.that("a made-up ticket lifts nothing", is_busy(told) or print(told))
        for transfer, ticket in zip((one, other), tickets):
            told = [said(lines.line(), transfer.path, ticket)[0] for _ in range(OF_A_TRANSFER)]
            checks.that("behind the same address everybody with a good ticket is served",
                        told == [200] * OF_A_TRANSFER or print(told))
        told = said(lines.line(), one.path, tickets[0])
        checks.that("a transfer has its own limit", is_busy(told) or print(told))
    with Lines(service) as lines:
        wait_until(lambda: said(lines.line(), one.path, {})[0] == 401, what="free places")
        checks.that("who is gone leaves the place free", True)


def slow_flood(service, checks):
    """Idle ones again and again: as many as may be late, too."""
    wire = wires.Wire(service)
    transfer = wires.RawTransfer(wire, 1).send(service.pieces_url)
    ticket, _ = transfer.ticket(transfer.as_sender)
    with Lines(service) as lines:
        lines.idle(STRANGERS + LATE)

        def served():
            try:
                return said(lines.line(), transfer.path, ticket)[0] == 200
            except OSError:
                return False
        wait_until(served, 30, "a place while idle ones hold all")
        checks.that(f"{STRANGERS + LATE} idle lines are closed, and who has a ticket is served",
                    True)


def drained(service, checks):
    """A client that reads no answer before its whole piece is sent, as browsers do."""
    wire = wires.Wire(service)
    transfer = wires.RawTransfer(wire, 64)
    ticket, _ = transfer.ticket(transfer.as_sender)
    refused = {"without a ticket": ({}, 401), "with a made-up one": (made_up(ticket), 401),
               "of a wrong length": (ticket, 400)}
    for name, (headers, status) in refused.items():
        with Lines(service) as lines:
            told = said(lines.line(), f"{transfer.path}/0/0", headers, "PUT", bytes(4 << 20))
            checks.that(f"a piece {name} is refused by an answer that can be read",
                        told[0] == status or print(told))
            exposed = told[1]["Access-Control-Expose-Headers"] or ""
            checks.that("with headers that a page may read",
                        {"Retry-After", "Content-Range"} <= set(exposed.split(", ")))


def in_a_browser(service, checks):
    if not browser.is_there():
        checks.skip("what Chromium sees", "it is not installed")
        return
    wire = wires.Wire(service)
    transfer = wires.RawTransfer(wire, 64)
    ticket, _ = transfer.ticket(transfer.as_sender)
    base = json.dumps(service.pieces_url)
    told = browser.run_page(service.root, f"""
        const piece = {{'Plankurier-Piece': '0/0'}}, good = {json.dumps(ticket)};
        const refused = await put({base} + '/v1/piece', {{...piece, ...{json.dumps(made_up(ticket))}}},
                                  {16 << 20});
        const large = await put({base} + '/v1/piece', {{...piece, ...good}}, {4 << 20});
        const taken = await put({base} + '/v1/piece', {{...piece, ...good}}, {wires.PIECE});
        return [refused, large, taken];""")
    seen = [one.get("status") for one in told] if isinstance(told, list) else told
    checks.that("Chromium reads why a piece of 16 MiB was refused, and is served afterwards",
                seen == [401, 400, 200] and "bad_signature" in told[0]["body"] or print(told))


def constant_url(service, checks):
    wire = wires.Wire(service)
    transfer = wires.RawTransfer(wire, 2).send(service.pieces_url).finish([service.pieces_url])
    get, _ = transfer.ticket(transfer.as_recipient)
    ask = lambda base, path, headers: wire.ask(base, "GET", path, b"", {**get, **headers})
    by_path = ask(service.pieces_url, f"{transfer.path}/0/1", {})
    by_header = ask(service.pieces_url, "/v1/piece", {"Plankurier-Piece": "0/1"})
    here = ask(service.server, "/pieces/v1/piece", {"Plankurier-Piece": "0/1"})
    checks.that("a piece has one URL with its place in a header, also under the service's own "
                "address", by_path[0] == by_header[0] == here[0] == 200
                and len(by_path[2]) == wires.PIECE and by_path[2] == by_header[2] == here[2])
    part = ask(service.server, "/pieces/v1/piece", {"Plankurier-Piece": "0/1",
                                                    "Range": "bytes=100-199"})
    checks.that("parts of it too", part[0] == 206 and part[2] == by_path[2][100:200])
    beyond = ask(service.server, "/pieces/v1/piece", {"Plankurier-Piece": "0/1",
                                                      "Range": f"bytes={wires.PIECE}-"})
    checks.that("a range beyond the end is answered by the length",
                (beyond[0], beyond[1]["Content-Range"]) == (416, f"bytes */{wires.PIECE}"))
    wrong = [ask(service.pieces_url, "/v1/piece", {"Plankurier-Piece": value})[0]
             for value in ("", "0", "0/64", "0/x", "0/1/2", "/", "-1/0", "4294967296/0")]
    checks.that("a place that is none is not found", wrong == [404] * len(wrong) or print(wrong))
    status, headers, _ = wire.ask(service.pieces_url, "OPTIONS", "/v1/piece")
    checks.that("browsers are told once, for long",
                status == 204 and "Plankurier-Piece" in headers["Access-Control-Allow-Headers"]
                and int(headers["Access-Control-Max-Age"]) >= 7_200)
    _, _, content = wire.ask(service.server, "GET", "/v1/service")
    about = json.loads(content)
    checks.that("the service says which relay is at its own address",
                about["relay_here"] in [relay["id"] for relay in about["relays"]])


class Flood:
    """Counts requests that a limit let through. How many that may be depends on how long they took,
    so that no speed of this machine decides."""

    def __init__(self, checks):
        self.checks, self.begun, self.told = checks, time.monotonic(), []

    def that(self, name):
        refused = [one for one in self.told if one[0] == 503]
        allowed = BURST + REQUESTS_S * (time.monotonic() - self.begun) + 1
        if allowed >= len(self.told):
            self.checks.skip(name, "this machine is too slow to flood")
            return
        self.checks.that(f"{name}: {len(refused)} of {len(self.told)} are refused as busy",
                         len(self.told) - len(refused) <= allowed and all(map(is_busy, refused))
                         or print(self.told[-1]))


def control_plane(service, checks):
    wire = wires.Wire(service)
    transfer = wires.RawTransfer(wire, 1)
    status_path = "/v1/transfers/status"
    served = wire.ask(service.server, "GET", status_path, b"", transfer.as_sender)[0] == 200
    direct = wires.Wire(service, direct=True)

    def ask(path, headers, address="127.0.0.1"):
        """Past nginx, for many requests."""
        status, told, content = direct.ask(service.server, "GET", path, b"",
                                           {"X-Real-IP": address, **headers})
        return status, told, None if status == 200 else json.loads(content)["code"]
    flood = Flood(checks)
    flood.told = [ask("/v1/service", {}) for _ in range(BURST * 3)]
    flood.that("too many requests from one address")
    for _ in range(BURST):
        made_up_token = {"Plankurier-Manage": wires.b64url(os.urandom(32))}
        flood.told.append(ask(status_path, {**transfer.as_sender, **made_up_token}))
    flood.that("made-up tokens lift nothing")
    told = [ask(status_path, transfer.as_sender)[0] for _ in range(50)]
    checks.that("who has shown a good token before is served all the while",
                served and told == [200] * 50 or print(told))
    flood = Flood(checks)
    for spelled in (transfer.tid.hex(), transfer.tid.hex().upper()):
        headers = {**transfer.as_sender, "Plankurier-Transfer": spelled}
        flood.told += [ask(status_path, headers) for _ in range(BURST * 2)]
    flood.that("a token has a limit too, however it is spelled")
    checks.that("another address is not touched by it",
                ask("/v1/service", {}, "192.0.2.7")[0] == 200)


def same_headers(service, checks):
    """Every answer of nginx, whoever made it, bears the same rules for browsers."""
    wire = wires.Wire(service)
    wait_until(lambda: wire.ask(service.server, "GET", "/v1/service")[0] == 200, what="calm")
    seen = {}

    def note(name, answer):
        seen[name] = (answer[0], [answer[1].get_all(header) for header in HEADERS])
        return answer
    for path in ("/", "/t", "/c", "/r", "/n", "/t/abc", "/t%23v1.0123", "/t%2523v1.0123", "/r/?a=b",
                 "/style.css", "/missing", "/v1/service", "/v1/missing", "/pieces/v1/piece"):
        note(path, wire.ask(service.server, "GET", path))
    note("too large", wire.ask(service.server, "POST", "/v1/never", bytes(3_200_000)))
    note("HEAD", wire.ask(service.server, "HEAD", "/t"))
    line = socket.create_connection(("127.0.0.1", service.control_port))
    with wire.tls.wrap_socket(line, server_hostname="localhost") as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        note("no HTTP", (answer.status, answer.headers))
    relay = service.role_pid("control")
    service.stop("relay")
    told = note("no control plane", wire.ask(service.server, "GET", "/v1/service"))
    checks.that("without a control plane the answer is a problem document",
                relay and told[0] == 503 and json.loads(told[2])["code"] == "unavailable"
                and told[1]["Retry-After"] is not None)
    nginx_refusals.check(service, checks, STRANGERS, 10 * REQUESTS_S)
    service.start_relay()
    statuses_seen = {name: status for name, (status, _) in seen.items()}
    print("   ", statuses_seen)
    rules = [headers for _, headers in seen.values()]
    checks.that("all headers are there once, and the same on every answer",
                all(one == rules[0] for one in rules)
                and all(header and len(header) == 1 for header in rules[0])
                or print(seen))
    pages = ("/", "/t", "/c", "/r", "/n", "/t/abc", "/t%23v1.0123", "/t%2523v1.0123", "/r/?a=b",
             "HEAD")
    checks.that("the pages of links in mails are there, whatever a gateway has made of them",
                all(statuses_seen[page] == 200 for page in pages))
    policy = rules[0][HEADERS.index("Content-Security-Policy")][0]
    checks.that("the rules for browsers name the relays", service.pieces_url in policy)
    german = wire.ask(service.server, "GET", "/t/x")[2].decode()
    checks.that("a page says in two languages what to do, and needs no script",
                "plankurier fetch" in german and "Eine vertrauliche Nachricht" in german
                and "A confidential message" in german and "<script" not in german
                and "Landratsamt Musterkreis" in german)
    log = (service.root / "nginx.log").read_text()
    checks.that("no link stands in nginx's log", "0123" not in log or print(log))


def office(build, checks, senders=8):
    """Real clients at once, from one address, with the limits that are shipped."""
    with world.World(build) as service:
        sendings = []
        for i in range(senders):
            file = service.root / f"plan-{i}.pdf"
            file.write_bytes(b"%PDF-1.7\n" + os.urandom(300_000))
            sendings.append(world.Sending(service, [
                file, "--to", "bauamt", "--name", "Anna Muster", "--message", "Anbei die Pläne",
                "--email", f"buero{i}@buerger.example", "--receipt",
                service.root / f"receipt-{i}.json"]))
        codes = [one.end(check=False).returncode for one in sendings]
        checks.that(f"{senders} people of one office send at once, and nobody fails",
                    codes == [0] * senders or print(codes))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    checks = counting.Checks()
    build = parser.parse_args().build
    with Crowd(build) as service:
        piece_plane(service, checks)
        slow_flood(service, checks)
        drained(service, checks)
        in_a_browser(service, checks)
        constant_url(service, checks)
        control_plane(service, checks)
        same_headers(service, checks)
    office(build, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
