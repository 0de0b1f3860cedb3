// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Recorder} from "./Recorder.sol";

/// Reverts unless the hash of a block is the expected one, by opcode and by EIP-2935's contract.
contract HashReader {
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    error WrongHash(bytes32 opcode, bytes32 kept);

    function check(uint256 number, bytes32 opcode, bytes32 kept) external {
        (, bytes memory data) = HISTORY.call(abi.encode(number));
        (bytes32 a, bytes32 b) = (blockhash(number), bytes32(data));
        if (a != opcode || b != kept) revert WrongHash(a, b);
    }
}

/// Promises of the recorder, in the test; `tools/gas-tables` then sees that the meter agrees.
contract RecorderTest is Recorder {
    address private sender = makeAddr("sender");
    HashReader private reader;

    function setUp() public {
        vm.roll(1_000_000);
        record("recorder");
        reader = HashReader(create_("create", sender, "Recorder.t.sol:HashReader", ""));
    }

    function test_blockHashes() public {
        bytes32 hash = keccak256("a block");
        recordBlockhash(999_999, hash);
        checkHash("hash", 999_999, hash, hash);
        vm.roll(1_000_300);
        checkHash("hash_old", 999_999, 0, hash);
        recordBlockhash(995_000, hash);
        checkHash("hash_older", 995_000, 0, hash);
    }

    /// The meter makes up the same hashes as Foundry.
    function test_madeUpHash() public view {
        assertEq(blockhash(999_999), keccak256("999999"));
    }

    function test_transactions() public {
        record("transactions");
        reader = new HashReader();
        recordAccount(address(reader));
        bytes memory data = abi.encodeCall(reader.check, (1, 0, "x"));
        (bool ok, bytes memory result) = trySend("reverts", sender, address(reader), 0, data);
        assertFalse(ok);
        assertEq(bytes4(result), HashReader.WrongHash.selector);
        address payee = makeAddr("payee");
        vm.deal(sender, 2);
        send("pay_new_account", sender, payee, 1, "");
        send("pay", sender, payee, 1, "");
        assertEq(payee.balance, 2);
    }

    function checkHash(string memory name, uint256 number, bytes32 opcode, bytes32 kept) private {
        send(name, sender, address(reader), abi.encodeCall(reader.check, (number, opcode, kept)));
    }
}
