#!/usr/bin/env python3
"""Rules about the source tree: tidy.py CHECK ROOT, or tidy.py --must-fail CHECK.

layers: who may include what (docs/architecture.md, "Dependency rule").
sizes:  files of at most 400 lines, functions of at most 70.
words:  no unfinished words, no large blobs, a changelog with an Unreleased part.
format: every source file is as clang-format leaves it.
types:  no header defines a type with the name of one in include/plankurier.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCES = ("include", "engine", "relay", "clients", "bench", "tests")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
BLOB_BYTES_MAX = 256 * 1024

# Folder (longest match wins) -> own headers it may name, and third-party headers it may name.
STANDARD = re.compile(r"^[a-z0-9_]+$|^(sys|netinet|arpa|linux|net)/|^(fcntl|unistd|poll|signal|termios|pwd)\.h$")
LAYERS = {
    "include/": (r"plankurier/", r"tl/expected"),
    "include/plankurier/json.hpp": (r"$^", r"nlohmann/"),
    "engine/": (r"plankurier/|engine/", r"openssl/|sodium|utf8proc"),
    "engine/sha256_pair.cpp": (r"plankurier/|engine/", r"cpuid|immintrin"),
    "engine/swarm/": (r"plankurier/|engine/", r"libtorrent/"),
    "engine/swarm/certificate.cpp": (r"plankurier/|engine/", r"openssl/"),
    "relay/domain/": (r"plankurier/|relay/domain/", r"$^"),
    "relay/adapters/": (r"plankurier/|relay/domain/|relay/adapters/",
                        r"openssl/|sodium|curl/"),
    "relay/adapters/db.cpp": (r"plankurier/|relay/adapters/", r"soci|sqlite3"),
    "relay/http/": (r"plankurier/|relay/domain/|relay/http/", r"$^"),
    "relay/http/server.cpp": (r"plankurier/|relay/domain/|relay/http/", r"httplib"),
    "relay/pieces/": (r"plankurier/|relay/pieces/|relay/adapters/(db|local|reserve)|relay/swarm/(messages|channel)",
                      r"boost/|openssl/"),
    "relay/pieces/own_time": (r"plankurier/|relay/pieces/|relay/adapters/(local|files)|"
                              r"relay/domain/service_time", r"$^"),
    "relay/pieces/http_client.cpp": (r"plankurier/|relay/pieces/", r"curl/"),
    "relay/swarm/": (r"plankurier/|relay/swarm/", r"$^"),
    "relay/": (r"plankurier/|relay/", r"boost/program_options|toml\+\+/"),
    "clients/": (r"plankurier/|clients/", r"boost/program_options|curl/|idn2|iconv"),
    "clients/cli/swarm_key.cpp": (r"plankurier/|clients/", r"openssl/"),
    "bench/": (r".*", r".*"),
    "tests/": (r".*", r".*"),
}


def sources(root):
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".py", ".ts", ".sh") and path.is_file():
                yield path


def layer_of(name):
    fitting = [prefix for prefix in LAYERS if name.startswith(prefix)]
    return LAYERS[max(fitting, key=len)] if fitting else None


def layers(root):
    for path in sources(root):
        name = path.relative_to(root).as_posix()
        rule = layer_of(name)
        if rule is None or path.suffix not in (".cpp", ".hpp"):
            continue
        own, foreign = rule
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            header = match.group(2)
            ours = re.match(r"(plankurier|engine|relay|clients|bench|tests)/", header)
            if ours and not re.match(own, header):
                yield f"{name}:{number}: may not include {header}"
            if not ours and not STANDARD.match(header) and not re.match(foreign, header):
                yield f"{name}:{number}: may not include {header}"


def sizes(root):
    for path in sources(root):
        name = path.relative_to(root).as_posix()
        lines = path.read_text().splitlines()
        if len(lines) > FILE_LINES_MAX and not any("long because" in line for line in lines[:5]):
            yield f"{name}: {len(lines)} lines"
        if path.suffix != ".cpp" or name.startswith("tests/"):
            continue
        start = None
        for number, line in enumerate(lines, 1):
            # By the formatter's rules a function body ends with a brace in its opening column.
            if re.match(r"^[A-Za-z].*\)[^;]*\{$|^ {4,}.*\)[^;()]*(const|noexcept|override)? ?\{$",
                        line) and start is None and not re.match(r"^(namespace|struct|class)", line):
                indent = len(line) - len(line.lstrip())
                # An initialiser list stands deeper than the brace that ends its constructor.
                start = (number, indent - 4 if line.lstrip().startswith(":") else indent)
            elif start and line.startswith(" " * start[1] + "}"):
                if number - start[0] + 1 > FUNCTION_LINES_MAX:
                    yield f"{name}:{start[0]}: function of {number - start[0] + 1} lines"
                start = None


def words(root):
    unfinished = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")
    for path in sources(root):
        name = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if unfinished.search(line):
                yield f"{name}:{number}: unfinished word"
    for folder in SOURCES + ("docs", "script"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and path.stat().st_size > BLOB_BYTES_MAX:
                yield f"{path.relative_to(root)}: {path.stat().st_size} bytes"
    changelog = root / "CHANGELOG.md"
    if not changelog.is_file() or "## [Unreleased]" not in changelog.read_text():
        yield "CHANGELOG.md: no Unreleased part"


def form(root):
    files = [str(path) for path in sources(root) if path.suffix in (".cpp", ".hpp")]
    rules = pathlib.Path(__file__).resolve().parents[2] / ".clang-format"
    done = subprocess.run(["clang-format", "--dry-run", f"--style=file:{rules}", *files],
                          stderr=subprocess.PIPE, text=True, check=True)
    for name in sorted({line.split(":")[0] for line in done.stderr.splitlines()
                        if "-Wclang-format-violations" in line}):
        yield f"{name}: run clang-format -i on it"


def types(root):
    """Inside an inner namespace such a name means one or the other by what was included before: the
    same struct got two layouts in one program like that."""
    defined = re.compile(r"^(?:struct|class|enum class) (\w+)[^;]*$", re.M)
    headers = [path for path in sources(root) if path.suffix == ".hpp"]
    public = root / "include/plankurier"
    taken = {name for path in headers if public in path.parents
             for name in defined.findall(path.read_text())}
    for path in headers:
        if public in path.parents or root / "tests" in path.parents:
            continue
        for name in taken.intersection(defined.findall(path.read_text())):
            yield f"{path.relative_to(root)}: {name} is a type of include/plankurier"


CHECKS = {"layers": layers, "sizes": sizes, "words": words, "format": form, "types": types}
BAD = {
    "layers": ("relay/domain/bad.hpp", "#include <httplib.h>\n"),
    "sizes": ("engine/bad.cpp", "int f() {\n" + "    g();\n" * 80 + "}\n"),
    "words": ("engine/bad.cpp", "// TO" + "DO later\n"),
    "format": ("engine/bad.cpp", "int  f( );\n"),
    "types": ("relay/bad.hpp", "struct Volume {\n"),
}


def must_fail(check):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "CHANGELOG.md").write_text("## [Unreleased]\n")
        (root / "include/plankurier").mkdir(parents=True)
        (root / "include/plankurier/good.hpp").write_text("struct Volume {\n    int bytes{};\n};\n")
        name, text = BAD[check]
        path = root / name
        path.parent.mkdir(parents=True)
        path.write_text("// nothing\n")
        clean = list(CHECKS[check](root))
        path.write_text(text)
        return [] if list(CHECKS[check](root)) and not clean else [f"{check} does not complain"]


def main():
    if sys.argv[1] == "--must-fail":
        found = must_fail(sys.argv[2])
    else:
        found = list(CHECKS[sys.argv[1]](pathlib.Path(sys.argv[2])))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
