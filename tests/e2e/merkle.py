"""BitTorrent v2's trees (BEP 52), written once more without our engine or libtorrent."""
import hashlib

BLOCK = 16_384


def tree(leaves, pad):
    """The root over `leaves`, filled up with `pad` to a power of two."""
    leaves = list(leaves)
    while len(leaves) > 1:
        if len(leaves) % 2:
            leaves.append(pad)
        leaves = [hashlib.sha256(leaves[i] + leaves[i + 1]).digest()
                  for i in range(0, len(leaves), 2)]
        pad = hashlib.sha256(pad + pad).digest()
    return leaves[0]


def piece_root(piece):
    return tree([hashlib.sha256(piece[at:at + BLOCK]).digest()
                 for at in range(0, len(piece), BLOCK)], bytes(32))


def volume_root(roots, piece_bytes):
    pad = bytes(32)
    size = BLOCK
    while size < piece_bytes:
        pad, size = hashlib.sha256(pad + pad).digest(), size * 2
    return tree(roots, pad)


def descriptor_body(volume, roots, piece_bytes):
    """A descriptor without its MAC (docs/protocol.md, section 7)."""
    return (volume.to_bytes(4, "big") + (piece_bytes * len(roots)).to_bytes(8, "big")
            + volume_root(roots, piece_bytes) + len(roots).to_bytes(2, "big") + b"".join(roots))
