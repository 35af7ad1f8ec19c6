"""Signed records and histories (docs/protocol.md, section 11)."""
from .keys import sign, verifies
from .octets import NUMBER_MAX, Reader, need, sha256, u64

FORMS = {  # magic, then names and bytes; numbers for "n"
    "ticket": (b"PKT1", ("tid", 16), ("role", "n1"), ("body_len", "n8"), ("not_before", "n8"),
               ("expires", "n8"), ("delete_at", "n8")),
    "stored": (b"PKS1", ("relay", 16), ("tid", 16), ("content_root", 32), ("body_len", "n8"),
               ("time", "n8")),
    "verified": (b"PKV1", ("tid", 16), ("envelope_sha256", 32), ("time", "n8"), ("email", "text")),
    "fetched": (b"PKF1", ("tid", 16), ("envelope_sha256", 32), ("content_root", 32), ("time", "n8")),
    "gone": (b"PKG1", ("relay", 16), ("tid", 16), ("time", "n8")),
}


def check(kind, octets, public):
    """Form, then signature. Gives the fields; bytes as they are."""
    magic, *fields = FORMS[kind]
    given = Reader(octets)
    need(given.take(4) == magic)
    out = {}
    for name, form in fields:
        if form == "text":
            out[name] = given.take(given.number(2)).decode(errors="replace")
        elif isinstance(form, str):
            out[name] = given.number(int(form[1:]))
        else:
            out[name] = given.take(form)
    signature = given.take(64)
    given.end()
    need(verifies(public, octets[:-64], signature), "bad_signature")
    return out


def check_ticket(octets, public, now):
    ticket = check("ticket", octets, public)
    times = [ticket[name] for name in ("not_before", "expires", "delete_at")]
    need(1 <= ticket["role"] <= 3 and max(times) <= NUMBER_MAX)
    need(ticket["expires"] - ticket["not_before"] <= 900
         and ticket["not_before"] - 60 <= now <= ticket["expires"] + 60, "expired")
    return ticket


def fetched_report(tid, envelope, content_root, time, signing_seed):
    front = b"PKF1" + tid + sha256(envelope) + content_root + u64(time)
    return front + sign(signing_seed, front)


def check_history(octets, public):
    """(tid, entries)."""
    given = Reader(octets)
    need(given.take(4) == b"PKH1")
    tid, count = given.take(16), given.number(4)
    need(1 <= count <= 256)
    raw = [given.take(49) for _ in range(count)]
    signature = given.take(64)
    given.end()
    need(verifies(public, octets[:24] + sha256(raw[-1]), signature), "bad_signature")
    expected = sha256(b"plankurier/1 history\0", tid)
    for entry in raw:
        need(entry[:32] == expected, "tampered")
        expected = sha256(entry)
    entries = [{"event": entry[32], "time": int.from_bytes(entry[33:41], "big"),
                "detail": int.from_bytes(entry[41:], "big")} for entry in raw]
    events, times = [one["event"] for one in entries], [one["time"] for one in entries]
    need(events[0] == 1 and 1 not in events[1:] and set(events) <= set(range(1, 8)))
    need(6 not in events[:-1] and times == sorted(times))
    return tid, entries
