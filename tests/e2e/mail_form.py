"""How a mail has to look: by the RFCs, by what it must not say, and to SpamAssassin."""
import collections
import email
import email.policy
import os
import re
import subprocess

MUST_NOT_STAND = ("Anna", "Bauantrag", "Gartenweg", "vertraulichen Pl", "lageplan", "Lageplan")


def faults_of(raw):
    """What is not as the RFCs want it, in words; nothing for a clean mail."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    faults = [f"defect {defect!r}" for part in mail.walk() for defect in part.defects]
    try:
        email.message_from_bytes(raw, policy=email.policy.strict + email.policy.default
                                 .clone(raise_on_defect=True))
    except Exception as defect:  # any defect raises its own class
        faults.append(f"strict: {defect!r}")
    for name in ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type",
                 "Content-Transfer-Encoding", "Auto-Submitted"):
        values = mail.get_all(name, [])
        if len(values) != 1:
            faults.append(f"{len(values)} x {name}")
        faults += [f"{name}: {defect!r}" for value in values
                   for defect in getattr(value, "defects", ())]
    if faults:
        return faults
    wanted = {"Auto-Submitted": "auto-generated", "MIME-Version": "1.0",
              "Content-Transfer-Encoding": "quoted-printable"}
    faults += [f"{name} is {mail[name]}" for name, value in wanted.items() if mail[name] != value]
    if mail.get_content_type() != "text/plain" or mail.get_content_charset() != "utf-8":
        faults.append("not plain text in UTF-8")
    if not re.fullmatch(r"<[0-9a-f]{32}@amt\.example>", mail["Message-ID"]):
        faults.append("the form of the Message-ID")
    if mail["Date"].datetime is None or mail["Date"].datetime.utcoffset() is None:
        faults.append("no date")
    if len(mail["To"].addresses) != 1 or len(mail["From"].addresses) != 1:
        faults.append("not one sender and one recipient")
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    if any(len(line) > 998 for line in lines) or max(raw, default=0) > 126 or b"\0" in raw:
        faults.append("a long line, or not 7 bit")
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    if any(len(line) > 76 for line in body.split(b"\n")) or re.search(rb"[ \t]\n", body):
        faults.append("quoted-printable with long lines or blanks at an end")
    if re.search(rb"=(?![0-9A-F]{2}|\n)", body):
        faults.append("quoted-printable with a stray =")
    text = mail.get_content() + "".join(f"{name}: {value}\n" for name, value in mail.items())
    faults += [f"{word} stands in it" for word in MUST_NOT_STAND if word in text]
    return faults


def spam_scores(service, raws):
    """The scores, highest first: it judges in any order. That this machine is trusted counts for
    nothing, since a stranger's mail server would not know."""
    mbox = service.root / "judge.mbox"
    mbox.write_bytes(b"".join(b"From judge Thu Jan  1 00:00:00 2026\n"
                              + re.sub(rb"(?m)^From ", b">From ", raw).rstrip() + b"\n\n"
                              for raw in raws))
    home = service.root / "judge"
    home.mkdir(exist_ok=True)
    done = subprocess.run(["spamassassin", "-L", "-t", "-x", "--cf=score ALL_TRUSTED 0", "--mbox",
                           str(mbox)], capture_output=True, check=True,
                          env={**os.environ, "HOME": str(home), "LANG": "C"})
    text = done.stdout.decode(errors="replace")
    scores = re.findall(r"(?m)^X-Spam-Status: (?:Yes|No), score=(\S+)", text)
    rules = re.findall(r"tests=([A-Z0-9_,\s]+?)\s+autolearn", text)
    return (sorted(map(float, scores), reverse=True),
            collections.Counter(rule for one in rules for rule in re.split(r",\s*", one)))
