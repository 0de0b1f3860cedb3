// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

/// Records transactions of a test in out/gas/NAME.jsonl, for tests/gas/meter to execute again in
/// other gas tables. A test calls `record` first and then creates and calls through `create_` and
/// `send`; what roll, warp and fee set is recorded with each transaction. What the test does beside
/// them (etch, store, calls of its own) is not recorded: where a transaction depends on it, use
/// `recordAccount` and `recordBlockhash`.
abstract contract Recorder is Test {
    /// Contract of EIP-2935: keeps the hashes of the last 8,191 blocks. The code is the EIP's.
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    uint256 internal constant HISTORY_WINDOW = 8191;
    bytes internal constant HISTORY_CODE = hex"3373fffffffffffffffffffffffffffffffffffffffe14604657"
        hex"602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff3"
        hex"5b5f5ffd5b5f35611fff60014303065500";

    string private file;

    error CreationFailed(string name);

    /// Begins a file. Every test needs a name of its own: tests run at the same time.
    function record(string memory name) internal {
        vm.createDir("out/gas", true);
        file = string.concat("out/gas/", name, ".jsonl");
        vm.writeFile(file, string.concat('{"chainId":', vm.toString(block.chainid), "}\n"));
        vm.etch(HISTORY, HISTORY_CODE);
    }

    /// A transaction that must succeed. One without a name is executed but not printed.
    function send(string memory name, address from, address to, uint256 value, bytes memory data)
        internal
        returns (bytes memory result)
    {
        bool ok;
        (ok, result) = transact(name, from, to, value, data, "");
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    function send(string memory name, address from, address to, bytes memory data)
        internal
        returns (bytes memory result)
    {
        result = send(name, from, to, 0, data);
    }

    /// A transaction that must be repaid: its cost, and at most a tenth more. Its limit is below
    /// the cap of a transaction: above it the next fork keeps a reservoir for new state, which no
    /// contract can measure.
    function sendRepaid(string memory name, address from, address to, bytes memory data) internal {
        (bool ok, bytes memory result) = transact(
            name,
            from,
            to,
            0,
            data,
            string.concat(text("repaid", vm.toString(from)), ',"gas":16000000')
        );
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    /// A transaction that may revert.
    function trySend(string memory name, address from, address to, uint256 value, bytes memory data)
        internal
        returns (bool ok, bytes memory result)
    {
        (ok, result) = transact(name, from, to, value, data, ',"mayRevert":true');
    }

    /// Creates a contract by artifact ("Name.sol:Name"). The sender's nonce is recorded, from which
    /// its address follows.
    function create_(string memory name, address from, string memory artifact, bytes memory args)
        internal
        returns (address created)
    {
        bytes memory code = bytes.concat(vm.getCode(artifact), args);
        uint256 nonce = vm.getNonce(from);
        address at = vm.computeCreateAddress(from, nonce);
        string memory line = string.concat(start(name, from), ',"nonce":', vm.toString(nonce));
        write(string.concat(line, text("at", vm.toString(at))), 0, code);
        vm.prank(from, from);
        assembly ("memory-safe") {
            created := create(0, add(code, 32), mload(code))
        }
        if (created != at) revert CreationFailed(name);
    }

    /// An account that the test made by itself, with the balance, nonce and code that it has now;
    /// its storage is lost. Senders do not need this: the meter gives them ether.
    function recordAccount(address account) internal {
        string memory fields = string.concat('{"balance":"', vm.toString(account.balance), '"');
        fields = string.concat(fields, text("nonce", vm.toString(vm.getNonce(account))));
        fields = string.concat(fields, text("code", vm.toString(account.code)));
        vm.writeLine(file, string.concat('{"alloc":{"', vm.toString(account), '":', fields, "}}}"));
    }

    /// Sets the hash of an earlier block, for BLOCKHASH and for EIP-2935's contract. For all others
    /// the meter has Foundry's hashes in both; in the test the contract has none of these.
    function recordBlockhash(uint256 number, bytes32 hash) internal {
        if (block.number - number <= 256) vm.setBlockhash(number, hash);
        vm.store(HISTORY, bytes32(number % HISTORY_WINDOW), hash);
        string memory line = string.concat('{"blockHashes":{"', vm.toString(number), '":"');
        vm.writeLine(file, string.concat(line, vm.toString(hash), '"}}'));
    }

    function transact(
        string memory name,
        address from,
        address to,
        uint256 value,
        bytes memory data,
        string memory more
    ) private returns (bool ok, bytes memory result) {
        write(string.concat(start(name, from), text("to", vm.toString(to)), more), value, data);
        vm.prank(from, from);
        (ok, result) = to.call{value: value}(data);
    }

    /// How the line of a transaction begins.
    function start(string memory name, address from) private pure returns (string memory) {
        return string.concat('{"name":"', name, '"', text("from", vm.toString(from)));
    }

    /// Writes the line of a transaction that begins so.
    function write(string memory line, uint256 value, bytes memory data) private {
        uint256 price = tx.gasprice < block.basefee ? block.basefee : tx.gasprice;
        line = string.concat(line, ',"number":', vm.toString(block.number));
        line = string.concat(line, ',"time":', vm.toString(block.timestamp));
        line = string.concat(line, text("basefee", vm.toString(block.basefee)));
        line = string.concat(line, text("gasPrice", vm.toString(price)));
        line = string.concat(line, text("value", vm.toString(value)));
        vm.writeLine(file, string.concat(line, text("data", vm.toString(data)), "}"));
    }

    /// A field of a JSON object that is not its first.
    function text(string memory key, string memory value) private pure returns (string memory) {
        return string.concat(',"', key, '":"', value, '"');
    }
}
