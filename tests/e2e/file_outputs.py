"""What commands write for their user: files that options name, and standard output."""
import json
import os
import stat
import subprocess

import world


def outputs(lab):
    service, checks = lab.service, lab.checks
    plan = lab.root / "mein-plan.pdf"
    plan.write_bytes(b"%PDF-1.7\n" + os.urandom(3_000))
    link, sent = lab.sent(plan)
    staff = ["--key", service.key, "--passphrase-file", service.passphrase]
    passphrase = ["--passphrase-file", service.passphrase]
    member, record = lab.root / "member.key", lab.root / "member.json"
    service.plankurier("members", "new", "-o", member, "--record", record, *passphrase)
    citizen = ["send", plan, "--name", "A B", "--email", world.SENDER, "--message", "x"]
    free = lambda: lab.root / f"free-{os.urandom(4).hex()}"
    commands = {
        "send --receipt": lambda to: [*citizen, "--to", "bauamt", "--receipt", to],
        "send --link-file": lambda to: [*citizen, "--to", f"frau.gruen@{world.STAFF_DOMAIN}",
                                        "--by-link", "--link-file", to],
        "status --save": lambda to: ["status", sent.receipt, "--save", to],
        "status --html": lambda to: ["status", sent.receipt, "--html", to],
        "fetch --save": lambda to: ["fetch", link, *staff, "-o", lab.root / "outputs-in", "--save", to],
        "keygen -o": lambda to: ["keygen", "--department", "x", "-o", to, "--record", free(), *passphrase],
        "keygen --record": lambda to: ["keygen", "--department", "x", "-o", free(), "--record", to,
                                       *passphrase],
        "members new -o": lambda to: ["members", "new", "-o", to, "--record", free(), *passphrase],
        "members new --record": lambda to: ["members", "new", "-o", free(), "--record", to, *passphrase],
        "members wrap -o": lambda to: ["members", "wrap", *staff, "--member", record, "-o", to]}
    codes = service.code_mails()
    for name, command in commands.items():
        bad = [what for what, target in taken_places(lab, name.replace(" ", "-"))
               if not is_left_alone(service, target, command)]
        checks.that(f"{name} overwrites no file, link, device or folder, and names it", not bad)
        if bad:
            print("   ", bad)
    checks.that("and nobody was asked for a code before that", service.code_mails() == codes)
    checks.that("no half of a pair of files stays", not list(lab.root.glob("free-*")))
    own_files(lab, sent)


def taken_places(lab, name):
    folder = lab.folder(f"taken-{name}")
    plain = folder / "plan.pdf"
    plain.write_bytes(b"%PDF-1.7\nmein Plan")
    (folder / "receipt.json").write_text(json.dumps({"format": "plankurier-receipt-1"}))
    (folder / "link.json").symlink_to(plain)
    (folder / "dangling").symlink_to(folder / "nowhere")
    (folder / "folder").mkdir()
    places = ["plan.pdf", "receipt.json", "link.json", "dangling", "folder"]
    if os.geteuid() == 0:
        os.mknod(folder / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        places.append("device")
    return [(place, folder / place) for place in places]


def is_left_alone(service, target, command):
    def look():
        about = os.lstat(target)
        return (about.st_ino, about.st_mode, about.st_rdev,
                target.read_bytes() if target.is_file() else b"")
    before, around = look(), sorted(target.parent.iterdir())
    done = service.plankurier(*command(target), check=False)
    return (done.returncode == 1 and "nicht überschrieben" in done.stderr and str(target) in done.stderr
            and look() == before and sorted(target.parent.iterdir()) == around)


def own_files(lab, sent):
    """What a command wrote it may write anew, but only for the same transfer."""
    service, saved, page = lab.service, lab.root / "stand.json", lab.root / "stand.html"
    status = lambda receipt: service.plankurier("status", receipt, "--save", saved, "--html", page,
                                                check=False).returncode
    lab.checks.that("the state of a transfer is saved again over the older one",
                    (status(sent.receipt), status(sent.receipt)) == (0, 0))
    other = lab.sent(lab.root / "mein-plan.pdf")[1]
    before = saved.read_bytes()
    lab.checks.that("but not over that of another transfer",
                    status(other.receipt) == 1 and saved.read_bytes() == before)
    receipt = other.receipt.read_bytes()
    same = service.plankurier("status", other.receipt, "--save", other.receipt, check=False)
    lab.checks.that("and never over a receipt", same.returncode == 1 and
                    json.loads(other.receipt.read_bytes())["manage"] == json.loads(receipt)["manage"])


def full_output(lab):
    """/dev/full takes nothing: whatever should have been printed, the command has failed."""
    service = lab.service
    link, sent = lab.sent(lab.root / "mein-plan.pdf")
    staff = ["--key", service.key, "--passphrase-file", service.passphrase]
    commands = {
        "help": ["--help"], "version": ["version"], "completion": ["completion", "bash"],
        "departments": ["departments"], "status": ["status", sent.receipt],
        "status --json": ["status", sent.receipt, "--json"], "verify": ["verify", sent.receipt],
        "inbox": ["inbox", "--department", "bauamt", *staff],
        "fetch": ["fetch", link, *staff, "-o", lab.root / "full-in"],
        "keygen --json": ["keygen", "--department", "y", "-o", lab.root / "full.key", "--record",
                          lab.root / "full.json", "--passphrase-file", service.passphrase, "--json"],
        "expire --json": ["expire", sent.receipt, "--days", "5", "--json"],
        "revoke --json": ["revoke", sent.receipt, "--json"]}

    def run(command, target):
        with open(target, "w") as out:
            return subprocess.run([str(part) for part in (service.client, *command, "--ca", service.ca)],
                                  stdout=out, stderr=subprocess.PIPE, text=True, env=service.env())
    for name, command in commands.items():
        done = run(command, "/dev/full")
        lab.checks.that(f"{name} > /dev/full fails and says so",
                        done.returncode == 1 and "Ausgabe" in done.stderr)
    with open("/dev/full", "w") as out:
        done = subprocess.run([service.relay_program, "status", "--config", service.config],
                              stdout=out, stderr=subprocess.PIPE, text=True)
    lab.checks.that("plankurier-relay status > /dev/full fails and says so",
                    done.returncode != 0 and "output" in done.stderr)
    done = subprocess.run(["bash", "-c", f'exec "{service.client}" version >&-'], env=service.env(),
                          capture_output=True, text=True)
    lab.checks.that("so does what has no standard output at all", done.returncode == 1)


def no_home(lab):
    """Without a place of their own, keys and links would lie in the current folder."""
    service, folder = lab.service, lab.folder("no-home")
    plan = lab.root / "mein-plan.pdf"
    send = ["send", plan, "--to", "bauamt", "--name", "A B", "--email", world.SENDER, "--message", "x"]
    commands = {"departments": ["departments"], "send": send,
                "trust": ["trust", service.server, "--root", service.root / "root.pub"],
                "send --resume": ["send", "--resume"]}

    def run(command, **more):
        env = {key: value for key, value in service.env().items()
               if key not in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        return subprocess.run([str(part) for part in (service.client, *command, "--ca", service.ca)],
                              cwd=folder, env={**env, **more}, capture_output=True, text=True)
    for how, more in (("without HOME", {}), ("with a HOME that is no full path", {"HOME": "here"})):
        for name, command in commands.items():
            done = run(command, **more)
            lab.checks.that(f"{name} {how} refuses and writes nothing", done.returncode == 1
                            and "HOME" in done.stderr and not list(folder.iterdir()))
    lab.checks.that("help and version need no place", run(["--help"]).returncode == 0
                    and run(["version"]).returncode == 0)
