#!/usr/bin/env bash
# The demo with the plugin in lockstep-node, beside geth as its makers build it.
exec "$(dirname "$0")/../../../devnet/demo.sh" --host runner --client geth
