"""Counts checks and says each one. A suite without a check has failed."""


class Checks:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def that(self, name, good):
        print(f"{'ok' if good else 'FAIL'} {name}", flush=True)
        self.passed += bool(good)
        self.failed += not good
        return bool(good)

    def skip(self, name, why):
        print(f"skip {name}: {why}", flush=True)
        self.skipped += 1

    def end(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}", flush=True)
        return 0 if self.passed and not self.failed else 1
