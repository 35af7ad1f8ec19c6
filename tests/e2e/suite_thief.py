#!/usr/bin/env python3
"""A thief with a copy of everything at the relay opens nothing; who has key or password does.

Half of the transfers go to the department, half to a clerk with a generated password. Passwords are
tried at the product's own cost, so each envelope gets a share of the thousand commonest ones.
12 or 24 transfers, 3 passwords each; slow form: 100, 20 each, so all thousand.
"""
import argparse
import concurrent.futures
import email
import email.policy
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import form
import suite_purge
import thief as thieves
import wire as wires
import world

DAY = 86_400
TRANSFERS = form.pick(12, 24, 100)
TRIES_EACH = form.pick(3, 3, 20)
PASSWORDS = 1_000
SAMPLE = 10
CLERK = f"frau.gruen@{world.STAFF_DOMAIN}"


class Postman:
    """Reads each mail in the relay's folder once, for many who wait."""

    def __init__(self, folder):
        self.folder, self.codes, self.links = folder, {}, {}
        self.seen, self.guard = set(), threading.Lock()

    def look(self):
        with self.guard:
            for file in self.folder.glob("*.eml"):
                if file.name in self.seen:
                    continue
                try:
                    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                except FileNotFoundError:
                    continue
                self.seen.add(file.name)
                text = mail.get_content()
                if "code" in str(mail["Subject"]).lower():
                    self.codes[mail["To"].addresses[0].addr_spec] = re.search(
                        r"[0-9A-Z]{4}-[0-9A-Z]{4}", text).group(0)
                elif re.search(world.LINK, text):
                    self.links[mail["Message-ID"]] = re.search(world.LINK, text).group(1)

    def code(self, address):
        self.look()
        return self.codes.get(address)


def send(service, postman, file, number):
    """One citizen; gives (transfer, password or nothing)."""
    address = f"absender-{number}@buerger.example"
    code_file = service.root / f"code-of-{number}"
    done = subprocess.Popen(
        [str(part) for part in (
            service.client, "send", file, "--to", CLERK if number % 2 else "bauamt", "--name",
            "Anna Muster", "--email", address, "--subject", "Vertraulich", "--message",
            f"Nachricht {number}", "--receipt", service.root / f"receipt-{number}.json",
            "--code-from", code_file, "--ca", service.ca, "--no-progress", "--json")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=service.env())
    code = world.wait_until(lambda: postman.code(address) or done.poll() is not None,
                            what="code mail")
    code_file.write_text(f"{code}\n")
    stdout, stderr = done.communicate(timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"send: exit {done.returncode}\n{stdout}{stderr}")
    told = [json.loads(line) for line in stdout.splitlines() if line.startswith("{")]
    receipt = json.loads((service.root / f"receipt-{number}.json").read_text())
    passwords = [one["password"] for one in told if one["event"] == "password"]
    return receipt["transfer"], passwords[0] if passwords else None


def send_all(service):
    file = service.root / "plan.pdf"
    file.write_bytes(b"%PDF-1.7\n" + os.urandom(20_000))
    postman = Postman(service.data / "mail")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda number: send(service, postman, file, number),
                             range(TRANSFERS)))

    def all_links():
        postman.look()
        return len(postman.links) == TRANSFERS
    world.wait_until(all_links, what="every notice")
    return sent, list(postman.links.values())


def copy_of(service, name):
    """Of the relay's whole folder, of one moment."""
    target = service.root / name
    shutil.copytree(service.relay, target,
                    ignore=lambda _, names: [one for one in names if one.endswith(".sock")])
    return target


def steal(service, checks, sent):
    service.stop("relay")
    stolen = copy_of(service, "stolen")
    service.start_relay()
    program = service.build / "tests/thief"
    thief = thieves.Thief(program, copy_of_copy(stolen, "loot"))
    found = thief.try_everything(service.root, thieves.common_passwords(PASSWORDS), TRIES_EACH)
    print(f"   {found}")
    checks.that("the thief unwraps every envelope and reads every address (his vault is the real "
                "one)", found["rows"] == found["envelopes"] == found["addresses"] == TRANSFERS)
    checks.that("he tries every key that he finds, and passwords at every envelope that has one",
                found["key_tries"] == found["keys"] * TRANSFERS and found["keys"] > 200
                and found["password_tries"] >= TRIES_EACH * TRANSFERS // 2)
    checks.that(f"and opens 0 of {TRANSFERS}", found["opened"] == 0)

    theirs = thief.run("--key", service.key, service.passphrase)
    checks.that("the same program with the department's key opens all of the department's, and no "
                "others (control)", theirs["opened"] == TRANSFERS // 2)
    right = service.root / "right-passwords"
    known = [(transfer, password) for transfer, password in sent if password][:SAMPLE]
    right.write_text("".join(f"{transfer} {password}\n" for transfer, password in known))
    clerks = thief.run("--passwords", right)
    checks.that(f"and with {len(known)} right passwords as many (control)",
                clerks["opened"] == len(known) == min(SAMPLE, TRANSFERS // 2))
    planted = copy_of_copy(stolen, "careless")
    careless = thieves.Thief(program, planted)
    shutil.copy(service.root / "right-passwords", planted / "data" / "note.json")
    quoted = planted / "data" / "note.json"
    quoted.write_text(f'{{"remember": "{known[0][1]}"}}\n')
    words = service.root / "careless-words"
    words.write_text("".join(word + "\n" for word in careless.words() if word == known[0][1]))
    keys = service.root / "careless-keys"
    keys.write_text("")
    checks.that("a password that somebody left in the folder would be found (negative control)",
                careless.run(keys, words, 1)["opened"] == 1)
    return stolen


def copy_of_copy(stolen, name):
    """The program writes to the database that it opens."""
    target = stolen.parent / name
    shutil.copytree(stolen, target)
    return target


def served(service, links):
    """How many links give anything but a refusal."""
    wire = wires.Wire(service, direct=True)
    answers = [wire.call(service.server, "GET", path, b"", {"Plankurier-Link": link[-32:]})
               for link in links for path in ("/v1/envelope", "/v1/record")]
    if any(status >= 500 for status, _ in answers):
        raise AssertionError(f"answers: {sorted({status for status, _ in answers})}")
    return sum(status < 400 for status, _ in answers)


def restore(service, checks, stolen, links):
    program, passwords = service.build / "tests/thief", thieves.common_passwords(PASSWORDS)
    checks.that("before the end every link is served (positive control)",
                served(service, links) == 2 * TRANSFERS)
    service.clock.write_text(str(15 * DAY))
    suite_purge.wait_for_purge(service)
    service.stop("relay")
    now = thieves.Thief(program, copy_of(service, "purged"))
    left = now.try_everything(service.root, passwords, 1)
    checks.that("after the end a thief finds no row and no envelope",
                left["rows"] == left["envelopes"] == left["opened"] == 0)
    vault_now = (service.data / "vault").read_bytes()

    for folder, name, vault in (("restored-1", "without the vault", vault_now),
                                ("restored-2", "with the vault, against the handbook", None)):
        shutil.rmtree(service.data)
        shutil.copytree(stolen / "data", service.data)
        if vault:
            (service.data / "vault").write_bytes(vault)
        combined = thieves.Thief(program, copy_of(service, folder))
        found = combined.try_everything(service.root, passwords, 1)
        service.start_relay()
        checks.that(f"a backup restored after the end {name} serves 0",
                    served(service, links) == 0)
        suite_purge.wait_for_purge(service)
        checks.that("purges itself again, and a thief opens 0 of it",
                    served(service, links) == 0 and found["opened"] == 0
                    and found["addresses"] == (0 if vault else TRANSFERS))
        service.stop("relay")
    service.start_relay()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    checks = counting.Checks()
    with world.World(parser.parse_args().build) as service:
        sent, links = send_all(service)
        stolen = steal(service, checks, sent)
        restore(service, checks, stolen, links)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
