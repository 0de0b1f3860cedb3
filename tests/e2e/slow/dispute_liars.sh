#!/usr/bin/env bash
# Every other liar of tests/e2e/runner_dispute.sh.
exec "$(dirname "$0")/../runner_dispute.sh" bit_first bit_middle bit_keys bit_norm bit_sample silent_trace silent_reveal silent_partials
