#!/usr/bin/env python3
"""Asks a devnet chain what its rules are: mainnet's of Osaka, neither an earlier fork's nor a later one's.

usage: chain_rules.py HTTP_URL CAST       CAST: Foundry's cast, to sign a transaction

A line per rule; exit status 1 when one is not kept.
"""

import subprocess
import sys

from reorg import RpcError, rpc

DEPLOYER = "0xFF432475bA2452B00bb7BB0a31d3084a6588a756"
HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935"
TX_GAS_CAP = 16_777_216


class Rules:
    def __init__(self, url, cast):
        self.url = url
        self.cast = cast

    def run_code(self, code):
        """What init code returns that is run as a call."""
        return rpc(self.url, "eth_call", [{"from": DEPLOYER, "data": code}, "latest"])

    def fails(self, code):
        try:
            return f"it returned {self.run_code(code)}"
        except RpcError:
            return None

    def check_clz(self):
        """CLZ (EIP-7939) counts 255 zeros before 1"""
        got = self.run_code("0x60011e5f5260205ff3")
        return None if int(got, 16) == 255 else f"CLZ gave {got}"

    def check_slotnum(self):
        """SLOTNUM, of the fork after Osaka, is no opcode"""
        return self.fails("0x4b5f5260205ff3")

    def check_create(self):
        """a contract with one new slot costs 75,180 gas"""
        # 53,000, and 72 for the data, 2 for the init code's word, 22,106 to run; an estimate may be 1.5 % higher.
        got = int(rpc(self.url, "eth_estimateGas", [{"from": DEPLOYER, "data": "0x600160005500"}]), 16)
        return None if 75_180 <= got <= 76_400 else f"it costs {got}"

    def check_calldata_floor(self):
        """1,000 bytes of calldata cost at least 40 gas each (EIP-7623)"""
        got = int(rpc(self.url, "eth_estimateGas", [{"from": DEPLOYER, "to": DEPLOYER, "data": "0x" + "ff" * 1000}]), 16)
        return None if 61_000 <= got <= 62_000 else f"it costs {got}"

    def check_tx_gas_cap(self):
        """a transaction may have 16,777,216 gas and no more (EIP-7825)"""
        key = subprocess.run([self.cast, "keccak", "lockstep devnet challenger"], capture_output=True, text=True, check=True).stdout.strip()
        for gas, accepted in ((TX_GAS_CAP + 1, False), (TX_GAS_CAP, True)):
            command = [self.cast, "mktx", "--rpc-url", self.url, "--private-key", key, "--gas-limit", str(gas), DEPLOYER]
            raw = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
            try:
                rpc(self.url, "eth_sendRawTransaction", [raw])
                if not accepted:
                    return f"{gas} gas was accepted"
            except RpcError as error:
                if accepted:
                    return f"{gas} gas was refused: {error}"
        return None

    def check_gas_limit(self):
        """a block has 60,000,000 gas"""
        got = int(rpc(self.url, "eth_getBlockByNumber", ["latest", False])["gasLimit"], 16)
        return None if got == 60_000_000 else f"it has {got}"

    def check_history(self):
        """the history contract (EIP-2935) knows the last block's parent"""
        block = rpc(self.url, "eth_getBlockByNumber", ["latest", False])
        number = int(block["number"], 16) - 1
        got = rpc(self.url, "eth_call", [{"to": HISTORY, "data": "0x" + number.to_bytes(32, "big").hex()}, block["number"]])
        return None if got == block["parentHash"] else f"of block {number} it says {got}"


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: chain_rules.py HTTP_URL CAST")
    rules = Rules(*sys.argv[1:])
    failed = 0
    for name in [n for n in dir(rules) if n.startswith("check_")]:
        check = getattr(rules, name)
        try:
            fault = check()
        except (RpcError, OSError, subprocess.CalledProcessError) as error:
            fault = str(error)
        print(f"not ok {check.__doc__}: {fault}" if fault else f"ok {check.__doc__}")
        failed += fault is not None
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
