"""What nginx answers by itself: too many requests, too many connections, nobody behind it."""
import http.client
import json
import socket

import wire as wires
from probes import wait_until

PROBLEM = "application/problem+json"
PATHS = ("/v1/service", "/pieces/v1/piece")


def is_problem(told, status, code, retry_after):
    """A problem document of that kind for programs and pages of this origin, and of no other."""
    got, headers, content = told
    if got != status or headers.get_content_type() != PROBLEM:
        return False
    problem = json.loads(content)
    return (problem == {"type": "about:blank", "title": code, "status": status, "code": code}
            and headers.get_all("Retry-After") == retry_after
            and headers["Access-Control-Allow-Origin"] is None
            and headers["Cross-Origin-Resource-Policy"] == "same-origin"
            and headers["Cache-Control"] == "no-store")


def code_of(told):
    return json.loads(told[2])["code"] if told[1].get_content_type() == PROBLEM else "no problem"


class Held:
    """Requests whose bodies do not come: each is a connection that nginx counts."""

    def __init__(self, service, wire):
        self.service, self.wire, self.lines = service, wire, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for line in self.lines:
            line.close()

    def add(self):
        raw = socket.create_connection((self.service.address, self.service.control_port))
        line = self.wire.tls.wrap_socket(raw, server_hostname="localhost")
        line.sendall(b"POST /v1/never HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        self.lines.append(line)

    def answers(self):
        """(status, headers, content) of those that have one already."""
        out = []
        for line in self.lines:
            line.settimeout(0.05)
            try:
                answer = http.client.HTTPResponse(line)
                answer.begin()
                out.append((answer.status, answer.headers, answer.read()))
            except (TimeoutError, OSError):
                pass  # it waits for the body
        return out


def nobody_behind(service, checks):
    wire = wires.Wire(service)
    for path in PATHS:
        told = wire.ask(service.server, "GET", path)
        checks.that(f"without anybody behind nginx {path} is unavailable, by a problem document "
                    "and with the time to ask again",
                    is_problem(told, 503, "unavailable", ["1"]) or print(told[0], told[1], told[2]))


def nobody_is_waited_for(service, checks):
    """What is away is not taken for busy, which would be waited for."""
    done = service.run("timeout", 60, service.client, "departments", "--retries", "0", "--ca",
                       service.ca, check=False, env=service.env())
    checks.that("without anybody behind nginx a command that shall not ask again ends with 7",
                done.returncode == 7 or print(done.returncode, done.stderr))


def too_many_requests(service, checks, burst):
    """Nobody is behind it: so what is busy is nginx's own word."""
    wire = wires.Wire(service)
    for path in PATHS:
        told = []
        for _ in range(20 * burst):
            told.append(wire.ask(service.server, "GET", path))
            if code_of(told[-1]) == "busy":
                break
        checks.that(f"nginx's own limit of requests is told as busy at {path}, by a problem document "
                    "and with the time to ask again",
                    is_problem(told[-1], 503, "busy", ["1"]) and len(told) > 1
                    or print(len(told), told[-1][0], told[-1][1], told[-1][2]))
        wait_until(lambda: code_of(wire.ask(service.server, "GET", path)) == "unavailable",
                   what="calm")


def too_many_connections(service, checks, connections):
    with Held(service, wires.Wire(service)) as held:
        for _ in range(connections):
            held.add()
        before = held.answers()
        fresh = wires.Wire(service)
        told = wait_until(lambda: (one := fresh.ask(service.server, "GET", "/v1/service"))
                          and code_of(one) == "busy" and one, what="nginx's limit of connections")
        checks.that(f"nginx's own limit of {connections} connections is told as busy, too",
                    not before and is_problem(told, 503, "busy", ["1"])
                    or print(before, told[0], told[1], told[2]))
    wait_until(lambda: code_of(wires.Wire(service).ask(service.server, "GET", "/v1/service"))
               == "unavailable", what="free connections")


def check(service, checks, connections, rate_s):
    """The relay stands still. `rate_s`: of nginx's limit, see relay/nginx_files.cpp."""
    nobody_behind(service, checks)
    nobody_is_waited_for(service, checks)
    too_many_connections(service, checks, connections)
    too_many_requests(service, checks, 2 * rate_s)
