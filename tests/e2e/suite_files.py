#!/usr/bin/env python3
"""Files as people have them: their names, types, places and disks. Everything that is sent arrives
under a safe name, nothing is overwritten, and what cannot be is told with a way out."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import checks as counting
import disks
import file_outputs
import file_variants
import world

NAMING_POINTS = ("file.linked", "file.name_taken")


def pdf(path, size=3_000):
    with open(os.fsencode(str(path)), "wb") as out:
        out.write(b"%PDF-1.7\n" + os.urandom(size))
    return path


def content(folder):
    """Name to bytes of all that lies there."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


class Lab:
    def __init__(self, service, checks):
        self.service, self.checks = service, checks
        self.root = service.root / "files"
        self.root.mkdir()
        self.naming_points = set()

    def folder(self, name):
        path = self.root / name
        path.mkdir(parents=True)
        return path

    def sent(self, *files, **more):
        """The link of what was sent, and what the client said."""
        links = self.service.links()
        done = self.service.send(*files, **more)
        link = world.wait_until(lambda: [link for key, link in self.service.links().items()
                                         if key not in links], what="notice")[-1]
        return link, done

    def fetch(self, link, folder, *more, **options):
        return self.service.fetch_as_department(link, folder, *more, **options)

    def states(self):
        folder = self.service.home / "state/plankurier/send"
        return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def names(lab):
    source = lab.folder("names")
    given = [source / name for name in (
        "-.pdf", " .pdf", "~.pdf", "..pdf", "\u200b.pdf", "guter plan.pdf", "plan.pdf.", "Änderung.pdf",
        "änderung.pdf", "L" * 220 + "-Blatt-1.pdf", "L" * 220 + "-Blatt-2.pdf", "CON.pdf", "a:b?.pdf")]
    given += [os.fsdecode(os.fsencode(source) + b"/Pl\xe4ne.pdf")]
    below = lab.folder("names/below")
    given += [below / "guter plan.pdf"]
    for file in given:
        pdf(file)
    wanted = sorted(pathlib.Path(os.fsdecode(file)).read_bytes() for file in given)
    link, done = lab.sent(*given)
    told = ("“-.pdf”" in done.stderr or "„-.pdf“ wird unter dem Namen „datei.pdf“" in done.stderr)
    lab.checks.that("a sender is told under which name a file goes", told
                    and "„Pläne.pdf“" not in done.stderr and "wird unter dem Namen „plan.pdf“" in done.stderr)
    target = lab.root / "names-in"
    lab.fetch(link, target)
    first = content(target)
    lab.checks.that("files without a stem, of equal, long or Latin-1 names all arrive",
                    sorted(first.values()) == wanted)
    lab.checks.that("under names that every system takes", {"datei.pdf", "datei (2).pdf", "Pläne.pdf",
                    "plan.pdf", "_CON.pdf", "a_b_.pdf", "Änderung.pdf", "änderung (2).pdf"} <= set(first)
                    and all(len(name.encode()) <= 200 for name in first))
    lab.fetch(link, target)
    both = content(target)
    lab.checks.that("fetched twice into the same folder, everything is there twice",
                    sorted(both.values()) == sorted(2 * wanted)
                    and all(both[name] == before for name, before in first.items()))


def strange_parts(lab):
    """Another program's unfinished file has the name that ours once had."""
    link, _ = lab.sent(pdf(lab.root / "plan.pdf"))
    target = lab.folder("parts")
    (target / "plan.pdf.part").write_bytes(b"of a browser")
    lab.fetch(link, target)
    lab.checks.that("another program's plan.pdf.part stays as it was",
                    content(target) == {"plan.pdf.part": b"of a browser",
                                        "plan.pdf": (lab.root / "plan.pdf").read_bytes()})
    for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
        folder = lab.root / f"umask-{mask:o}"
        before = os.umask(mask)
        lab.fetch(link, folder)
        os.umask(before)
        lab.checks.that(f"with umask {mask:03o} a fetched file has mode {mode:o}",
                        (folder / "plan.pdf").stat().st_mode & 0o777 == mode)


def other_disks(lab):
    files = [pdf(lab.root / name) for name in ("Ärger.pdf", "ärger.pdf", "blatt.pdf")]
    wanted = sorted(file.read_bytes() for file in files)
    link, _ = lab.sent(*files)
    killed_on = 0
    for name, program, disk in (("a FUSE disk", "bindfs", disks.bound), ("NTFS", "lowntfs-3g", disks.ntfs),
                                ("exFAT", "mount.exfat-fuse", disks.exfat)):
        if not disks.is_possible(program):
            lab.checks.skip(name, f"needs root, FUSE and {program}")
            continue
        with disk(lab.root) as target:
            (target / "blatt.pdf").write_bytes(b"mine")
            done = lab.fetch(link, target, check=False)
            lab.fetch(link, target, check=False)
            there = content(target)
            mine = there.pop("blatt.pdf")
            lab.checks.that(f"{name} without a rename that does not replace: all arrives, nothing of "
                            "what was there is lost", done.returncode == 0 and mine == b"mine"
                            and sorted(there.values()) == sorted(2 * wanted))
            killed_while_naming(lab, name, link, target / "killed", wanted)
            killed_on += 1
    if killed_on == 3:
        lab.checks.that("both ways of naming were killed", lab.naming_points == set(NAMING_POINTS))
    if disks.is_possible("bindfs"):
        with disks.bound(lab.root, "-r") as target:
            done = lab.fetch(link, target, check=False)
            lab.checks.that("a disk that is read-only is named as such", done.returncode == 1
                            and "schreibgeschützt" in done.stderr and str(target) in done.stderr)
    else:
        lab.checks.skip("a read-only disk", "needs root, FUSE and bindfs")


def killed_while_naming(lab, name, link, target, wanted):
    """Which of the two steps there is depends on whether the disk has links."""
    token, log = lab.root / "naming-token", lab.root / "naming-points"
    log.write_text("")
    token.write_text("")
    for point in NAMING_POINTS:
        lab.fetch(link, target, check=False, env={
            "PLANKURIER_FAULT": f"{point}=kill@1", "PLANKURIER_FAULT_ONCE": str(token),
            "PLANKURIER_FAULT_LOG": str(log)})
    done = lab.fetch(link, target, check=False)
    arrived = list(content(target).values())
    lab.checks.that(f"{name}: killed between the steps of naming, all arrives at the next start",
                    not token.exists() and done.returncode == 0
                    and all(one in arrived for one in wanted)
                    and all(one in wanted for one in arrived))
    lab.naming_points |= set(log.read_text().split()) & set(NAMING_POINTS)


def types(lab):
    variants = file_variants.Variants(lab.root / "variants")
    source = lab.folder("good")
    for name, raw in variants.good.items():
        (source / name).write_bytes(raw)
    link, _ = lab.sent(*sorted(source.iterdir()))
    lab.fetch(link, lab.root / "good-in")
    lab.checks.that(f"{len(variants.good)} real variants of PDF, JPEG and PNG go through",
                    content(lab.root / "good-in") == variants.good)
    source = lab.folder("bad")
    for name, (raw, german, english) in variants.bad.items():
        (source / name).write_bytes(raw)
        said = [lab.service.send(source / name, check=False, env={"LANG": language})
                for language in ("de_DE.UTF-8", "en_GB.UTF-8")]
        good = (all(one.returncode == 9 and name in one.stderr for one in said)
                and german in said[0].stderr and english in said[1].stderr)
        lab.checks.that(f"{name} is refused with a way out", good)
        if not good:
            print("   ", [one.stderr for one in said])


def stopped_sending(lab, file):
    """A sending that was killed in its middle, as its identifier."""
    before = lab.states()
    sending = lab.service.start_send(file, env={"PLANKURIER_FAULT": "cli.upload_state.after_root=kill@12"})
    sending.end(check=False)
    return next(one for one in lab.states() if one not in before)


def resume(lab, which, **more):
    return lab.service.plankurier("send", "--resume", which, check=False, **more)


def moved_files(lab):
    """The same bytes in another file: a copy, another mount, a stick that was plugged in again."""
    plan = pdf(lab.folder("stick") / "plan.pdf", 6_000_000)
    for how, keeps_time in (("copied with its time", True), ("copied without its time", False)):
        which = stopped_sending(lab, plan)
        copy = plan.with_name("copy")
        (shutil.copy2 if keeps_time else shutil.copyfile)(plan, copy)
        os.replace(copy, plan)
        done = resume(lab, which)
        lab.checks.that(f"a sending goes on with a file that was {how}", done.returncode == 0)
        if done.returncode:
            print("   ", done.stderr)
    which = stopped_sending(lab, plan)
    gone = plan.with_name("unplugged")
    plan.rename(gone)
    done = resume(lab, which)
    lab.checks.that("while the stick is not there the file is named, and the state stays",
                    done.returncode == 1 and str(plan) in done.stderr and "anschließen" in done.stderr
                    and which in lab.states())
    mounted = lab.folder("stick-elsewhere") / plan.name
    shutil.copy2(gone, mounted)
    done = lab.service.plankurier("send", "--resume", which, mounted, check=False)
    lab.checks.that("it goes on with the same file at another place", done.returncode == 0)
    gone.rename(plan)
    which = stopped_sending(lab, plan)
    about = plan.stat()
    raw = bytearray(plan.read_bytes())
    raw[300_000] ^= 1
    plan.write_bytes(raw)
    os.utime(plan, ns=(about.st_atime_ns, about.st_mtime_ns + 2_000_000_000))
    done = resume(lab, which)
    lab.checks.that("one changed bit in what was sent is found when the time is another one",
                    done.returncode == 8 and str(plan) in done.stderr and which not in lab.states())


def changed_while_sending(lab):
    """The address may have one unfinished transfer: what a changed file ends must not be it."""
    plan = pdf(lab.root / "aendert-sich.pdf", 3_000_000)
    sending = lab.service.start_send(plan)
    world.wait_until(lambda: set(lab.service.code_mails()) - set(sending.codes_before), what="code mail")
    with open(plan, "r+b") as out:
        out.seek(2_000_000)
        out.write(b"ein anderer Stand")
    done = sending.end(check=False)
    lab.checks.that("a file that changes while it is sent is named, and what was sent withdrawn",
                    done.returncode == 8 and str(plan) in done.stderr and "zurückgezogen" in done.stderr)
    sending = lab.service.start_send(plan)
    world.wait_until(lambda: set(lab.service.code_mails()) - set(sending.codes_before), what="code mail")
    os.utime(plan)
    done = sending.end(check=False)
    lab.checks.that("one that is only touched is sent", done.returncode == 0 or print(done.stderr))
    which = stopped_sending(lab, plan)
    pdf(plan, 3_000_001)
    done = resume(lab, which)
    lab.checks.that("so is one that changed before it went on", done.returncode == 8
                    and "zurückgezogen" in done.stderr and which not in lab.states())
    done = lab.service.send(plan, check=False)
    lab.checks.that("and the address may send again at once", done.returncode == 0)


def limits_of_the_system(lab):
    source = lab.folder("many")
    files = [pdf(source / f"{number}.pdf", 10) for number in range(60)]
    run = lambda limit, *command: subprocess.run(
        ["bash", "-c", f'{limit}; exec "$@"', "-", *map(str, command)], capture_output=True, text=True,
        env=lab.service.env())
    send = [lab.service.client, "send", *files, "--to", "bauamt", "--name", "A B", "--email",
            world.SENDER, "--message", "x", "--ca", lab.service.ca, "--no-progress"]
    done = run("ulimit -n 40", *send)
    lab.checks.that("too few open files are named, with the way out", done.returncode == 1
                    and "ulimit -n" in done.stderr and "Code" not in done.stderr)
    link, _ = lab.sent(pdf(lab.root / "gross.pdf", 3_000_000))
    target = lab.root / "ulimit-f"
    done = run("ulimit -f 1000", lab.service.client, "fetch", link, "-o", target, "--key",
               lab.service.key, "--passphrase-file", lab.service.passphrase, "--ca", lab.service.ca)
    lab.checks.that("a file that the system lets not grow so large is named, and nothing stays",
                    done.returncode == 1 and "FAT" in done.stderr and list(target.iterdir()) == [])


def edited_parts(lab):
    """What lies in the target's folder between two starts is within everybody's reach."""
    files = [pdf(lab.root / name, 3_000_000) for name in ("eins.pdf", "zwei.pdf")]
    wanted = {file.name: file.read_bytes() for file in files}
    link, _ = lab.sent(*files)
    for place, edited in (("cli.download.after_state=kill@1", 2), ("cli.fetch.before_publish=kill@2", 1)):
        target = lab.root / f"edited-{edited}"
        lab.fetch(link, target, check=False, env={"PLANKURIER_FAULT": place})
        parts = list(target.glob("*.part"))
        for part in parts:
            with open(part, "r+b") as out:
                out.seek(1_500_000)
                out.write(b"ein anderer Stand")
        done = lab.fetch(link, target, check=False)
        lab.checks.that(f"{edited} parts that were edited between two starts are found and fetched again",
                        len(parts) == edited and done.returncode == 0 and content(target) == wanted
                        and "inzwischen etwas verändert" in done.stderr)
    target = lab.root / "edited-0"
    lab.fetch(link, target, check=False, env={"PLANKURIER_FAULT": "cli.download.after_state=kill@1"})
    done = lab.fetch(link, target, check=False)
    lab.checks.that("parts that nobody edited are kept without a warning", done.returncode == 0
                    and content(target) == wanted and "verändert" not in done.stderr)


def lied_to(lab):
    plan = pdf(lab.root / "a.pdf", 3_000_000)
    link, _ = lab.sent(plan)
    volume = max((lab.service.data / "pieces").glob("*/*.vol"), key=lambda file: file.stat().st_mtime_ns)
    before = volume.read_bytes()
    volume.write_bytes(before[:1_000_000] + bytes(1_000) + before[1_001_000:])
    target = lab.root / "lied"
    done = lab.fetch(link, target, check=False)
    lab.checks.that("of bytes that were changed nothing is kept, as the text says",
                    done.returncode == 8 and "Nichts davon" in done.stderr and list(target.iterdir()) == [])
    volume.write_bytes(before)
    lab.fetch(link, target)
    lab.checks.that("and the right ones come afterwards", content(target) == {"a.pdf": plan.read_bytes()})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    checks = counting.Checks()
    service = world.World(build)
    service.limits["open_transfers_per_address"] = 1
    service.more_config = "[policy]\nlink_allowed = true\n"
    with service:
        lab = Lab(service, checks)
        for part in (names, strange_parts, other_disks, types, moved_files, changed_while_sending,
                     limits_of_the_system, edited_parts, lied_to, file_outputs.outputs, file_outputs.full_output,
                     file_outputs.no_home):
            part(lab)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
