"""How long a suite takes: FORM=short (script/test, the default), thorough (script/test --thorough) or
slow (script/test --label slow). The form changes how often something is tried, never what is
tried. The thorough form comes after the short one and repeats nothing that would be just the same."""
import os

NAMES = ("short", "thorough", "slow")
NAME = os.environ.get("FORM", "short")
if NAME not in NAMES:
    raise SystemExit(f"FORM is {NAME}; it is one of: {', '.join(NAMES)}")


def pick(short, thorough, slow):
    return {"short": short, "thorough": thorough, "slow": slow}[NAME]


SLOW = NAME == "slow"
FIRST = NAME != "thorough"  # nothing of this suite was tried before
