#!/usr/bin/env python3
"""Bad input: each with its exit code and a clear text in German and English, nothing lost."""
import argparse
import contextlib
import hashlib
import os
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import broken_files
import checks as counting
import loop_disk
import people
import wire as wires
import world

LATER = ("versuchen Sie es später noch einmal", "try again later")


def pdf(path, size=100_000):
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(size))
    return path


class Cases:
    def __init__(self, service, checks):
        self.service, self.checks = service, checks

    def refused(self, name, exit_code, run, german, english):
        """`run(env)` is tried in both languages and must fail alike, each with its own words."""
        said = []
        for language in ("de_DE.UTF-8", "en_GB.UTF-8"):
            done = run({"LANG": language})
            said.append((done.returncode, done.stderr + done.stdout))
        good = (all(code == exit_code for code, _ in said) and german in said[0][1]
                and english in said[1][1])
        self.checks.that(name, good)
        if not good:
            print("   ", said)


def sending(service, cases, folder):
    good = pdf(folder / "plan.pdf")
    exe, fake = folder / "plan.exe", folder / "fake.pdf"
    exe.write_bytes(good.read_bytes())
    fake.write_bytes(b"MZ" + os.urandom(5_000))
    send = lambda *files, **more: lambda env: service.send(*files, check=False, env=env, **more)
    cases.refused("a forbidden type by its name", 9, send(exe), "Dateityp", "file type")
    cases.refused("a forbidden type by its content", 9, send(fake), "Dateityp", "file type")
    cases.refused("an unknown department", 9, send(good, to="gartenamt"), "Sachgebiet", "department")
    cases.refused("an address outside the authority", 9, send(good, to="fremd@anderswo.example"),
                  "Adresse", "address")
    cases.refused("a file that is not there", 1, send(folder / "fehlt.pdf"), "Datei", "file")
    wrong = folder / "wrong-code"
    wrong.write_text("0000-0000\n")

    def wrong_code(env):
        before = service.code_mails()
        done = service.plankurier("send", good, "--to", "bauamt", "--name", "A B", "--email",
                                  world.SENDER, "--message", "x", "--code-from", wrong, check=False,
                                  env=env)
        world.wait_until(lambda: set(service.code_mails()) - set(before), what="code mail")
        return done
    cases.refused("a wrong code", 4, wrong_code, "Code", "code")
    return good


def fetching(service, cases, folder, good):
    service.send(good)
    link = service.notice_link(f"bauamt@{world.STAFF_DOMAIN}")
    target = folder / "in"
    other_key, record = folder / "other.key", folder / "other.json"
    service.plankurier("keygen", "--department", "anders", "-o", other_key, "--record", record,
                       "--passphrase-file", service.passphrase)
    cases.refused("another department's key", 5,
                  lambda env: service.fetch(link, target, "--key", other_key, "--passphrase-file",
                                            service.passphrase, check=False, env=env),
                  "Schlüssel", "key")
    cases.refused("a link that leads nowhere", 6,
                  lambda env: service.fetch_as_department(link[:-4] + "0000", target, check=False,
                                                          env=env), "Link", "link")
    cases.refused("a link that lost its end", 2,
                  lambda env: service.fetch_as_department(link[:-5], target, check=False, env=env),
                  "kein vollständiger Link", "no whole link")
    password, wrong = folder / "password", folder / "wrong-password"
    password.write_text("Kranich-Tinte-Hafer-42-Moos\n")
    wrong.write_text("falsch\n")
    clerk = f"frau.gruen@{world.STAFF_DOMAIN}"
    service.send(good, to=clerk, more=["--password-file", password])
    sealed = service.notice_link(clerk)
    cases.refused("a wrong password", 5,
                  lambda env: service.fetch(sealed, target, "--password-file", wrong, check=False,
                                            env=env), "Passwort", "password")
    cases.checks.that("none of these leaves a file", not (target / good.name).exists())


def timing(service, cases, folder, good):
    """What happens between two steps: a code that gets old, a file that changes."""
    def expired_code(env):
        sending = service.start_send(good, env=env)
        world.wait_until(lambda: set(service.code_mails()) - set(sending.codes_before),
                         what="code mail")
        service.clock.write_text("1805")
        done = sending.end(check=False)
        service.clock.write_text("0")
        return done
    cases.refused("a code older than 30 minutes", 4, expired_code, "zu alt", "too old")

    def changed_file(env):
        file = pdf(folder / "aendert-sich.pdf", 3_000_000)
        sending = service.start_send(file, env=env)
        world.wait_until(lambda: set(service.code_mails()) - set(sending.codes_before),
                         what="code mail")
        with open(file, "r+b") as out:
            out.seek(2_000_000)
            out.write(b"ein anderer Stand")
        return sending.end(check=False)
    cases.refused("a file that changes while it is being sent", 8, changed_file, "geändert",
                  "changed")

    huge = folder / "riesig.pdf"
    pdf(huge)
    os.truncate(huge, 3 << 30)
    cases.refused("more bytes than the authority takes", 9,
                  lambda env: service.send(huge, check=False, env=env),
                  "teilen Sie die Sendung auf", "split the transfer")
    huge.unlink()


class Damage:
    """Changes what the relay holds of the newest transfer, and puts it back."""

    def __init__(self, service, links_before):
        self.service = service
        self.link = world.wait_until(
            lambda: [link for key, link in service.links().items() if key not in links_before],
            what="notice")[0]
        self.volume = max((service.data / "pieces").glob("*/*.vol"),
                          key=lambda file: file.stat().st_mtime_ns)
        self.content = self.volume.read_bytes()

    def volume_as(self, content):
        self.volume.write_bytes(content)

    def restore(self):
        self.volume.write_bytes(self.content)


def tampering(service, cases, folder):
    """Each transfer is fetched once: then the relay has looked, and gives the piece to nobody."""
    target, piece = folder / "tampered", 1 << 20
    damages = []

    def sent_and(change):
        def run(env):
            links = service.links()
            service.send(pdf(folder / "grosser-plan.pdf", 5_000_000))
            damages.append(Damage(service, links))
            damages[-1].volume_as(change(damages[-1].content))
            return service.fetch_as_department(damages[-1].link, target, "--retries", "0",
                                               check=False, env=env)
        return run
    changes = {
        "a flipped bit": lambda whole: whole[:70_000] + bytes([whole[70_000] ^ 1]) + whole[70_001:],
        "two pieces in the other order":
            lambda whole: whole[piece:2 * piece] + whole[:piece] + whole[2 * piece:],
        "two segments in the other order":
            lambda whole: (whole[:100_000] + whole[200_000:300_000] + whole[100_000:200_000]
                           + whole[300_000:]),
        "an end of zeros": lambda whole: whole[:-100_000] + bytes(100_000),
    }
    for name, change in changes.items():
        cases.refused(f"pieces with {name}", 8, sent_and(change), "verändert", "altered")
    left = lambda: sorted(file.name for file in target.iterdir()) if target.exists() else []
    cases.checks.that("none of these leaves a file, or a part of one", left() == [])
    cases.refused("pieces that are cut off", 7, sent_and(lambda whole: whole[:-100_000]), *LATER)
    damage = damages[0]
    again = lambda env: service.fetch_as_department(damage.link, target, "--retries", "0",
                                                    check=False, env=env)
    cases.refused("pieces that are known to be damaged", 7, again, *LATER)
    cases.checks.that("what may come later leaves no file but a part of it",
                      left() and all(name.endswith(".part") for name in left()))
    damage.restore()
    service.run(service.relay_program, "scrub", "--now", "--config", service.config)
    healed = world.wait_until(lambda: again({}).returncode == 0, 30, what="the end of a scrub")
    cases.checks.that("the same link gives the file once its pieces are good again",
                      healed and (target / "grosser-plan.pdf").stat().st_size > 5_000_000)
    foreign_descriptor(service, cases, folder, damage)
    fetched = service.fetch_as_department(damage.link, folder / "at last")
    cases.checks.that("after healing the same link gives the same file", fetched.returncode == 0
                      and people.same(target / "grosser-plan.pdf",
                                      folder / "at last/grosser-plan.pdf"))


def foreign_descriptor(service, cases, folder, damage):
    """The relay's administrator puts the pieces and descriptor of another transfer in place."""
    links = service.links()
    service.send(pdf(folder / "anderer-plan.pdf", 5_000_000))
    other = Damage(service, links)
    catalog = service.data / "pieces/index.db"
    ours, theirs = damage.volume.parent.name, other.volume.parent.name
    with contextlib.closing(sqlite3.connect(catalog)) as db:
        right, foreign = (db.execute("SELECT descriptor FROM volume WHERE tid=?", (tid,)).fetchone()
                          for tid in (ours, theirs))

    def described(descriptor):
        with contextlib.closing(sqlite3.connect(catalog)) as db, db:
            db.execute("UPDATE volume SET descriptor=? WHERE tid=?", (*descriptor, ours))
    fetch = lambda env: service.fetch_as_department(damage.link, folder / "foreign", "--retries",
                                                    "0", check=False, env=env)
    described(foreign)
    damage.volume_as(other.content)
    cases.refused("pieces and descriptor of another transfer", 8, fetch, "verändert", "altered")
    described(right)
    damage.restore()
    service.stop("relay")
    backup = {file: file.read_bytes() for file in catalog.parent.glob("index.db*")}
    described(foreign)
    damage.volume_as(other.content)
    service.start_relay()  # with its first sync it signs for what it has now
    world.wait_until(lambda: "the records of a transfer are wrong" in
                     (service.root / "relay.log").read_text(), what="the control plane's word")
    cases.refused("which is given to nobody any more after a start of the relay", 7, fetch, *LATER)
    service.stop("relay")
    for file in catalog.parent.glob("index.db*"):
        file.unlink()
    for file, content in backup.items():
        file.write_bytes(content)
    damage.restore()
    service.start_relay()


def reused_transfer_id(service, cases):
    wire = wires.Wire(service)
    text = lambda raw: wires.b64url(hashlib.sha256(raw).digest())
    transfer = {"tid": os.urandom(16).hex(), "department": "bauamt", "body_len": 262_144 - 32,
                "expiry_days": 7, "notify_fetch": True, "language": "de",
                "fetch_sha256": text(b"f"), "manage_sha256": text(b"m")}
    session = wire.verified_session(world.SENDER)
    first, _ = wire.post("/v1/transfers", transfer, session)
    again, _ = wire.post("/v1/transfers", transfer, session)
    cases.checks.that("the same request again gives the same answer", (first, again) == (201, 201))
    other = wire.verified_session("jemand.anders@buerger.example")
    status, problem = wire.post("/v1/transfers", {**transfer, "manage_sha256": text(b"x")}, other)
    cases.checks.that("a transfer id that is taken is refused",
                      (status, problem.get("code")) == (409, "conflict"))


def free_bytes(service):
    """What the relay has last told the control plane."""
    status = dict(line.split() for line in (service.data / "status").read_text().splitlines())
    return int(status.get("space_free_bytes", 0))


def full_disk(build, checks):
    if not loop_disk.is_possible():
        checks.skip("full disk", "mounting a disk needs root")
        return
    with world.World(build, disk_mib=64) as service:
        cases = Cases(service, checks)
        small = pdf(service.root / "klein.pdf")
        links = service.links()
        service.send(small)
        kept = Damage(service, links)
        plan = pdf(service.root / "plan.pdf", 30_000_000)
        service.send(plan, check=False, env={"PLANKURIER_FAULT": "cli.send.envelope=kill@1"})
        begun = next((service.home / "state/plankurier/send").iterdir()).name
        balloon = service.data / "balloon"
        with open(balloon, "wb") as out:
            os.posix_fallocate(out.fileno(), 0, 32 << 20)
        world.wait_until(lambda: free_bytes(service) < 20_000_000, what="news of the space")
        cases.refused("a transfer that there is no room for", 3,
                      lambda env: service.send(plan, check=False, env=env),
                      "keinen Platz für diese Sendung", "no room for this transfer")
        resume = lambda env: service.plankurier("send", "--resume", begun, "--retries", "0",
                                                check=False, env=env)
        cases.refused("a disk that is full in the middle of an upload", 3, resume,
                      "Der Speicherplatz ist voll", "Storage is full")
        target = service.root / "in"
        checks.that("what was there before is still served while the disk is full",
                    service.fetch_as_department(kept.link, target).returncode == 0
                    and (target / small.name).read_bytes() == small.read_bytes())
        balloon.unlink()
        world.wait_until(lambda: free_bytes(service) > 40_000_000, what="news of the space")
        links = service.links()
        resumed = resume({})
        checks.that("with space again the same transfer goes on without a new code",
                    resumed.returncode == 0)
        link = world.wait_until(lambda: [link for key, link in service.links().items()
                                         if key not in links], what="notice")[0]
        service.fetch_as_department(link, target)
        checks.that("and arrives whole", (target / plan.name).read_bytes() == plan.read_bytes())


def trusting(service, cases, folder, good):
    stranger = folder / "stranger.pub"
    service.run("minisign", "-G", "-W", "-p", stranger, "-s", folder / "stranger.key")
    home = {"XDG_CONFIG_HOME": str(folder / "other-home")}
    cases.refused("an untrusted root", 9,
                  lambda env: service.plankurier("trust", service.server, "--root", stranger,
                                                 check=False, env={**env, **home}), "", "")
    old = {file.name: file.read_bytes() for file in (service.data / "directory").glob("*.*")}
    service.publish(serial=2)
    service.plankurier("departments")
    for name, content in old.items():
        (service.data / "directory" / name).write_bytes(content)
    (service.data / "request.reload").touch()
    world.wait_until(lambda: not (service.data / "request.reload").exists(), what="reload")
    cases.refused("a directory that was rolled back", 8,
                  lambda env: service.send(good, check=False, env=env), "älteres", "older")
    service.publish(serial=3)
    service.stop("nginx")
    cases.refused("no network", 7,
                  lambda env: service.send(good, check=False, env=env), "Netz", "network")


def administering(service, checks):
    """Lines of an administrator that cannot be carried out: one sentence says why."""
    config = ("--config", service.config)
    install = ("directory", "install", *config, "--root", service.root / "root.pub")
    for line, words in ((("srve", *config), "did you mean serve?"),
                        (("serve",), "serve needs --config"),
                        (("status",), "status needs --config"), (("never", *config), "remove"),
                        (("init",), "init needs one folder"), (("directory", "list"), "needs --config"),
                        (("directory", "add", *config), "directory add needs one file"),
                        (install, "directory install needs --signer-pub"),
                        (("status", "--confg", service.config), "--confg")):
        done = service.run(service.relay_program, *line, check=False)
        checks.that(f"plankurier-relay {line[0]}, {words}: 2 and one reason",
                    (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 2)
                    and words in done.stderr or print(done.returncode, done.stderr))
    for word in ("help", "--help", "version", "--version"):
        done = service.run(service.relay_program, word, check=False)
        checks.that(f"plankurier-relay {word}", done.returncode == 0 and "plankurier-relay" in done.stdout)
    serial = service.run(service.relay_program, "directory", "build", *config, check=False)
    checks.that("no directory is built without a serial",
                serial.returncode == 1 and "--serial 4" in serial.stderr or print(serial.stderr))
    second = service.run(service.relay_program, "serve", *config, check=False)
    checks.that("a second relay with the same data ends at once",
                second.returncode == 1 and "already runs" in second.stderr
                and world.answering(service.data / "control.sock"))
    running = service.run(service.relay_program, "status", *config, check=False)
    checks.that("status of a relay that runs knows that it does",
                running.returncode in (0, 3) and "does not run" not in running.stderr)
    service.stop("relay")
    stopped = service.run(service.relay_program, "status", *config, check=False)
    checks.that("status of one that does not says so",
                stopped.returncode == 4 and "does not run" in stopped.stderr)
    for line in (("purge", "--now"), ("purge", "--clock-ok"), ("scrub", "--now")):
        done = service.run(service.relay_program, *line, *config, check=False)
        checks.that(f"{' '.join(line)} waits for no start",
                    done.returncode == 1 and "does not run" in done.stderr
                    and not list(service.data.glob("request.*")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    with world.World(build) as service:
        cases = Cases(service, checks)
        folder = service.root / "cases"
        folder.mkdir()
        good = sending(service, cases, folder)
        fetching(service, cases, folder, good)
        timing(service, cases, folder, good)
        tampering(service, cases, folder)
        reused_transfer_id(service, cases)
        broken_files.check(service, checks, good)
        trusting(service, cases, folder, good)
        administering(service, checks)
    full_disk(build, checks)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
