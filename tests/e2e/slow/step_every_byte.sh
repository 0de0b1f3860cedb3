#!/usr/bin/env bash
# Every committed byte of tests/e2e/step_on_chain.sh.
exec "$(dirname "$0")/../step_on_chain.sh" all
