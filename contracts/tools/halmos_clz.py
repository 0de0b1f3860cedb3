#!/usr/bin/env python3
"""halmos (PyPI, pinned) with one opcode more: CLZ of EIP-7939, of values that are known. Takes halmos's arguments."""
import importlib.util
import sys

BEFORE = "                elif opcode == OP_SAR:\n"
CLZ = """                elif opcode == 0x1E:
                    value = ex.int_of(state.popi(), "symbolic CLZ")
                    state.push(BV(256 - value.bit_length()))

"""

spec = importlib.util.find_spec("halmos.sevm")
with open(spec.origin, encoding="utf-8") as f:
    source = f.read()
if source.count(BEFORE) != 1:
    sys.exit("halmos_clz.py: this is not the version of devnet/setup/analysis.txt")
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
exec(compile(source.replace(BEFORE, CLZ + BEFORE), spec.origin, "exec"), module.__dict__)

from halmos.__main__ import main  # it must see the module above

sys.exit(main())
