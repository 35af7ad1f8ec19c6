"""Every kind of mail that the relay ever writes, each caused as in life, in German and English."""
import re

import people
import world
from people import CLERK, DAY, DEPARTMENT

UNKNOWN = f"unbekannt@{world.STAFF_DOMAIN}"
NOTICE = "Eine vertrauliche Nachricht wartet"
# Subject -> how many of it `cause` makes. Of six transfers in each language three are from citizens:
# one is fetched, one lies, one cannot be announced; an answer is fetched, two first letters lie.
KINDS = {
    "Ihr Bestätigungscode": 3, "Your verification code": 3, NOTICE: 4,
    "Eine Antwort liegt bereit": 1, "An answer is ready": 1,
    "Eine Nachricht liegt bereit": 1, "A message is ready": 1,
    "Eine Nachricht wartet auf Ihren Link": 1, "A message is waiting for your link": 1,
    # The staff's own mails are in German.
    "Ihre Nachricht wurde abgerufen": 3, "Your message was fetched": 1,
    "Eine vertrauliche Nachricht wartet noch": 3, "A confidential message is still waiting": 1,
    "Ihre Nachricht ist noch nicht abgerufen": 1, "Your message has not been fetched yet": 1,
    "Ihre Nachricht wurde nicht abgerufen": 6, "Your message was not fetched": 2,
    "Ihre Nachricht ist nicht zustellbar": 1, "Your message is undeliverable": 1,
}
# The notice to a department, and to a clerk with and without a phone number, have one subject.
TEXTS = len(KINDS) + 2


def cause(service, file):
    secret, password = service.root / "password", "Kranich-Tinte-Hafer-42-Moos"
    secret.write_text(password + "\n")
    by_password = ["--password-file", secret]
    facts = ["--phone", "+49 9131 803-4711", *by_password]
    staff = people.Staff(service)
    for language, name in (("de_DE.UTF-8", "anna.muster"), ("en_GB.UTF-8", "ann.sample")):
        env = {"LANG": language}
        citizen = people.Citizen(service, f"{name}@buerger.example")
        sent = citizen.send(file, env=env)
        staff.fetch(sent.link, service.root / f"in-{name}")
        wishes = ["--notify-unfetched", "--remind-recipient", *facts]
        citizen.send(file, to=CLERK, env=env,
                     more=wishes + (["--share-phone"] if name == "anna.muster" else []))
        refused = citizen.start(file, to=UNKNOWN, more=facts, env=env).end()
        if staff.reply(sent.transfer, file, "--message", "x", env=env).returncode != 0:
            raise AssertionError("no answer")
        service.wait_mails(citizen.address, "Antwort" if name == "anna.muster" else "answer")
        citizen.answers(sent.receipt, service.root / f"answer-{name}")
        staff.write_to(f"berta.{name}@buerger.example", file, "--message", "x", *by_password,
                       "--remind-recipient", env=env)
        staff.write_to(f"carla.{name}@buerger.example", file, "--message", "x", "--by-link", env=env)
        if not citizen.status(refused.receipt)["recipient_undeliverable"]:
            raise AssertionError("a refused notice is not in the state")
    service.pass_time(12 * DAY + people.HOUR)
    service.wait_mails(DEPARTMENT, "", 4)
    service.settle()
    service.pass_time(2 * DAY)
    wanted = sum(KINDS.values())
    world.wait_until(lambda: len(of_kinds(service)) >= wanted, what="every kind of mail")
    service.settle()


def kind_of(mail):
    """The subject, without the number of a code mail."""
    return re.sub(r" \((Nr|no)\. [1-9][0-9]{2}\)$", "", str(mail["Subject"]))


def of_kinds(service):
    """Subjects of all mails, without those that only `settle` has asked for."""
    return [kind_of(mail) for mail in service.mails()
            if "spaeter.da-" not in str(mail["To"])]


def text_of(mail):
    """What tells texts of one subject apart."""
    text = mail.get_content()
    return kind_of(mail), "Telefon für" in text, bool(re.search("absendenden", text))
