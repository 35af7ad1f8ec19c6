"""Makes calls of the control plane without our client, and has each answer judged by its document."""
import functools
import json
import os
import subprocess
import time

import wire as wires
from wire import b64url


class Caller:
    """Makes calls and has each answer judged."""

    def __init__(self, service, document, checks):
        self.service, self.document, self.checks = service, document, checks
        self.calls = self.faults = 0

    # Made when the service has its certificates.
    @functools.cached_property
    def wire(self):
        return wires.Wire(self.service)

    @functools.cached_property
    def inside(self):
        return wires.Wire(self.service, direct=True)

    def __call__(self, method, path, body=None, headers=None, raw=None, wire=None):
        """`body`: a valid one; `raw`: bytes of any kind."""
        call = (method, path)
        if body is not None:
            self._note(call, self.document.takes(call, body))
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        if method != "GET" and not content:
            content = b"{}"
        headers = {"Content-Type": "application/json", **(headers or {})}
        ask = lambda: (wire or self.wire).ask(self.service.server, method, path, content, headers)
        status, told, answer = ask()
        while status == 503 and told.get("Content-Type", "").startswith("text/html"):
            time.sleep(0.1)  # nginx: too many a second
            status, told, answer = ask()
        self.calls += 1
        self._note(call, self.document.judge(call, status, told, answer))
        is_json = "json" in told.get("Content-Type", "")
        return status, json.loads(answer) if is_json and answer else answer

    def _note(self, call, faults):
        for fault in faults:
            print("fault:", *call, fault)
            self.faults += 1

    def good(self, *arguments, **options):
        status, answer = self(*arguments, **options)
        if status >= 300:
            raise AssertionError(f"{arguments[:2]}: {status} {answer}")
        return answer

    def refused(self, code, *arguments, **options):
        """Said only when it is not refused in that way: the summary counts the codes."""
        status, answer = self(*arguments, **options)
        if status < 400 or not isinstance(answer, dict) or answer.get("code") != code:
            self.checks.that(f"{arguments[0]} {arguments[1]} is refused as {code}, not {status} "
                             f"{str(answer)[:120]}", False)


class Holder:
    """Who holds private keys: a return key of their own, and the department's key file."""

    def __init__(self, service):
        self.service, self.seed = service, os.urandom(32).hex()
        self.program = service.build / "tests/key_holder"
        self.file = (service.key, service.passphrase.read_text().strip())

    def _run(self, *words):
        done = subprocess.run([str(self.program), *map(str, words)], check=True, text=True,
                              capture_output=True)
        return done.stdout.strip()

    def inbox_request(self):
        inbox, kind, key = self._run("public", self.seed).split()
        return {"inbox": inbox, "type": int(kind), "public_key": key}

    def inbox_answer(self, challenge):
        return self._run("answer", self.seed, challenge)

    def kid(self):
        return self._run("department", *self.file)

    def department_answer(self, challenge):
        return self._run("answer-department", *self.file, challenge)


class RelayStatements:
    """What the relay could say itself: signed by its key."""

    def __init__(self, service):
        keys = service.data / "keys"
        self.id = (keys / "relay.id").read_text().strip()
        # RFC 8410, section 7: the seed in a PKCS#8 frame.
        der = bytes.fromhex("302e020100300506032b657004220420") + (keys / "relay.seed").read_bytes()
        self.key = service.root / "relay-key.der"
        self.key.write_bytes(der)

    def body(self, context, inner):
        text = json.dumps(inner)
        message = self.key.with_suffix(".message")
        message.write_bytes(context.encode() + b"\0" + text.encode())
        signature = subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", str(self.key), "-keyform", "DER",
             "-in", str(message)], check=True, capture_output=True).stdout
        return {"relay": self.id, "request": text, "signature": b64url(signature)}


def public_key(root):
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                    str(root / "swarm.key")], check=True, capture_output=True)
    return subprocess.run(["openssl", "ec", "-in", str(root / "swarm.key"), "-pubout", "-outform",
                           "DER"], check=True, capture_output=True).stdout
