#!/usr/bin/env python3
"""The test vectors, by the engine and once more by code that shares nothing with it.

The second reading needs Python's standard library and the openssl program only: sizes, key
derivation, merkle trees, descriptors, signed records, histories, key pairs, links, content types.
"""
import argparse
import base64
import hashlib
import hmac
import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import merkle
import pasted

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "vectors/v1"
SEGMENT, OVERHEAD = 262_144, 32
ED25519_DER = bytes.fromhex("302a300506032b6570032100")


def padme(length):
    if length < 2:
        return 1
    exponent = length.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << low_bits) - 1
    return (length + mask) & ~mask


def piece_bytes_for(length):
    for limit, factor in ((64 << 20, 1), (1 << 30, 4), (256 << 30, 16)):
        if length < limit:
            return SEGMENT * factor
    return SEGMENT * 64


def layout(given):
    plain = SEGMENT - OVERHEAD
    if "body_len" in given:
        body = given["body_len"]
        piece = piece_bytes_for(body)
        if body == 0 or body % (piece // SEGMENT * plain):
            return "malformed", {}
    else:
        padded = padme(given["content_bytes"])
        piece = piece_bytes_for(padded)
        unit = piece // SEGMENT * plain
        body = -(-padded // unit) * unit
        if body > (1 << 53) - 1:
            return "too_large", {}
    pieces = body // plain * SEGMENT // piece
    volumes = -(-pieces // 64)
    return "ok", {"body_len": body, "sealed_bytes": body // plain * SEGMENT, "piece_bytes": piece,
                  "pieces": pieces, "volumes": volumes,
                  "pieces_in_last_volume": pieces - (volumes - 1) * 64}


def derive(key, tid, label):
    message = b"plankurier/1 " + label.encode() + b"\0" + bytes.fromhex(tid) + b"\1"
    return hmac.new(bytes.fromhex(key), message, hashlib.sha384).digest()[:32]


def piece_root(given):
    return merkle.piece_root(bytes.fromhex(given["repeat"]) * given["count"])


def volume_root(given):
    return merkle.volume_root([bytes.fromhex(root) for root in given["piece_roots"]],
                              given["piece_bytes"])


def descriptor(given):
    roots = [bytes.fromhex(root) for root in given["piece_roots"]]
    body = merkle.descriptor_body(given["volume"], roots, given["piece_bytes"])
    key = derive(given["key"], given["tid"], "descriptor")
    return body + hmac.new(key, body, hashlib.sha384).digest()[:32]


def signature_holds(public_key, signed, signature):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        pem = base64.b64encode(ED25519_DER + public_key).decode()
        (folder / "key").write_text(f"-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n")
        (folder / "message").write_bytes(signed)
        (folder / "signature").write_bytes(signature)
        return subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", folder / "key", "-rawin", "-in",
             folder / "message", "-sigfile", folder / "signature"],
            capture_output=True).returncode == 0


MAGIC = {"ticket": b"PKT1", "stored": b"PKS1", "verified": b"PKV1", "fetched": b"PKF1",
         "gone": b"PKG1"}


def record(kind, given):
    raw = bytes.fromhex(given["bytes"])
    if raw[:4] != MAGIC[kind]:
        return "malformed"
    if not signature_holds(bytes.fromhex(given["public_key"]), raw[:-64], raw[-64:]):
        return "bad_signature"
    if kind == "ticket":
        begin, end = (int.from_bytes(raw[at:at + 8], "big") for at in (29, 37))
        if not begin - 60 <= given["now"] <= end + 60:
            return "expired"
    return "ok"


HEADS = {".pdf": (b"%PDF-", "application/pdf"), ".jpg": (b"\xff\xd8\xff", "image/jpeg"),
         ".jpeg": (b"\xff\xd8\xff", "image/jpeg"),
         ".png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png")}


def file_type(given):
    head, kind = HEADS.get(pathlib.PurePosixPath(given["name"].lower()).suffix, (None, None))
    if head is None or not bytes.fromhex(given["head"]).startswith(head):
        return "type_not_allowed", {}
    return "ok", {"type": kind}


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def history(given):
    raw = bytes.fromhex(given["bytes"])
    count = int.from_bytes(raw[20:24], "big")
    if raw[:4] != b"PKH1" or count == 0 or len(raw) != 24 + 49 * count + 64:
        return "malformed", {}
    entries = [raw[at:at + 49] for at in range(24, 24 + 49 * count, 49)]
    facts = [{"event": entry[32], "time": int.from_bytes(entry[33:41], "big"),
              "detail": int.from_bytes(entry[41:49], "big")} for entry in entries]
    events = [fact["event"] for fact in facts]
    times = [fact["time"] for fact in facts]
    if (events[0] != 1 or 1 in events[1:] or not set(events) <= set(range(1, 8))
            or 6 in events[:-1] or times != sorted(times)):
        return "malformed", {}
    expected = sha256(b"plankurier/1 history\0", raw[4:20])
    for entry in entries:
        if entry[:32] != expected:
            return "tampered", {}
        expected = sha256(entry)
    if not signature_holds(bytes.fromhex(given["public_key"]), raw[:24] + expected, raw[-64:]):
        return "bad_signature", {}
    return "ok", {"tid": raw[4:20].hex(), "entries": facts}


# RFC 9180: KEM id; what stands before a private key in DER; bytes of a public key.
KEMS = {"x25519": (0x20, "302e020100300506032b656e04220420", "", 32, 1),
        "p256": (0x10, "30310201010420", "a00a06082a8648ce3d030107", 65, 5)}
P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def public_key(seed, kind):
    kem, before, after, length, _ = KEMS[kind]
    suite = b"KEM" + kem.to_bytes(2, "big")
    mac = lambda key, *parts: hmac.new(key, b"".join(parts), hashlib.sha256).digest()
    ikm = mac(seed, b"plankurier/1 kem")
    prk = mac(bytes(32), b"HPKE-v1", suite, b"dkp_prk", ikm)
    expand = lambda label, info: mac(prk, b"\0\x20HPKE-v1", suite, label, info, b"\1")
    if kind == "x25519":
        private = expand(b"sk", b"")
    else:
        private = next(one for one in (expand(b"candidate", bytes([i])) for i in range(256))
                       if 0 < int.from_bytes(one, "big") < P256_ORDER)
    der = bytes.fromhex(before) + private + bytes.fromhex(after)
    made = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
                          input=der, capture_output=True, check=True)
    return made.stdout[-length:]


def reply_key(seed, kind):
    key = public_key(seed, kind)
    inbox = sha256(b"plankurier/1 inbox\0", KEMS[kind][4].to_bytes(2, "big"), key)[:16]
    return {"public_key": key.hex(), "inbox": inbox.hex()}


def link(text, page):
    """(base, id, secret or None), or None for what is no link to that page."""
    form = rf"(?:(.+?)/*/{page}/*#)?v1\.([0-9a-fA-F]{{32}})(?:\.([A-Za-z0-9_-]{{43}}))?"
    found = re.fullmatch(form, text)
    if found is None:
        return None
    base, ident, secret = found.groups()
    raw = base64.urlsafe_b64decode(secret + "=") if secret else None
    if secret and base64.urlsafe_b64encode(raw).decode()[:43] != secret:
        return None
    return base or "", ident.lower(), raw


def return_link(given):
    parts = link(given["text"], "r")
    if parts is None or parts[2] is None:
        return "malformed", {}
    base, inbox, seed = parts
    for kind in KEMS:
        if reply_key(seed, kind)["inbox"] == inbox:
            return "ok", {"base": base, "inbox": inbox, "seed": seed.hex(), "type": kind}
    return "malformed", {}


def transfer_link(given):
    parts = link(given["text"], "t")
    if parts is None:
        return "malformed", {}
    return "ok", {"base": parts[0], "id": parts[1], "secret": parts[2] and parts[2].hex()}


def department_key(given):
    directory = json.loads(given["directory"])
    usable = [key for key in directory["depts"][0]["keys"]
              if key["from"] <= given["now"] < key["until"]
              and key["kid"] not in directory["revoked"]]
    if not usable:
        return "expired", {}
    return "ok", {"kid": max(usable, key=lambda key: (key["from"], key["until"]))["kid"]}


def fits_together(directory):
    """Ids and addresses stand once each; clerks have an opaque id and an address, nobody else has."""
    departments, clerks = directory["depts"], directory.get("clerks", [])
    opaque = lambda one: re.fullmatch(r"clerk-[0-9a-f]{16}", one["id"]) is not None
    plain = lambda one: re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", one.get("address", "")) is not None
    names = ([one["id"] for one in departments + clerks]
             + [one.get("address", "").lower() for one in clerks])
    return (len(set(names)) == len(names) and all(opaque(one) and plain(one) for one in clerks)
            and not any(opaque(one) or one.get("address") for one in departments)
            and directory.get("escrow", {"name": "-"})["name"] != "")


def listed_key(given):
    directory, to = json.loads(given["directory"]), given["to"]
    if not fits_together(directory):
        return "malformed", {}
    if to == "escrow":
        found = [directory["escrow"]] if "escrow" in directory else [{"keys": []}]
    else:
        found = [one for one in directory["depts"] + directory.get("clerks", [])
                 if one["id"] == to or one.get("address", "").lower() == to.lower()]
    if not found:
        return "unknown_department", {}
    one = json.dumps({"depts": found, "revoked": directory["revoked"]})
    result, out = department_key({"directory": one, "now": given["now"]})
    told = {name: found[0][name] for name in ("id", "name") if name in found[0]}
    return result, {**told, **out} if out else {}


def pasted_link(given):
    text, page = pasted.tidy(given["text"]), given["page"]
    good = {"t": lambda: transfer_link({"text": text})[0] == "ok",
            "r": lambda: return_link({"text": text})[0] == "ok",
            "c": lambda: pasted.code_of_link(text), "n": lambda: pasted.never_token(text)}[page]()
    return ("ok", {"link": text}) if good else ("malformed", {})


def parts_of(page, member, found):
    """A reader of strict links whose part behind the version is `found`."""
    def read(given):
        value = found(given["text"])
        if value is None:
            return "malformed", {}
        return "ok", {"base": pasted.split(given["text"], page)[0], member: value}
    return read


def typed_code(given):
    code = pasted.typed_code(given["typed"])
    return ("ok", {"code": code}) if code else ("malformed", {})


ANSWERS = {"pasted_link": pasted_link, "typed_code": typed_code,
           "code_link": parts_of("c", "code", pasted.code_of_link),
           "never_link": parts_of("n", "token", pasted.never_token),
           "history": history, "return_link": return_link, "transfer_link": transfer_link,
           "department_key": department_key, "listed_key": listed_key,
           "reply_key": lambda given: ("ok", reply_key(bytes.fromhex(given["seed"]),
                                                       given["type"]))}


def second_reading(kind, given):
    """(result, out) where out is None when only the result is computed; None for other kinds."""
    if kind == "padme":
        return "ok", {"padded": padme(given["length"])}
    if kind == "layout":
        return layout(given)
    if kind == "derive":
        return "ok", {"derived": derive(given["key"], given["tid"], given["label"]).hex()}
    if kind == "piece_root":
        return "ok", {"root": piece_root(given).hex()}
    if kind == "volume_root":
        return "ok", {"root": volume_root(given).hex()}
    if kind == "descriptor_make":
        return "ok", {"bytes": descriptor(given).hex()}
    if kind in MAGIC:
        return record(kind, given), None
    if kind in ANSWERS:
        return ANSWERS[kind](given)
    if kind == "file_type":
        return file_type(given)
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    program = pathlib.Path(parser.parse_args().build) / "tests/engine_tests"
    checks = counting.Checks()
    engine = subprocess.run([program, "[vectors]"], capture_output=True, text=True)
    checks.that("the engine gives what every vector states", engine.returncode == 0)
    if engine.returncode:
        print(engine.stdout[-3_000:])
    read_twice = 0
    differing = []
    for file in sorted(FOLDER.glob("*.json")):
        vector = json.loads(file.read_text())
        second = second_reading(vector["kind"], vector["in"])
        if second is None:
            continue
        read_twice += 1
        result, out = second
        if result != vector["expect"] or (out is not None and out != vector["out"]):
            differing.append((file.name, second))
    checks.that(f"{read_twice} of them come out the same without our code",
                read_twice >= 175 and not differing)
    for one in differing:
        print("   ", one)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
