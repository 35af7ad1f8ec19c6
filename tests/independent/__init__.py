"""A reader and sender of Plankurier written from docs/protocol.md alone.

It shares no code with the C++: primitives come from Python's standard library and from Debian's
python3-cryptography (AES-GCM, X25519, P-256, Ed25519) and python3-argon2. Where this package and
the engine differ, one of them or the document is wrong. It is for tests: it holds bodies in memory.
"""
