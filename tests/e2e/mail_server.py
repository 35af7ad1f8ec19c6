"""A real mail server on loopback: exim4 with STARTTLS and AUTH, delivering into one Maildir.

Refuses mail to `unbekannt` at once, to `spaeter` for now, and to `zurueck` only after taking it; `grau`
takes mail from a sender that it does not know only at a later try (greylisting).
"""
import os
import pathlib
import pwd
import re
import shutil

USER, PASSWORD = "relay", "nur-fuer-diesen-test"
OPERATIONS = pathlib.Path(__file__).parents[2] / "docs/operations.md"
EXIM = shutil.which("exim4", path="/usr/sbin:/usr/bin") or "exim4"

CONFIGURATION = """
primary_hostname = mail.amt.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
tls_certificate = {certificate}
tls_privatekey = {key}
tls_advertise_hosts = *
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 50
deliver_drop_privilege = true
acl_smtp_rcpt = check_rcpt
begin acl
check_rcpt:
  deny    local_parts = unbekannt
          message = 550 no such mailbox
  defer   local_parts = spaeter
          message = 451 try again later
  defer   authenticated = *
          local_parts = grau
          !seen = -1s / key=$sender_address-$local_part@$domain
          message = 451 greylisted, try again later
  accept  authenticated = *
  deny    message = 550 sign in first
begin routers
comes_back:
  driver = redirect
  local_parts = zurueck
  data = :fail: no such mailbox
  allow_fail
everybody:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {folder}/Maildir
  create_directory
  delivery_date_add
  envelope_to_add
begin retry
* * F,1h,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


class MailServer:
    """Writes the configuration; the caller starts `command` and ends it."""

    def __init__(self, folder, port, certificate, key):
        self.folder = pathlib.Path(folder)
        self.port = port
        for part in ("", "spool", "log", "Maildir", "Maildir/new", "Maildir/cur", "Maildir/tmp"):
            (self.folder / part).mkdir(exist_ok=True)
        self.configuration = self.folder / "exim.conf"
        self.configuration.write_text(CONFIGURATION.format(
            port=port, folder=self.folder, certificate=self.folder / "mail.pem",
            key=self.folder / "mail.key", user=USER, password=PASSWORD))
        shutil.copy(certificate, self.folder / "mail.pem")
        shutil.copy(key, self.folder / "mail.key")
        if os.geteuid() == 0:
            # Whoever brings a configuration of his own loses root; exim's own user is left.
            owner = pwd.getpwnam("Debian-exim")
            for path in [self.folder, *self.folder.rglob("*")]:
                if path != self.configuration:
                    os.chown(path, owner.pw_uid, owner.pw_gid)
        self.command = [EXIM, "-C", self.configuration, "-bdf", "-q5s"]

    def pipe_bounces(self, program, config):
        """As docs/operations.md tells administrators, with the paths and the user of this test."""
        text = OPERATIONS.read_text()
        router, transport = (re.search(rf"^    {name}:\n(?:     .*\n)+", text, re.M).group(0)
                             for name in ("plankurier_bounce", "plankurier_pipe"))
        for documented, here in (("/usr/local/bin/plankurier-relay", program),
                                 ("/var/lib/plankurier/relay/relay.toml", config),
                                 ("user = plankurier", f"user = {pwd.getpwuid(os.geteuid()).pw_name}")):
            assert documented in transport, f"{documented} in {OPERATIONS}"
            transport = transport.replace(documented, str(here))
        text = self.configuration.read_text()
        for section, part in (("routers", router), ("transports", transport)):
            text = text.replace(f"begin {section}\n", f"begin {section}\n{part}")
        self.configuration.write_text(text)

    def log(self):
        return (self.folder / "log/mainlog").read_text()

    def waiting(self):
        """How many mails wait to be delivered."""
        return len(list((self.folder / "spool/input").rglob("*-H")))

    def settings(self, password_file, ca_file):
        """The lines for [mail] in relay.toml."""
        pathlib.Path(password_file).write_text(PASSWORD + "\n")
        return (f'smtp_url = "smtp://localhost:{self.port}"\nuser = "{USER}"\n'
                f'password_file = "{password_file}"\nrequire_tls = true\nca_file = "{ca_file}"\n')
