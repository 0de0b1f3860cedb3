"""A second implementation of docs/SPEC.md, in Python's integers, written from that text alone.

It is slow and plain on purpose: it exists to show that the text is complete, and to make tests/vectors/. One module a section:
f32 (2), blocks (3, 4), ops (5), rope (6), model (8), trees (9, 10, 12), answer (7 and the run of a whole program), openings, wellformed, units and claim (13).
"""
