#!/usr/bin/env python3
"""Waits until the devnet's chain answers and has made a block.

usage: wait.py HTTP_URL [SECONDS [PID]]

Exits 0 when it does; 1 with one line when SECONDS (default 30) have passed, when the process PID has ended, or when the
chain id is not the devnet's.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

CHAIN_ID = 31982


def call(url, method):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=2) as answer:
        return int(json.load(answer)["result"], 16)


def main(args):
    if not 1 <= len(args) <= 3:
        sys.exit("usage: wait.py HTTP_URL [SECONDS [PID]]")
    url = args[0]
    seconds = float(args[1]) if len(args) > 1 else 30.0
    end = time.monotonic() + seconds
    last = "no answer"
    while time.monotonic() < end:
        if len(args) > 2 and not os.path.exists(f"/proc/{args[2]}"):
            sys.exit(f"wait.py: the chain's process {args[2]} has ended")
        try:
            chain_id = call(url, "eth_chainId")
            if chain_id != CHAIN_ID:
                sys.exit(f"wait.py: {url} has chain id {chain_id}, the devnet has {CHAIN_ID}")
            if call(url, "eth_blockNumber") > 0:
                return
            last = "it has made no block"
        except (OSError, ValueError, KeyError, TypeError) as error:
            last = str(error)
        time.sleep(0.05)
    sys.exit(f"wait.py: {url} is not ready after {seconds:g} s: {last}")


if __name__ == "__main__":
    main(sys.argv[1:])
