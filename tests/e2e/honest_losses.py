"""Counts the honest accounts of a devnet that have less than before, gas apart.  honest_losses.py URL FOLDER

FOLDER has NAME.address and NAME.before, the balance in wei, of each honest account. A line on standard
error for each loss; the number of losses on standard output.
"""
import json
import pathlib
import sys

from reorg import rpc

CREDIT = "0xd5d44d80"  # credit(address), of the oracle and of the game


def gas_paid(url, addresses):
    """Wei that each address has paid for gas, from the first block to the newest."""
    paid = dict.fromkeys(addresses, 0)
    for number in range(1, int(rpc(url, "eth_blockNumber", []), 16) + 1):
        for tx in rpc(url, "eth_getBlockByNumber", [hex(number), True])["transactions"]:
            if tx["from"].lower() in paid:
                receipt = rpc(url, "eth_getTransactionReceipt", [tx["hash"]])
                paid[tx["from"].lower()] += int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    return paid


def main():
    url, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    contracts = json.loads((folder / "contracts.json").read_text())
    names = [path.stem for path in folder.glob("*.before")]
    address = {name: (folder / f"{name}.address").read_text().strip().lower() for name in names}
    paid = gas_paid(url, address.values())
    losses = 0
    for name in names:
        now = int(rpc(url, "eth_getBalance", [address[name], "latest"]), 16)
        for contract in ("oracle", "game"):
            data = CREDIT + address[name][2:].rjust(64, "0")
            now += int(rpc(url, "eth_call", [{"to": contracts[contract], "data": data}, "latest"]), 16)
        gained = now + paid[address[name]] - int((folder / f"{name}.before").read_text())
        print(f"{name}: {gained / 1e18:+.6f} ether, and {paid[address[name]] / 1e18:.6f} for gas", file=sys.stderr)
        losses += gained < 0
    print(losses)


main()
