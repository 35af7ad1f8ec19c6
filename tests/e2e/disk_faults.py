"""What befalls a relay's disk. `relays` is that of suite_scrub.py: what was sent, and its `random`."""
import os
import shutil

PIECE = 262_144
PLACES = 200  # of flipped bits


def wiped(relays, member):
    """A new disk: the index is there, the volumes are not."""
    for one in relays.sent:
        shutil.rmtree(member.data / "pieces" / one.tid)


def new_folder(relays, member):
    """A new disk where even the index was."""
    shutil.rmtree(member.data / "pieces")


def partly_wiped(relays, member):
    for file in relays.volume_files(member)[::2]:
        file.unlink()


def truncated(relays, member):
    for file in relays.volume_files(member):
        os.truncate(file, relays.random.randrange(file.stat().st_size))


def zeroed(relays, member):
    for file in relays.volume_files(member):
        with open(file, "r+b") as out:
            out.seek(relays.random.randrange(file.stat().st_size // 16_384) * 16_384)
            out.write(bytes(16_384))


def flipped(relays, member):
    """Gives how many pieces were hit."""
    files = relays.volume_files(member)
    hit = set()
    for _ in range(PLACES):
        file = relays.random.choices(files, [file.stat().st_size for file in files])[0]
        at = relays.random.randrange(file.stat().st_size)
        with open(file, "r+b") as out:
            out.seek(at)
            byte = out.read(1)[0]
            out.seek(at)
            out.write(bytes([byte ^ 1 << relays.random.randrange(8)]))
        hit.add((file, at // PIECE))
    wrong = 0
    for file, piece in hit:  # two flips at one place are none
        sent = next(one for one in relays.sent if one.tid == file.parent.name)
        with open(file, "rb") as content:
            content.seek(piece * PIECE)
            now = content.read(PIECE)
        wrong += now != sent.bytes[file.name][piece * PIECE:(piece + 1) * PIECE]
    return wrong
