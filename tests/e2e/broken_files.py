"""The relay's databases, damaged or away: what can be made anew is, what cannot is left alone."""
import os
import signal

import world


class Starts:
    """A relay that is started without waiting for it, and what it says from then on."""

    def __init__(self, service):
        self.service, self.log = service, service.root / "relay.log"

    def __enter__(self):
        self.before = len(self.log.read_text(errors="replace"))
        self.service.start("relay", self.service.relay_program, "serve", "--config",
                           self.service.config,
                           env={"PLANKURIER_CLOCK_OFFSET_FILE": str(self.service.clock)})
        return self

    def __exit__(self, *_):
        self.service.stop("relay", signal.SIGTERM)

    def says(self, *words):
        said = lambda: self.log.read_text(errors="replace")[self.before:]
        try:
            return world.wait_until(lambda: all(word in said() for word in words), 60,
                                    what="words of the relay")
        except Exception:
            print("   ", said()[-1_000:])
            return False


def control_database(service, checks):
    """All transfers hang on it, and all keys: the vault must not be cleaned without it."""
    database, vault = service.data / "control.db", service.data / "vault"
    service.stop("relay")
    good, keys = database.read_bytes(), vault.read_bytes()
    untouched = lambda: vault.read_bytes() == keys
    garbage = os.urandom(20_000)
    database.write_bytes(garbage)
    with Starts(service) as start:
        checks.that("a damaged control.db is left alone: words that help, and longer pauses",
                    start.says("control.db cannot be used", "Nothing was changed", "again in 4 s")
                    and database.read_bytes() == garbage and untouched())
    database.unlink()
    with Starts(service) as start:
        checks.that("a control.db that is missing beside the vault is not made anew",
                    start.says("control.db is missing or empty", "mounted")
                    and not database.exists() and untouched())
    database.write_bytes(good)
    service.start_relay()


def piece_index(service, checks, link, file):
    index = service.data / "pieces" / "index.db"
    status = lambda: service.run(service.relay_program, "status", "--config", service.config,
                                 check=False)
    service.stop("relay")
    good = index.read_bytes()
    index.write_bytes(b"no database")
    service.start_relay()
    aside = index.with_name("index.db.unreadable.1")
    told = world.wait_until(lambda: (done := status()).returncode == 3 and done,
                            what="a status that tells of it")
    checks.that("a damaged piece index is kept aside and begun anew, and status says so",
                aside.read_bytes() == b"no database" and str(aside) in told.stderr
                and "piece_index_unreadable 1" in told.stdout or print(told.stdout, told.stderr))
    gone = service.fetch_as_department(link, service.root / "without-index", "--retries", "1",
                                       check=False)
    checks.that("what it held cannot be fetched meanwhile: a clear error, no file",
                gone.returncode != 0 and gone.stderr.strip()
                and not (service.root / "without-index" / file.name).exists()
                or print(gone.returncode, gone.stderr))
    service.stop("relay")
    index.write_bytes(good)
    aside.unlink()
    service.start_relay()
    service.fetch_as_department(link, service.root / "with-index")
    checks.that("repaired, everything is there again",
                (service.root / "with-index" / file.name).read_bytes() == file.read_bytes()
                and "piece_index_unreadable 0" in status().stdout)


def check(service, checks, file):
    links = service.links()
    service.send(file)
    link = world.wait_until(lambda: next((one for key, one in service.links().items()
                                          if key not in links), None), what="a notice")
    control_database(service, checks)
    piece_index(service, checks, link, file)
