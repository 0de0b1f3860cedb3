// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeGame} from "../../src/DisputeGame.sol";
import {GameTest} from "./GameTest.sol";

/// The game is two contracts; its users know one address.
contract InterfaceTest is GameTest {
    /// Every function of the interface is answered by the game's address, by one of the two halves
    /// and not by both, and by nothing that the interface does not have.
    function test_everyFunction_isAnswered() public view {
        string[] memory wanted = methodsOf("IDisputeGame");
        assertGe(wanted.length, 30);
        bytes memory front = address(arena).code;
        bytes memory back = DisputeGame(address(arena)).extension().code;
        for (uint256 i; i < wanted.length; ++i) {
            bytes4 selector = bytes4(keccak256(bytes(wanted[i])));
            assertTrue(dispatches(front, selector) || dispatches(back, selector), wanted[i]);
        }
    }

    /// Views answer at one address, whichever half has them.
    function test_views_areAnsweredAtOneAddress() public view {
        assertEq(arena.oracle(), address(oracle));
        assertEq(arena.bonds(), address(bonds));
        assertEq(arena.verifier(), address(toy));
        assertEq(abi.encode(arena.parameters()), abi.encode(gameParameters()));
        assertEq(arena.credit(challenger), 0);
    }

    function test_unknownFunction_reverts() public {
        (bool ok,) = address(arena).call(abi.encodeWithSignature("nothing()"));
        assertFalse(ok);
        (ok,) = address(arena).call("");
        assertFalse(ok);
        (ok,) = address(arena).call(hex"010203");
        assertFalse(ok);
    }

    /// The other half's own storage is nobody's: it holds no money and knows no dispute.
    function test_extension_byItself_isEmpty() public {
        claimIt();
        bytes32 id = open();
        openTrace(id);
        DisputeGame half = DisputeGame(DisputeGame(address(arena)).extension());
        assertEq(address(half).balance, 0);
        (bool ok,) = address(half).call(abi.encodeCall(arena.reclaim, (disputes[id])));
        assertFalse(ok);
        (ok,) = address(half).call{value: 1}("");
        assertFalse(ok);
    }

    function methodsOf(string memory name) private view returns (string[] memory) {
        string memory path = string.concat("out/", name, ".sol/", name, ".json");
        return vm.parseJsonKeys(vm.readFile(path), ".methodIdentifiers");
    }

    /// Whether code compares with a selector: PUSH4 of it, or PUSH3 where it begins with a zero.
    function dispatches(bytes memory code, bytes4 selector) private pure returns (bool) {
        for (uint256 i; i + 5 <= code.length; ++i) {
            if (code[i] == 0x63 && at(code, i + 1) == selector) return true;
        }
        return false;
    }

    function at(bytes memory code, uint256 i) private pure returns (bytes4 word) {
        assembly {
            word := mload(add(add(code, 32), i))
        }
    }
}
