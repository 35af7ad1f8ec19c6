"""Bodies that have no documented form, or only look like one."""
import json
import os

from wire import b64url


def receipts(call, raw, root):
    """`finish` with everything but a list of whole receipts of different relays."""
    finish = ("POST", "/v1/transfers/finish")
    made_up = b64url(b"PKS1" + os.urandom(144))
    for odd in ({}, {"receipts": made_up, **root}, {"receipts": {"0": made_up}, **root},
                {"receipts": [b64url(b"PKS1")], **root}, {"receipts": 2 * [made_up], **root}):
        call.refused("malformed", *finish, raw=json.dumps(odd).encode(), headers=raw.as_sender)
    many = json.dumps({"receipts": 65 * [made_up], **root}).encode()
    call.refused("too_large", *finish, raw=many, headers=raw.as_sender)
    call.refused("bad_signature", *finish, {"receipts": [made_up], **root}, raw.as_sender)


def objects(call, raw):
    """Calls that need no member take an object all the same."""
    for odd in (b"[]", b"x=1"):
        for path in ("/v1/tickets", "/v1/transfers/revoke", "/v1/transfers/resend-notice"):
            call.refused("malformed", "POST", path, raw=odd, headers=raw.as_sender)
        for path in ("/v1/tickets", "/v1/transfers/fetched", "/v1/transfers/report"):
            call.refused("malformed", "POST", path, raw=odd, headers=raw.as_recipient)
