#!/usr/bin/env python3
"""Waits until the devnet's chain answers and has made a block. Exits 0 when it has, else 1 with one line that says why not."""

import argparse
import json
import os
import sys
import time
import urllib.request

CHAIN_ID = 31982


def call(url, method):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(json.load(answer)["result"], 16)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of its HTTP port")
    parser.add_argument("seconds", type=float, nargs="?", default=30.0, help="how long to wait (default 30)")
    parser.add_argument("pid", type=int, nargs="?", help="stop waiting when this process has ended")
    parser.add_argument("--block", type=int, default=1, metavar="N", help="wait for block N (default 1)")
    args = parser.parse_args()
    end = time.monotonic() + args.seconds
    last = "no answer"
    while time.monotonic() < end:
        if args.pid and not os.path.exists(f"/proc/{args.pid}"):
            sys.exit(f"wait.py: the chain's process {args.pid} has ended")
        try:
            chain_id = call(args.url, "eth_chainId")
            if chain_id != CHAIN_ID:
                sys.exit(f"wait.py: {args.url} has chain id {chain_id}, the devnet has {CHAIN_ID}")
            head = call(args.url, "eth_blockNumber")
            if head >= args.block:
                return
            last = f"it is at block {head}"
        except (OSError, ValueError, KeyError, TypeError) as error:
            last = str(error)
        time.sleep(0.05)
    sys.exit(f"wait.py: {args.url} is not ready after {args.seconds:g} s: {last}")


if __name__ == "__main__":
    main()
