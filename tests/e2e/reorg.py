#!/usr/bin/env python3
"""Drives a geth that waits for an Engine API driver (devnet/chain/start.sh --engine PORT), and makes re-orgs on purpose.

usage: reorg.py --http URL --engine URL --jwt FILE COMMAND
  build N            N blocks on the head, with what the pool holds
  fork DEPTH N       N empty blocks on the block DEPTH below the head; they become the head (the re-org)
  head HASH          makes a known block the head, an ancestor too (at most 32 back)
  run [SECONDS]      a block every SECONDS (1) until SIGTERM

Every new head is printed as "head NUMBER HASH". Also a module: Driver(http, engine, jwt_file).
"""

import argparse
import base64
import hashlib
import hmac
import json
import signal
import sys
import time
import urllib.request

ZERO = "0x" + "00" * 32
FEE_RECIPIENT = "0x" + "00" * 18 + "c0de"


class RpcError(Exception):
    pass


def rpc(url, method, params, headers=None):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=30) as answer:
        reply = json.load(answer)
    if "error" in reply:
        raise RpcError(f"{method}: {reply['error'].get('message', reply['error'])}")
    return reply["result"]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Driver:
    """What a consensus client does, as far as one chain without validators needs it."""

    def __init__(self, http, engine, jwt_file):
        self.http = http
        self.engine = engine
        with open(jwt_file, encoding="ascii") as f:
            self.secret = bytes.fromhex(f.read().strip().removeprefix("0x"))

    def eth(self, method, *params):
        return rpc(self.http, method, list(params))

    def call(self, method, *params):
        """An Engine API call, with a token of this second."""
        text = base64url(b'{"alg":"HS256","typ":"JWT"}') + b"." + base64url(json.dumps({"iat": int(time.time())}).encode())
        signature = base64url(hmac.new(self.secret, text, hashlib.sha256).digest())
        return rpc(self.engine, method, list(params), {"Authorization": f"Bearer {(text + b'.' + signature).decode()}"})

    def block(self, tag="latest"):
        found = self.eth("eth_getBlockByHash" if len(tag) == 66 else "eth_getBlockByNumber", tag, False)
        if found is None:
            raise RpcError(f"there is no block {tag}")
        return found

    def set_head(self, block_hash, attributes=None):
        """Makes the block the head; with attributes, geth also begins a block on it. Returns that one's id, or None."""
        state = {"headBlockHash": block_hash, "safeBlockHash": ZERO, "finalizedBlockHash": ZERO}
        answer = self.call("engine_forkchoiceUpdatedV3", state, attributes)
        if answer["payloadStatus"]["status"] != "VALID":
            raise RpcError(f"geth does not take {block_hash} as its head: {answer['payloadStatus']}")
        return answer.get("payloadId")

    def submit(self, envelope):
        payload = envelope["executionPayload"]
        status = self.call("engine_newPayloadV4", payload, [], ZERO, envelope.get("executionRequests") or [])
        if status["status"] != "VALID":
            raise RpcError(f"geth does not take its own block: {status}")
        return payload["blockHash"]

    def attributes(self, parent, salt):
        """salt makes siblings differ that are otherwise equal."""
        return {
            "timestamp": hex(max(int(time.time()), int(parent["timestamp"], 16) + 1)),
            "prevRandao": "0x" + salt.to_bytes(32, "big").hex(),
            "suggestedFeeRecipient": FEE_RECIPIENT,
            "withdrawals": [],
            "parentBeaconBlockRoot": ZERO,
        }

    def build(self, seconds=0.25):
        """A block on the head, with what the pool holds after it had the time to fill it. Returns the new head's hash."""
        parent = self.block()
        payload_id = self.set_head(parent["hash"], self.attributes(parent, time.time_ns()))
        if payload_id is None:
            raise RpcError("geth began no block")
        time.sleep(seconds)
        block_hash = self.submit(self.call("engine_getPayloadV5", payload_id))
        self.set_head(block_hash)
        return block_hash

    def fork(self, depth, length):
        """length empty blocks on the one depth below the head. They replace it, whichever chain is longer. Returns the head's
        hash. The geth must serve the testing namespace (start.sh --engine does)."""
        head = int(self.block()["number"], 16)
        if not 0 < depth <= head:
            raise RpcError(f"the head is block {head}: the depth must be 1 to {head}")
        parent = self.block(hex(head - depth))
        for _ in range(length):
            self.set_head(parent["hash"])  # geth builds on its head only: the old blocks are dropped first
            envelope = self.eth("testing_buildBlockV1", parent["hash"], self.attributes(parent, time.time_ns()), [], "0x")
            parent = self.block(self.submit(envelope))
        self.set_head(parent["hash"])
        return parent["hash"]


def show(driver, block_hash):
    print("head", int(driver.block(block_hash)["number"], 16), block_hash, flush=True)


def run(driver, seconds):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        begun = time.monotonic()
        show(driver, driver.build())
        time.sleep(max(0.0, seconds - (time.monotonic() - begun)))


def main():
    parser = argparse.ArgumentParser(description="Drives geth's Engine API, and makes re-orgs on purpose.")
    parser.add_argument("--http", required=True, metavar="URL")
    parser.add_argument("--engine", required=True, metavar="URL")
    parser.add_argument("--jwt", required=True, metavar="FILE")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build").add_argument("count", type=int)
    fork = commands.add_parser("fork")
    fork.add_argument("depth", type=int)
    fork.add_argument("count", type=int)
    commands.add_parser("head").add_argument("hash")
    commands.add_parser("run").add_argument("seconds", type=float, nargs="?", default=1.0)
    args = parser.parse_args()
    try:
        driver = Driver(args.http, args.engine, args.jwt)
        if args.command == "build":
            for _ in range(args.count):
                show(driver, driver.build())
        elif args.command == "fork":
            show(driver, driver.fork(args.depth, args.count))
        elif args.command == "head":
            driver.set_head(args.hash)
            show(driver, args.hash)
        else:
            run(driver, args.seconds)
    except (RpcError, OSError, ValueError) as error:
        sys.exit(f"reorg.py: {error}")


if __name__ == "__main__":
    main()
