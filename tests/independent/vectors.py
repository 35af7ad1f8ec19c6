"""Runs a test vector: its `in` to a result and an `out` (tests/vectors/v1/README.md)."""
from . import body, directory, envelope, kem, keys, links, manifest as manifests, names, pasted, records
from .octets import Refused, derive, need, padme, sha256

KINDS = {"x25519": kem.X25519, "p256": kem.P256}
KIND_NAMES = {value: name for name, value in KINDS.items()}


def _hex(given, name):
    return bytes.fromhex(given[name])


def _repeated(given):
    return bytes.fromhex(given["repeat"]) * given["count"]


def _roots(given):
    return [bytes.fromhex(root) for root in given["piece_roots"]]


def _layout(given):
    one = (body.Layout(given["body_len"]) if "body_len" in given
           else body.Layout.for_content(given["content_bytes"]))
    return {"body_len": one.body_len, "sealed_bytes": one.segments * body.SEGMENT,
            "piece_bytes": one.piece_bytes, "pieces": one.pieces, "volumes": one.volumes,
            "pieces_in_last_volume": one.pieces_in(one.volumes - 1)}


def _sealed_segment(given):
    sealer = body.Sealer(_hex(given, "key"), _hex(given, "tid"), _hex(given, "header"),
                         given["segments"])
    return sealer.seal(given["index"], _repeated(given["plain"]))


def _segment_seal(given):
    sealed = _sealed_segment(given)
    return {"head": sealed[:48].hex(), "tail": sealed[-32:].hex(), "sha256": sha256(sealed).hex()}


def _flipped(octets, at):
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]


def _segment_open(given):
    sealed, header, how = _sealed_segment(given), _hex(given, "header"), given["open"]
    if "xor_at" in how:
        sealed = _flipped(sealed, how["xor_at"])
    if "length" in how:
        sealed = sealed[:how["length"]]
    if "header_xor_at" in how:
        header = _flipped(header, how["header_xor_at"])
    floe = body.floe_of(_hex(how, "key"), _hex(how, "tid"), header)
    plain = floe.open(how["index"], how["index"] + 1 == how["segments"], sealed)
    return {"plain_sha256": sha256(plain).hex()}


def _descriptor_check(given):
    volume, root, _ = body.check_descriptor(_hex(given, "bytes"), _hex(given, "key"),
                                            _hex(given, "tid"), body.Layout(given["body_len"]))
    return {"volume": volume, "root": root.hex()}


def _fields(found):
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in found.items()}


def _record(kind):
    def run(given):
        if kind == "ticket":
            return _fields(records.check_ticket(_hex(given, "bytes"), _hex(given, "public_key"),
                                                given["now"]))
        return _fields(records.check(kind, _hex(given, "bytes"), _hex(given, "public_key")))
    return run


def _history(given):
    tid, entries = records.check_history(_hex(given, "bytes"), _hex(given, "public_key"))
    return {"tid": tid.hex(), "entries": entries}


def _shown(manifest, reply):
    out = {"tid": manifest["tid"], "created": manifest["created"],
           "expiry_days": manifest["expiry_days"], "email": manifest["from"]["email"],
           "department": manifest["to"]["dept"], "subject": manifest["subject"],
           "message": manifest["message"], "notify_fetch": manifest["opts"]["notify_fetch"],
           "files": [{"name": one["name"], "size": one["size"], "type": one.get("type", "")}
                     for one in manifest["files"]]}
    if reply:
        out["reply"] = {"type": KIND_NAMES[reply[0]], "public_key": reply[1].hex(),
                        "inbox": keys.inbox_of(*reply).hex()}
    return out


def _manifest(given):
    text, _ = manifests.unframe(_hex(given, "plain"))
    return _shown(*manifests.decode(text))


def _opened(given):
    if "seed" in given:
        way = envelope.by_seed(_hex(given, "seed"), KINDS[given["type"]])
    elif "password" in given:
        way = envelope.by_password(given["password"])
    elif "link" in given:
        way = envelope.by_link(_hex(given, "link"))
    else:
        way = envelope.by_key(_hex(given, "key"))
    return envelope.open_(_hex(given, "bytes"), way)


def _envelope(given):
    one = _opened(given)
    return {"key": one.key.hex(), "body_len": one.view.layout.body_len,
            "body_header": one.view.body_header.hex(), "manifest": _shown(one.manifest, one.reply)}


def _signed_envelope(given):
    one = _opened(given)
    signer = envelope.signer_of(one, directory.Directory(given["directory"]))
    return {"signed_by": signer and signer[0], "kid": signer and signer[1].hex(),
            "is_reply": one.is_answer, "manifest": _shown(one.manifest, one.reply)}


def _reply_key(given):
    kind = KINDS[given["type"]]
    public = keys.key_pair(_hex(given, "seed"), kind)[1]
    return {"public_key": public.hex(), "inbox": keys.inbox_of(kind, public).hex()}


def _department_key(given):
    one = directory.Directory(given["directory"])
    return {"kid": one.usable_key(one.departments[0], given["now"])["kid"].hex()}


def _listed_key(given):
    one = directory.Directory(given["directory"])
    if given["to"] == "escrow":
        key = one.usable_escrow_key(given["now"])
        return {"name": one.escrow["name"], "kid": key["kid"].hex()}
    found = one.find(given["to"])
    key = one.usable_key(found, given["now"])
    return {"id": found["id"], "name": found["name"], "kid": key["kid"].hex()}


def _member_wrap(given):
    seed, kind, kid = keys.open_member_wrap(_hex(given, "bytes"), _hex(given, "seed"))
    return {"seed": seed.hex(), "type": KIND_NAMES[kind], "kid": kid.hex()}


def _challenge(given):
    return {"answer": keys.answer_challenge(_hex(given, "bytes"), _hex(given, "seed"),
                                            KINDS[given["type"]]).hex()}


def _return_link(given):
    base, inbox, seed, kind = links.return_link(given["text"])
    return {"base": base, "inbox": inbox.hex(), "seed": seed.hex(), "type": KIND_NAMES[kind]}


def _transfer_link(given):
    base, ident, secret = links.transfer_link(given["text"])
    return {"base": base, "id": ident.hex(), "secret": secret and secret.hex()}


def _code_link(given):
    code = pasted.code_of_link(given["text"])
    need(code)
    return {"base": pasted.split(given["text"], "c")[0], "code": code}


def _never_link(given):
    token = pasted.never_token(given["text"])
    need(token)
    return {"base": pasted.split(given["text"], "n")[0], "token": token}


def _pasted_link(given):
    text = pasted.tidy(given["text"])
    {"t": _transfer_link, "r": _return_link, "c": _code_link, "n": _never_link}[given["page"]](
        {"text": text})
    return {"link": text}


def _typed_code(given):
    code = pasted.typed_code(given["typed"])
    need(code)
    return {"code": code}


def _recipient_key(given):
    seed, kind = _hex(given, "seed"), KINDS[given["type"]]
    public = keys.key_pair(seed, kind)[1]
    return {"public_key": public.hex(), "kid": keys.kid_of(kind, public).hex(),
            "signing_public_key": keys.signing_public(keys.signing_seed(seed)).hex()}


def _key_file(given):
    seed, kind = keys.open_key_file(_hex(given, "bytes"), given["passphrase"])
    return {"seed": seed.hex(), "type": KIND_NAMES[kind]}


def _hpke_kem(given):
    kind = KINDS[given["type"]]
    sender, recipient = (kem.derive_private(kind, _hex(given, name)) for name in ("ikm_e", "ikm_r"))
    enc, own = kem.public_of(kind, sender), kem.public_of(kind, recipient)
    return {"sk_e": sender.hex(), "enc": enc.hex(), "sk_r": recipient.hex(), "pk_r": own.hex(),
            "shared_secret": kem.shared_secret(kind, recipient, enc, enc, own).hex()}


def _hpke_open(given):
    return {"plain": kem.open_(KINDS[given["type"]], _hex(given, "sk_r"), _hex(given, "enc"),
                               _hex(given, "info"), _hex(given, "aad"),
                               _hex(given, "ciphertext")).hex()}


def _minisign(given):
    key = directory.minisign_key(given["public_key"])
    comment = directory.check_minisign(key, _hex(given, "message"), given["signature"])
    return {"comment": comment, "fingerprint": directory.fingerprint(key)}


def _directory(given):
    one = directory.open_(given, directory.minisign_key(given["root"]), given["highest_serial"],
                          given["now"])
    return {"authority": one.authority, "serial": one.serial, "departments": len(one.departments)}


def _file_name(given):
    cleaned = names.clean(_hex(given, "name"))
    return {"cleaned": cleaned, "again": names.clean(cleaned.encode())}


RUNS = {
    "padme": lambda given: {"padded": padme(given["length"])},
    "layout": _layout,
    "derive": lambda given: {"derived": derive(_hex(given, "key"), _hex(given, "tid"),
                                               given["label"]).hex()},
    "segment_seal": _segment_seal,
    "segment_open": _segment_open,
    "piece_root": lambda given: {"root": body.piece_root(_repeated(given)).hex()},
    "volume_root": lambda given: {"root": body.volume_root(_roots(given),
                                                           given["piece_bytes"]).hex()},
    "descriptor_make": lambda given: {"bytes": body.make_descriptor(
        _hex(given, "key"), _hex(given, "tid"), given["volume"], given["piece_bytes"],
        _roots(given)).hex()},
    "descriptor_check": _descriptor_check,
    **{kind: _record(kind) for kind in records.FORMS},
    "history": _history, "manifest": _manifest, "envelope": _envelope,
    "signed_envelope": _signed_envelope, "reply_key": _reply_key,
    "department_key": _department_key, "listed_key": _listed_key, "member_wrap": _member_wrap,
    "challenge": _challenge, "return_link": _return_link, "transfer_link": _transfer_link,
    "code_link": _code_link, "never_link": _never_link, "pasted_link": _pasted_link,
    "typed_code": _typed_code, "recipient_key": _recipient_key, "key_file": _key_file, "hpke_kem": _hpke_kem,
    "hpke_open": _hpke_open, "minisign": _minisign, "directory": _directory,
    "file_name": _file_name,
    "file_names": lambda given: {"given": names.distinct([bytes.fromhex(name)
                                                          for name in given["names"]])},
    "file_type": lambda given: {"type": names.type_of(given["name"], _hex(given, "head"))},
}


def run(vector):
    """(result, out)."""
    try:
        return "ok", RUNS[vector["kind"]](vector["in"])
    except Refused as refused:
        return refused.code, {}
