"""A rule that is broken: what the relay answers, and what the client says of it to a person."""
import json
import os
import pathlib
import re

import people
import wire as wires
import world

SOURCE = pathlib.Path(__file__).resolve().parents[2]
LANGUAGES = {"de": "de_DE.UTF-8", "en": "en_GB.UTF-8"}


def catalogue(language):
    """Code -> what a person reads."""
    text = (SOURCE / f"clients/cli/texts_{language}.cpp").read_text()
    return dict(re.findall(r'case Errc::(\w+):\s*return\s*"((?:[^"\\]|\\.)*)";', text))


def mistakes(language):
    """The same for what is wrong with a command line: name -> a pattern for what a person reads."""
    text = (SOURCE / f"clients/cli/texts_mistakes_{language}.cpp").read_text()
    found = dict(re.findall(r'\{Mistake::(\w+),\s*"((?:[^"\\]|\\.)*)"\}', text))
    return {name: re.escape(said.replace('\\"', '"').replace("\\n", "\n")).replace(r"\{\}", ".+")
            for name, said in found.items()}


class Rules:
    """One check for a rule: the relay's answer, and the client's in both languages."""

    def __init__(self, service, checks):
        self.service, self.checks = service, checks
        self.words = {language: catalogue(language) for language in LANGUAGES}
        self.mistakes = {language: mistakes(language) for language in LANGUAGES}
        self.wire = wires.Wire(service)

    def relay(self, name, status, code, answer):
        """`answer`: (status, headers, body) of a request that breaks the rule."""
        got, headers, content = answer
        told = json.loads(content or b"{}")
        good = (got == status == told.get("status") and told.get("code") == code
                and headers["Content-Type"] == "application/problem+json")
        self.checks.that(f"{name}: the relay says {status} {code}", good or print(answer))
        return told

    def client(self, name, exit_code, code, run, mistake=None):
        """`run(env)` is refused alike in both languages, and nothing of it reaches the relay.
        `mistake`: the sentence that says more than the code's own."""
        faults, stored = [], self.stored()
        for language, locale in LANGUAGES.items():
            done = run({"LANG": locale})
            told = [(one["code"], one["exit"]) for one in people.events(done, "error")]
            words = (self.mistakes[language][mistake] if mistake
                     else re.escape(self.words[language][code]))
            if (done.returncode != exit_code or told != [(code, exit_code)]
                    or not re.search(words, done.stderr)):
                faults.append((done.returncode, told, done.stderr))
        if self.stored() != stored:
            faults.append("something was stored")
        self.checks.that(f"{name}: the client ends with {exit_code} and says so in both languages",
                         not faults or print(faults))

    def stored(self):
        """Files of sealed messages and pieces."""
        return {file.name for part in ("envelopes/*", "pieces/*/*")
                for file in world.files_in(self.service.data, part)}

    def ask(self, path, body, headers=None):
        return self.wire.ask(self.service.server, "POST", path, json.dumps(body).encode(),
                             {"Content-Type": "application/json", **(headers or {})})

    def create(self, session, **more):
        """Asks for a transfer; to the Bauamt if nobody else is named."""
        to = {} if {"staff", "citizen"} & set(more) else {"department": "bauamt"}
        return self.ask("/v1/transfers", {
            "tid": os.urandom(16).hex(), **to, "body_len": wires.PLAIN, "expiry_days": 7,
            "fetch_sha256": wires.b64url(bytes(32)), "manage_sha256": wires.b64url(bytes(32)),
            **more}, session)

    def sender(self, address=world.SENDER):
        """Runs `send` for a citizen; what follows are its files and options."""
        citizen = people.Citizen(self.service, address)
        return lambda *files, **options: lambda env: citizen.start(
            *files, **{**options, "more": ["--json", *options.get("more", ())]},
            env=env).end(check=False)


def limits_of(headers):
    return tuple(int(headers[f"RateLimit-{name}"] or -1) for name in ("Limit", "Remaining", "Reset"))
