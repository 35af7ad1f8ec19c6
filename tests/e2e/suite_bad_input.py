#!/usr/bin/env python3
"""Bad input: each with its exit code and a clear text in German and English, nothing lost."""
import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import world


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
    cases.refused("a wrong code", 4,
                  lambda env: service.plankurier(
                      "send", good, "--to", "bauamt", "--name", "A B", "--email", world.SENDER,
                      "--message", "x", "--code-from", wrong, check=False, env=env),
                  "Code", "code")
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
                                                          env=env), "", "")
    volume = next((service.data / "pieces").glob("*/*.vol"))
    content = bytearray(volume.read_bytes())
    content[5_000] ^= 1
    volume.write_bytes(content)
    cases.refused("a piece with one flipped bit", 8,
                  lambda env: service.fetch_as_department(link, target, check=False, env=env), "", "")
    cases.checks.that("and no file with wrong bytes appeared",
                      not (target / good.name).exists())
    content[5_000] ^= 1
    volume.write_bytes(content)
    done = service.fetch_as_department(link, target)
    cases.checks.that("and after healing the same link gives the file",
                      done.returncode == 0
                      and (target / good.name).read_bytes() == good.read_bytes())


def trusting(service, cases, folder, good):
    stranger = folder / "stranger.pub"
    service.run("minisign", "-G", "-W", "-p", stranger, "-s", folder / "stranger.key")
    home = {"XDG_CONFIG_HOME": str(folder / "other-home")}
    cases.refused("an untrusted root", 9,
                  lambda env: service.plankurier("trust", service.server, "--root", stranger,
                                                 check=False, env={**env, **home}), "", "")
    service.stop("nginx")
    cases.refused("no network", 7,
                  lambda env: service.send(good, check=False, env=env), "", "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    checks = counting.Checks()
    with world.World(parser.parse_args().build) as service:
        cases = Cases(service, checks)
        folder = service.root / "cases"
        folder.mkdir()
        good = sending(service, cases, folder)
        fetching(service, cases, folder, good)
        trusting(service, cases, folder, good)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
