"""What people paste and type (docs/protocol.md, section 2)."""
import base64
import re
import urllib.parse

UNSEEN = re.compile("[\u0000-\u0020\u007f-\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f"
                    "\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff]")
DASHES = re.compile("[\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d]")
QUOTES = re.compile("[\"\u00ab\u00bb\u2018-\u201f\u2039\u203a]")
RUNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LAYERS = 6


def clean(text):
    return QUOTES.sub('"', DASHES.sub("-", UNSEEN.sub("", text)))


def cut(text):
    begin = re.search("https?://", text, re.I)
    text = text[begin.start():] if begin else text
    text = text.lstrip("<\"'`{([*#")
    return re.split(r"[<>\"'`{}()|\\^]", text)[0].rstrip(".,;:!?*]$")


def proofpoint_3(url, signs):
    signs = base64.urlsafe_b64decode(signs + "=" * (-len(signs) % 4)).decode()

    def next_signs(star):
        nonlocal signs
        count = RUNS.index(star.group(1)) + 2 if star.group(1) else 1
        taken, signs = signs[:count], signs[count:]
        return taken
    out = re.sub(r"\*(?:\*(.))?", next_signs, urllib.parse.unquote(url))
    return re.sub(r"^([a-z]+):/(?!/)", r"\1://", out)


def unwrap(text):
    found = re.search(r"/v3/__(.*?)__;([^!]*)", text)
    if found:
        return proofpoint_3(*found.groups())
    if "#" not in text:
        found = re.search(r"/v2/url\?u=([^&]*)", text)
        if found:
            return urllib.parse.unquote(found.group(1).translate(str.maketrans("-_", "%/")))
        for value in re.findall(r"[?&][^=&]*=([^&]*)", text):
            if re.match("https?://", urllib.parse.unquote(value), re.I):
                return urllib.parse.unquote(value)
    return urllib.parse.unquote(text)


def tidy(text):
    text = cut(clean(text))
    for _ in range(LAYERS):
        outer = unwrap(text)
        if outer == text:
            break
        text = cut(clean(outer))
    if "#" not in text:
        return text
    base, behind = text.split("#", 1)
    base = base.split("?")[0]
    if base and not base.startswith("/") and "://" not in base:
        base = "https://" + base
    base = re.sub("^[^:/]+://[^/]*", lambda host: host.group(0).lower(), base)
    return f"{base}#{behind}"


def typed_code(typed):
    """The code, or None for what cannot be one."""
    if "v1." in typed:
        return code_of_link(tidy(typed))
    text = re.sub(r"[-_\"'`<>()\[\]{}.,;:!*]", "", clean(typed)).upper()
    text = text.translate(str.maketrans("OIL", "011"))
    return text if re.fullmatch("[0-9A-HJKMNP-TV-Z]{8}", text) else None


def code_of_link(link):
    parts = split(link, "c")
    return typed_code(parts[1]) if parts and "v1." not in parts[1] else None


def split(link, page):
    """(base, what is behind the version), or None for what is no link to that page."""
    found = re.fullmatch(rf"(?:(.+?)/*/{page}/*#)?v1\.(.*)", link)
    return found and (found.group(1) or "", found.group(2))


def never_token(link):
    parts = split(link, "n")
    return parts[1] if parts and re.fullmatch("[A-Za-z0-9_-]{43}", parts[1]) else None
