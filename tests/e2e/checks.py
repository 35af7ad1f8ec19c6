"""Counts checks and says each one. A suite without a check has failed.

Counts what was acknowledged, too: transfers whose sender got the receipt. Whether one was lost is what
the checks are about; `script/test` adds up the numbers of all suites.
"""


acknowledged = []  # one entry for each; appending needs no lock


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
        print(f"{len(acknowledged)} transfers acknowledged")
        print(f"{self.passed} passed, {self.failed} failed{skipped}", flush=True)
        return 0 if self.passed and not self.failed else 1
