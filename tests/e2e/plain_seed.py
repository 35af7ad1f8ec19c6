#!/usr/bin/python3
"""A seed as Debian's libtorrent makes it, with nothing of ours: `plain_seed.py FOLDER`.

Serves one unpadded v2 torrent (its end is a pad file) by plain TCP; writes "PORT INFO_HASH" to its
output and stays until it is killed. What suite_swarm_gate proves its crash message on.
"""
import os
import pathlib
import sys
import time

import libtorrent as lt

SIZE, PIECE = 5 * 262_144 + 96, 262_144


def torrent_of(folder):
    (folder / "payload").write_bytes(os.urandom(SIZE))
    files = lt.file_storage()
    files.add_file("payload", SIZE)
    maker = lt.create_torrent(files, PIECE, lt.create_torrent_flags_t.v2_only)
    lt.set_piece_hashes(maker, str(folder))
    return lt.torrent_info(maker.generate())


def main():
    folder = pathlib.Path(sys.argv[1])
    session = lt.session({"listen_interfaces": "127.0.0.1:0", "enable_dht": False,
                          "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
                          "in_enc_policy": lt.enc_policy.pe_disabled,
                          "out_enc_policy": lt.enc_policy.pe_disabled})
    info = torrent_of(folder)
    handle = session.add_torrent({"ti": info, "save_path": str(folder)})
    while not (handle.status().is_seeding and session.listen_port()):
        time.sleep(0.01)
    print(session.listen_port(), info.info_hashes().v2.to_bytes().hex(), flush=True)
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main()
