"""A whole service on loopback, in a folder of its own: real nginx, real TLS, real minisign ceremony.

`World` starts everything, waits by looking instead of sleeping blindly, and ends only what it
started. Mails go to the relay's mail folder unless `smtp=True`, which brings up a real exim4.
Release builds work as well: only `clock` and fault points need a build that has them.
"""
import datetime
import email
import email.policy
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import checks
import loop_disk
import mail_server
from probes import answering, files_in, free_port, has_ended, listening, wait_until

SENDER = "anna.muster@buerger.example"
STAFF_DOMAIN = "amt.example"
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
LINK = r"(https://\S+/t#v1\.[0-9a-f]{32})"

FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


def wall_clock(file):
    """Environment of a program whose wall clock, and no other, goes by the offset in the file."""
    return {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class Sending:
    """A client that sends. The code comes through a file as soon as its mail is there."""

    def __init__(self, service, arguments, env=None, codes_before=None):
        self.service = service
        self.address = (arguments[arguments.index("--email") + 1] if "--email" in arguments
                        else None)
        self.codes_before = service.code_mails() if codes_before is None else codes_before
        self.code_file = service.root / f"code-{time.monotonic_ns()}"
        self.receipt = (arguments[arguments.index("--receipt") + 1] if "--receipt" in arguments
                        else None)
        self.command = [*service.at("sender"), service.client, "send", *arguments, "--code-from",
                        self.code_file, "--ca", service.ca, "--no-progress"]
        self.process = subprocess.Popen([str(part) for part in self.command],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=service.env(**(env or {})))
        self.code_given = None
        service.on_client_start(self.process.pid)

    def give_code(self):
        """False when the client ended before it needed one."""
        def code_or_end():
            if self.process.poll() is not None:
                return "ended"
            new = {key: code for key, code in self.service.code_mails(self.address).items()
                   if key not in self.codes_before}
            return list(new.values())[-1] if new else None
        # It may have to work for the code, on a machine that others use too.
        code = wait_until(code_or_end, 300, what="code mail")
        self.code_given = time.monotonic()
        if code == "ended":
            return False
        self.code_file.write_text(code + "\n")
        return True

    def end(self, check=True):
        if self.code_given is None:
            self.give_code()
        stdout, stderr = self.process.communicate(timeout=1_800)
        if check and self.process.returncode != 0:
            raise AssertionError(f"send: exit {self.process.returncode}\n{stdout}{stderr}")
        done = subprocess.CompletedProcess(self.command, self.process.returncode, stdout, stderr)
        if done.returncode == 0:
            checks.acknowledged.append(self.receipt)
        done.receipt, done.seconds = self.receipt, time.monotonic() - self.code_given
        return done


class World:
    def __init__(self, build, folder=None, smtp=False, disk_mib=None, line=None,
                 transfer_gib_max=2, address=None):
        """`disk_mib`: the relay's data folder is a disk of its own, of that size (needs root).
        `line`: makes what stands between clients and the piece plane's port; has a `port`.
        `address`: where everything listens, if not on loopback."""
        self.build = pathlib.Path(build).resolve()
        self.client = self.build / "clients/cli/plankurier"
        self.relay_program = self.build / "relay/plankurier-relay"
        # Short, because a Unix socket's path is at most 107 bytes long.
        self.root = pathlib.Path(folder or tempfile.mkdtemp(prefix="pk-"))
        self.root.chmod(0o755)
        self.relay = self.root / "relay"
        self.data = self.relay / "data"
        self.home = self.root / "citizen"
        self.clock = self.root / "clock-offset"
        self.control_port, self.pieces_port = free_port(), free_port()
        self.swarm_port, self.plain_port = free_port(), free_port()
        self.mail_port = free_port()
        self.address, host = address or "127.0.0.1", address or "localhost"
        self.line = line(self.pieces_port) if line else None
        self.pieces_url = f"https://{host}:{self.line.port if line else self.pieces_port}"
        self.server = f"https://{host}:{self.control_port}"
        self.trusted_networks = []  # where relays copy by plain TCP
        self.bounce = ""  # where mails that cannot be delivered come back to
        self.more_config = ""  # lines for relay.toml, tables of their own
        # Tests have few senders and small disks.
        self.limits = {"code_mails_per_address_hour": 1000, "code_mails_per_address_day": 1000,
                       "open_transfers_per_address": 1000, "free_gib_min": 0,
                       "free_percent_min": 0}
        self.mail_server = None
        self.smtp = smtp
        self.transfer_gib_max = transfer_gib_max
        self.disk_mib = disk_mib
        self.disk = None
        self.codes_seen = []  # a person keeps the mail; the relay does not
        self.on_client_start = lambda pid: None  # for those who watch memory
        self.processes = {}

    def __enter__(self):
        try:
            self._certificates()
            if self.disk_mib:
                self.disk = loop_disk.LoopDisk(self.root / "disk.img", self.data, self.disk_mib)
            if self.smtp:
                self._mail_server()
            self._relay_folder()
            self._department()
            self.start_relay()
            self._nginx()
            self._directory()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.stop(name)
        if self.disk:
            self.disk.unmount()
        if not os.environ.get("KEEP_WORLD"):
            shutil.rmtree(self.root, ignore_errors=True)

    # processes
    def at(self, _place):
        """What runs a program at a place ("sender", "recipient", the name of a process)."""
        return []

    def run(self, *command, check=True, place=None, **options):
        where = self.at(place) if place else []
        with subprocess.Popen([str(part) for part in (*where, *command)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              **options) as process:
            if command[0] == self.client:
                self.on_client_start(process.pid)
            stdout, stderr = process.communicate(timeout=1_800)
        done = subprocess.CompletedProcess(command, process.returncode, stdout, stderr)
        if check and done.returncode != 0:
            raise AssertionError(f"{command[0]} {command[1:3]}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def start(self, name, *command, env=None):
        log = open(self.root / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen(
            [str(part) for part in (*self.at(name), *command)], stdout=log, stderr=log,
            cwd=self.root, env={**os.environ, **(env or {})})

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name)
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    # parts
    def _certificates(self):
        self.ca = self.root / "ca.pem"
        self.run("openssl", "req", "-x509", *NEW_KEY, "-days", "60", "-subj", "/CN=Test CA",
                 "-keyout", self.root / "ca.key", "-out", self.ca, "-addext",
                 "basicConstraints=critical,CA:TRUE")
        self.certify(self.relay / "tls", self.address)

    def certify(self, tls, address):
        """A certificate for what listens there, with its key, into the folder `tls`."""
        tls.mkdir(parents=True)
        self.run("openssl", "req", *NEW_KEY, "-subj", "/CN=localhost", "-keyout", tls / "relay.key",
                 "-out", self.root / "relay.csr")
        names = self.root / "names.txt"
        names.write_text(f"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:{address}\n")
        self.run("openssl", "x509", "-req", "-in", self.root / "relay.csr", "-CA", self.ca, "-CAkey",
                 self.root / "ca.key", "-CAcreateserial", "-days", "60", "-extfile", names, "-out",
                 tls / "relay.pem")

    def _mail_server(self):
        port, tls = self.mail_port, self.relay / "tls"
        self.mail_server = mail_server.MailServer(self.root / "mail", port, tls / "relay.pem",
                                                  tls / "relay.key")
        self.start("exim", *self.mail_server.command)
        wait_until(lambda: listening(port), what="exim")

    def _relay_folder(self):
        self.run(self.relay_program, "init", self.relay, "--authority", "Landratsamt Musterkreis",
                 "--host", "localhost", "--nginx")
        self.config = self.relay / "relay.toml"
        smtp = (self.mail_server.settings(self.root / "smtp-password", self.ca)
                if self.mail_server else "")
        self.config.write_text(
            'authority = "Landratsamt Musterkreis"\n'
            f'link_base = "{self.server}"\n'
            f'staff_patterns = ["@{STAFF_DOMAIN}"]\n'
            f'[pieces]\nlisten = "{self.address}"\nport = {self.pieces_port}\n'
            f'url = "{self.pieces_url}"\n'
            f'[swarm]\nport = {self.swarm_port}\nplain_port = {self.plain_port}\n'
            f'trusted_networks = {json.dumps(self.trusted_networks)}\n'
            f'[mail]\nfrom = "plankurier@{STAFF_DOMAIN}"\nbounce = "{self.bounce}"\n{smtp}'
            f'[limits]\ntransfer_gib_max = {self.transfer_gib_max}\n'
            + "".join(f"{name} = {value}\n" for name, value in self.limits.items()) +
            f'[departments.bauamt]\nmail = "bauamt@{STAFF_DOMAIN}"\n' + self.more_config)

    def _department(self):
        self.key = self.root / "bauamt.key"
        self.record = self.root / "bauamt.json"
        self.passphrase = self.root / "passphrase"
        self.passphrase.write_text("ein langer Satz nur fuer diesen Test\n")
        self.run(self.client, "keygen", "--department", "bauamt", "--name", "Bauamt", "-o", self.key,
                 "--record", self.record, "--passphrase-file", self.passphrase, env=self.env())

    def _directory(self):
        relay, config, root = self.relay_program, self.config, self.root
        self.run(relay, "directory", "add", "--config", config, self.record)
        self.publish(serial=1)
        self.run(self.client, "trust", self.server, "--root", root / "root.pub", "--ca", self.ca,
                 env=self.env())

    def publish(self, serial):
        """The ceremony: root signs signer, signer signs directory; then the relay takes it in."""
        root = self.root
        for name in ("root", "signer"):
            if not (root / f"{name}.pub").exists():
                self.run("minisign", "-G", "-W", "-p", root / f"{name}.pub", "-s", root / f"{name}.key")
        day = lambda days: (datetime.datetime.now(datetime.timezone.utc) +
                            datetime.timedelta(days=days)).strftime("%Y-%m-%d")
        self.run("minisign", "-S", "-s", root / "root.key", "-m", root / "signer.pub", "-t",
                 f"expires:{day(300)}")
        self.run(self.relay_program, "directory", "build", "--config", self.config, "--serial", serial,
                 "--days", "30", "-o", root / "directory.json")
        self.run("minisign", "-S", "-s", root / "signer.key", "-m", root / "directory.json", "-t",
                 f"serial:{serial} expires:{day(30)}")
        self.run(self.relay_program, "directory", "install", "--config", self.config, "--root",
                 root / "root.pub", "--signer-pub", root / "signer.pub", "--signer-minisig",
                 root / "signer.pub.minisig", "--directory-json", root / "directory.json",
                 "--directory-minisig", root / "directory.json.minisig")
        wait_until(lambda: not (self.data / "request.reload").exists(), what="directory reload")

    def start_relay(self, env=None):
        self.start("relay", self.relay_program, "serve", "--config", self.config,
                   env={"PLANKURIER_CLOCK_OFFSET_FILE": str(self.clock), **(env or {})})
        wait_until(lambda: listening(self.pieces_port, self.address), what="piece plane")
        wait_until(lambda: answering(self.data / "control.sock"), what="control plane")

    def kill_relay(self, name="relay"):
        """All of it at once, as a power cut would. Returns when no process holds a file open."""
        roles = self.role_pids(name)
        self.processes[name].kill()
        for pid in roles:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended with its supervisor
        self.stop(name, signal.SIGKILL)
        for pid in roles:
            wait_until(lambda: has_ended(pid), what="the end of a killed role")

    def role_pids(self, name="relay"):
        """The supervisor's own children."""
        parent = self.processes[name].pid
        children = pathlib.Path(f"/proc/{parent}/task/{parent}/children")
        return [int(pid) for pid in children.read_text().split()]

    def role_pid(self, role, name="relay"):
        """The process of a role, 0 if it is not there."""
        for pid in self.role_pids(name):
            try:
                if f"--role\0{role}\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                    return pid
            except OSError:
                pass  # it ended while we looked
        return 0

    def _nginx(self):
        folder = self.root / "nginx"
        folder.mkdir()
        self.run(self.relay_program, "nginx", "--config", self.config)
        text = (self.relay / "nginx.conf").read_text()
        text = text.replace("127.0.0.1:8444", f"{self.address}:{self.control_port}")
        if os.geteuid() == 0:
            text = "user root;\n" + text  # the test's folder belongs to whoever runs it
        (folder / "nginx.conf").write_text(text)
        self.start_nginx()

    def start_nginx(self):
        folder = self.root / "nginx"
        self.start("nginx", "nginx", "-p", folder, "-c", folder / "nginx.conf")
        wait_until(lambda: listening(self.control_port, self.address), what="nginx")

    # the citizen and the clerk
    def env(self, **more):
        quiet = {name: text for name, text in os.environ.items()
                 if name != "LANGUAGE" and not name.startswith("LC_")}
        return {**quiet, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"),
                "XDG_STATE_HOME": str(self.home / "state"), "PLANKURIER_SERVER": self.server,
                "LANG": "de_DE.UTF-8", **more}

    def plankurier(self, *arguments, check=True, env=None, **options):
        return self.run(self.client, *arguments, "--ca", self.ca, "--no-progress", check=check,
                        env=self.env(**(env or {})), **options)

    def mails(self):
        """The relay's, oldest first; no mail server's own."""
        return [mail for mail in self.every_mail() if not mail.is_multipart()]

    def every_mail(self):
        out = []
        files = ((self.mail_server.folder / "Maildir" / "new").glob("*") if self.mail_server
                 else (self.data / "mail").glob("*.eml"))
        for file in sorted(files, key=lambda f: f.stat().st_mtime_ns):
            out.append(email.message_from_bytes(file.read_bytes(), policy=email.policy.default))
        return out

    def code_mails(self, address=None):
        """The codes in mails (to that address), oldest first, by Message-ID."""
        out = {}
        for mail in self.mails():
            if address and mail["To"].addresses[0].addr_spec.lower() != address.lower():
                continue
            code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", mail.get_content())
            if code and "ode" in mail["Subject"]:
                out[mail["Message-ID"]] = code.group(0)
                if code.group(0) not in self.codes_seen:
                    self.codes_seen.append(code.group(0))
        return out

    def mail_to(self, address, pattern):
        """The newest text to an address that fits a pattern; waits for it."""
        def look():
            for mail in reversed(self.mails()):
                match = re.search(pattern, mail.get_content())
                if address in str(mail["To"]) and match:
                    return match
            return None
        return wait_until(look, what=f"a mail with {pattern}")

    def start_send(self, *files, to="bauamt", more=(), env=None, receipt=None):
        return Sending(self, [*files, "--to", to, "--name", "Anna Muster", "--email", SENDER,
                              "--phone", "+49 9131 803-4711", "--subject", "Bauantrag Gartenweg",
                              "--message", "Anbei die vertraulichen Pläne", "--receipt",
                              receipt or self.root / f"receipt-{time.monotonic_ns()}.json", *more],
                       env)

    def send(self, *files, check=True, **options):
        """Sends as a citizen, who types the code as soon as its mail is there."""
        return self.start_send(*files, **options).end(check)

    def notice_link(self, address):
        return self.mail_to(address, LINK).group(1)

    def links(self):
        """The links in notice mails, by Message-ID."""
        found = {mail["Message-ID"]: re.search(LINK, mail.get_content()) for mail in self.mails()}
        return {key: match.group(1) for key, match in found.items() if match}

    def fetch(self, link, target, *more, check=True, env=None):
        link_file = self.root / f"link-{time.monotonic_ns()}"
        link_file.write_text(link + "\n")
        return self.plankurier("fetch", "--link-file", link_file, "-o", target, *more, check=check,
                               env=env, place="recipient")

    def fetch_as_department(self, link, target, *more, check=True, env=None):
        return self.fetch(link, target, "--key", self.key, "--passphrase-file", self.passphrase,
                          *more, check=check, env=env)
