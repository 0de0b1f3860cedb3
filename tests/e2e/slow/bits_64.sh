#!/usr/bin/env bash
# bits.sh with 64 tokens.
exec "$(dirname "$0")/../bits.sh" 64
