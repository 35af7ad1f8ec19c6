"""Goes through everything that was stolen from a relay and collects what might open something."""
import base64
import contextlib
import hashlib
import itertools
import pathlib
import re
import sqlite3
import subprocess

KEY = 32
SMALL = 512  # files up to this size are keys or certificates; looked at from every byte on
SLOT_BYTES = 64

# What people take. The list is made here: nothing is downloaded for a test.
WORDS = """passwort password hallo schatz sommer winter herbst fruehling ficken arschloch fussball
    bayern dortmund schalke berlin muenchen hamburg koeln qwertz qwertzuiop qwerty asdfgh yxcvbnm
    geheim master admin administrator welcome willkommen test gast user login letmein iloveyou
    dragon monkey shadow sunshine princess football baseball superman batman pokemon ichliebedich
    internet computer michael thomas andreas stefan daniel sabine julia anna maria jessica christian
    alexander sebastian martin markus peter schmidt mueller werner familie hund katze mausi engel
    liebe sonne stern baum haus garten bauamt landratsamt rathaus gemeinde buerger montag freitag
    januar dezember freiheit frieden herzog kaiser koenig tiger adler""".split()
ENDINGS = ["", "1", "12", "123", "1234", "!", "2024", "2025", "2026"]
DIGITS = ["123456", "1234567", "12345678", "123456789", "1234567890", "111111", "000000", "654321",
          "987654321", "112233", "123123", "696969", "777777", "121212", "1q2w3e4r", "abc123"]


def common_passwords(count):
    """The commonest by kind: digits, then words with the endings that people add."""
    out = list(DIGITS)
    for ending, word in itertools.product(ENDINGS, WORDS):
        out += [word + ending, word.capitalize() + ending]
    if len(out) < count:
        raise AssertionError("the list is too short")
    return list(dict.fromkeys(out))[:count]


def windows(raw, step=1):
    return {raw[at:at + KEY] for at in range(0, len(raw) - KEY + 1, step)}


def keys_in_text(raw):
    """Hexadecimal and base64 of 32 bytes and more, PEM bodies, and what hashes to a key."""
    out = set()
    for text in re.findall(rb"[0-9a-fA-F]{64,}", raw):
        value = bytes.fromhex(text[:len(text) // 2 * 2].decode())
        out |= {value[:KEY], value[-KEY:]}
    for text in re.findall(rb"(?<![0-9A-Za-z_-])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])", raw):
        out.add(base64.urlsafe_b64decode(text + b"="))
    for name, body in re.findall(rb"-----BEGIN ([A-Z ]+)-----(.*?)-----END", raw, re.DOTALL):
        out |= windows(base64.b64decode(body), 1 if b"KEY" in name else KEY)
    for text in re.findall(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", raw):
        out |= {hashlib.sha256(text).digest(), hashlib.sha256(bytes.fromhex(text.decode())).digest(),
                bytes.fromhex(text.decode()) * 2, text}
    return out


def keys_in_database(file):
    """Every value of every row."""
    out = set()
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        names = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        for row in itertools.chain.from_iterable(db.execute(f"SELECT * FROM {name}")
                                                 for name in names):
            for value in row:
                if isinstance(value, bytes):
                    out |= windows(value, KEY)
                elif isinstance(value, str):
                    out |= keys_in_text(value.encode())
    return out


def used_slots(database):
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        return {slot for slot, in db.execute("SELECT slot FROM transfer UNION "
                                             "SELECT slot FROM verification")}


class Thief:
    """`stolen`: a copy of the relay's folder. `program`: see thief.cpp."""

    def __init__(self, program, stolen):
        self.program, self.stolen = program, pathlib.Path(stolen)
        self.data = self.stolen / "data"

    def keys(self):
        out = set()
        for file in self.stolen.rglob("*"):
            if not file.is_file() or file.suffix in (".vol", ".env") or file.name == "vault":
                continue  # ciphertext; the vault's turn comes below
            raw = file.read_bytes()
            if file.suffix == ".db":
                out |= keys_in_database(file)
            else:
                out |= keys_in_text(raw)
                out |= windows(raw) if KEY <= len(raw) <= SMALL else set()
        vault = (self.data / "vault").read_bytes()
        for slot in used_slots(self.data / "control.db"):
            key = vault[slot * SLOT_BYTES:(slot + 1) * SLOT_BYTES]
            out |= {key[:KEY], key[KEY:]} if len(key) == SLOT_BYTES else set()
        return out

    def words(self):
        """What stands in mails and settings and might be a password."""
        out = set()
        for file in self.stolen.rglob("*"):
            if file.suffix in (".eml", ".toml", ".json") and file.is_file():
                text = file.read_text(errors="replace").replace("=\n", "")
                out |= set(re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b|\b[0-9]{4}-[0-9]{4}\b", text))
                out |= set(re.findall(r"t#v1\.([0-9a-f]{32})", text)[:5])
                out |= set(re.findall(r'"([^"\s]{6,100})"', text))
        return sorted(out)

    def run(self, *arguments):
        done = subprocess.run([str(part) for part in (self.program, self.data, *arguments)],
                              capture_output=True, text=True, timeout=3_600)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        found = {name: int(number) for name, number in map(str.split, done.stdout.splitlines())}
        found["how"] = done.stderr
        return found

    def try_everything(self, folder, passwords, tries_each):
        """All keys at every envelope, and a share of the passwords at each."""
        keys, words = self.keys(), self.words()
        key_file, word_file, password_file = (folder / name for name in
                                              ("thief-keys", "thief-words", "thief-passwords"))
        key_file.write_text("".join(key.hex() + "\n" for key in sorted(keys)))
        word_file.write_text("".join(word + "\n" for word in words))
        password_file.write_text("".join(password + "\n" for password in passwords))
        found = self.run(key_file, password_file, tries_each)
        found["keys"], found["words"] = len(keys), len(words)
        if words:
            key_file.write_text("")
            more = self.run(key_file, word_file, 1)
            for name in ("opened", "password_tries"):
                found[name] += more[name]
        return found
