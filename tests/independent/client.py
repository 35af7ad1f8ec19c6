"""Speaks to control plane and relays (docs/protocol.md, sections 2 and 3), and sends and fetches.

`call(base, method, path, body, headers)` gives (status, octets); the suite brings it.
"""
import dataclasses
import json
import os
import time

from . import body, directory, envelope, keys, manifest as manifests, records
from .octets import Refused, b64url, b64url_bytes, derive, need, sha256

PATIENCE_S = 60


class Answered(Exception):
    """The service refused; `code` is that of its problem details."""

    def __init__(self, status, octets):
        self.status, self.code = status, json.loads(octets or b"{}").get("code")
        super().__init__(f"{status} {self.code}")


class Service:
    def __init__(self, call, server, root):
        self.call, self.server = call, server
        bundle = self.control("GET", "/v1/directory")
        self.directory = directory.open_(bundle, directory.minisign_key(root), 0, int(time.time()))

    def octets(self, base, method, path, content=b"", headers=None):
        status, answer = self.call(base, method, path, content, headers or {})
        if status >= 300:
            raise Answered(status, answer)
        return answer

    def control(self, method, path, content=None, headers=None):
        """JSON, or octets in, JSON out."""
        raw = content if isinstance(content, bytes) else json.dumps(content or {}).encode()
        kind = "application/octet-stream" if isinstance(content, bytes) else "application/json"
        answer = self.octets(self.server, method, path, raw, {"Content-Type": kind, **(headers or {})})
        return json.loads(answer) if answer else {}

    def post(self, path, content=None, headers=None):
        return self.control("POST", path, content, headers)

    def session_of_address(self, email, read_code):
        """`read_code`: waits for the code's mail."""
        begun = self.post("/v1/verifications", {"email": email, "language": "de"})
        session = {"Plankurier-Session": begun["session"]}
        self.post("/v1/verifications/check", {"code": read_code()}, session)
        return session

    def session_of_department(self, ident, seed, kind):
        kid = keys.kid_of(kind, keys.key_pair(seed, kind)[1])
        told = self.post("/v1/department/challenge", {"department": ident, "kid": kid.hex()})
        answer = keys.answer_challenge(b64url_bytes(told["challenge"]), seed, kind)
        begun = self.post("/v1/department/session", {"department": ident, "answer": b64url(answer)})
        return {"Plankurier-Session": begun["session"]}

    def session_of_inbox(self, seed, kind):
        public = keys.key_pair(seed, kind)[1]
        inbox = keys.inbox_of(kind, public).hex()
        told = self.post("/v1/inbox/challenge",
                         {"inbox": inbox, "type": kind, "public_key": b64url(public)})
        answer = keys.answer_challenge(b64url_bytes(told["challenge"]), seed, kind)
        begun = self.post("/v1/inbox/session", {"inbox": inbox, "answer": b64url(answer)})
        return {"Plankurier-Session": begun["session"]}

    def inbox(self, session):
        return self.control("GET", "/v1/inbox", headers=session)["transfers"]

    def ticket(self, rights):
        told = self.post("/v1/tickets", {}, rights)
        return {"Authorization": f"Plankurier {told['ticket']}"}, [one["url"] for one in told["relays"]]


def patiently(step):
    """A step that answers `conflict` until the relay has synced."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return step()
        except Answered as refused:
            if refused.code != "conflict" or time.monotonic() > end:
                raise
            time.sleep(0.02)


@dataclasses.dataclass
class Outgoing:
    """`to`: the members of POST /v1/transfers that name whom; `stanzas`: see envelope.py."""
    to: dict
    stanzas: list
    files: list  # (name, content, media type)
    message: str = ""
    sender: dict = dataclasses.field(default_factory=dict)
    reply: tuple = None   # type and public key
    signer: bytes = None  # signing seed
    is_answer: bool = False


@dataclasses.dataclass
class Sent:
    tid: bytes
    key: bytes
    rights: dict
    told: dict  # what `finish` answered

    def link_id(self):
        return bytes.fromhex(self.told["link"])


def _manifest(service, out, tid):
    manifest = {"v": 1, "tid": tid.hex(), "created": int(time.time()), "expiry_days": 7,
                "from": out.sender, "to": {"dept": out.to.get("department", ""),
                                           "dir_serial": service.directory.serial, "kids": []},
                "subject": "Nachricht", "message": out.message,
                "files": [{"name": name, "size": len(content), "type": kind, "mtime": 0}
                          for name, content, kind in out.files]}
    if out.reply:
        manifest["reply"] = manifests.reply_of(*out.reply)
    return manifest


def _send_volume(service, path, url, put, seal_piece, layout, key, tid, volume):
    roots = []
    for piece in range(layout.pieces_in(volume)):
        content = seal_piece(volume * body.VOLUME_PIECES + piece)
        roots.append(body.piece_root(content))
        told = json.loads(service.octets(url, "PUT", f"{path}/{volume}/{piece}", content, put))
        need(told["root"] == roots[-1].hex(), "tampered")
    descriptor = body.make_descriptor(key, tid, volume, layout.piece_bytes, roots)
    patiently(lambda: service.octets(url, "PUT", f"{path}/{volume}", descriptor, put))
    return descriptor


def send(service, session, out):
    tid, key, manage = os.urandom(16), os.urandom(32), os.urandom(32)
    content = b"".join(content for _, content, _ in out.files)
    layout = body.Layout.for_content(len(content))
    sealed, header = envelope.seal(key, _manifest(service, out, tid), layout, out.stanzas,
                                   out.signer, out.is_answer)
    service.post("/v1/transfers", {
        "tid": tid.hex(), **out.to, "body_len": layout.body_len, "expiry_days": 7, "language": "de",
        "fetch_sha256": b64url(sha256(derive(key, tid, "fetch"))),
        "manage_sha256": b64url(sha256(manage))}, session)
    rights = {"Plankurier-Transfer": tid.hex(), "Plankurier-Manage": b64url(manage)}
    service.control("PUT", "/v1/envelope", sealed, rights)
    put, urls = service.ticket(rights)
    sealer = body.Sealer(key, tid, header, layout.segments)

    def seal_piece(piece):
        indexes = range(piece * layout.piece_segments, (piece + 1) * layout.piece_segments)
        return b"".join(sealer.seal(i, content[i * body.PLAIN:(i + 1) * body.PLAIN].ljust(
            body.PLAIN, b"\0")) for i in indexes)
    path = f"/v1/{tid.hex()}"
    descriptors = [_send_volume(service, path, urls[volume % len(urls)], put, seal_piece, layout, key,
                                tid, volume) for volume in range(layout.volumes)]
    receipts = [json.loads(patiently(lambda: service.octets(url, "POST", f"{path}/stored", b"{}", put)))
                ["receipt"] for url in urls]
    told = service.post("/v1/transfers/finish", {
        "receipts": receipts, "content_root": b64url(sha256(b"".join(descriptors)))}, rights)
    return Sent(tid, key, rights, told)


@dataclasses.dataclass
class Fetched:
    opened: envelope.Opened
    files: dict
    email: str      # as the control plane verified it
    signed_by: str  # id of a department or clerk, or None
    signer_kid: bytes


def by_link_id(ident):
    return {"Plankurier-Link": ident.hex()}


def from_inbox(session, tid):
    return {**session, "Plankurier-Transfer": tid.hex()}


def _open(service, where, way):
    sealed = service.octets(service.server, "GET", "/v1/envelope", b"", where)
    record = records.check("verified", b64url_bytes(
        service.control("GET", "/v1/record", headers=where)["record"]), service.directory.record_key)
    opened = envelope.open_(sealed, way)
    need(record["tid"] == opened.view.tid and record["envelope_sha256"] == sha256(sealed),
         "bad_signature")
    return sealed, record["email"], opened, envelope.signer_of(opened, service.directory)


def _body(service, opened, rights):
    """The plaintext, and the content root. Each relay in turn."""
    view, tid = opened.view, opened.view.tid
    get, urls = service.ticket(rights)
    floe = body.floe_of(opened.key, tid, view.body_header)
    plain, descriptors = [], []
    for volume in range(view.layout.volumes):
        url, path = urls[volume % len(urls)], f"/v1/{tid.hex()}/{volume}"
        descriptors.append(service.octets(url, "GET", path, b"", get))
        number, _, roots = body.check_descriptor(descriptors[-1], opened.key, tid, view.layout)
        need(number == volume, "tampered")
        for piece, root in enumerate(roots):
            content = service.octets(url, "GET", f"{path}/{piece}", b"", get)
            need(len(content) == view.layout.piece_bytes and body.piece_root(content) == root,
                 "tampered")
            first = (volume * body.VOLUME_PIECES + piece) * view.layout.piece_segments
            for i in range(view.layout.piece_segments):
                segment = content[i * body.SEGMENT:(i + 1) * body.SEGMENT]
                plain.append(floe.open(first + i, first + i + 1 == view.layout.segments, segment))
    return b"".join(plain), sha256(*descriptors)


def fetch(service, where, way, signing_seed=None):
    """Everything of a transfer; reports it as fetched, signed where there is a seed for that."""
    sealed, email, opened, signer = _open(service, where, way)
    tid = opened.view.tid
    rights = {"Plankurier-Transfer": tid.hex(),
              "Plankurier-Fetch": b64url(derive(opened.key, tid, "fetch"))}
    plain, content_root = _body(service, opened, rights)
    files, at = {}, 0
    for file in opened.manifest["files"]:
        files[file["name"]] = plain[at:at + file["size"]]
        at += file["size"]
    need(not any(plain[at:]), "tampered")
    report = {}
    if signing_seed:
        report = {"report": b64url(records.fetched_report(tid, sealed, content_root,
                                                          int(time.time()), signing_seed))}
    service.post("/v1/transfers/fetched", report, rights)
    return Fetched(opened, files, email, signer and signer[0], signer and signer[1])


def refused(step):
    """The code with which a step is refused; None when it is not."""
    try:
        step()
    except (Refused, Answered) as error:
        return error.code
    return None
