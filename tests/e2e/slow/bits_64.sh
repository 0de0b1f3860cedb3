#!/usr/bin/env bash
# bits.sh with 64 tokens, and with every instruction set at every optimisation level.
exec "$(dirname "$0")/../bits.sh" 64 all
