// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InferenceOracle} from "../src/InferenceOracle.sol";
import {IInferenceOracle, Request, RequestStatus} from "../src/interfaces/IInferenceOracle.sol";
import {BaseTest} from "./BaseTest.sol";

/// Two contracts, one address: the oracle answers every function of its interface, and its other
/// half has no life of its own.
contract SurfaceTest is BaseTest {
    function test_oracle_answersWholeInterface() public {
        assertEq(checkInterface("IInferenceOracle"), 31);
        assertEq(checkInterface("IClaims"), 9);
    }

    /// Selectors that neither half has revert with empty data.
    function test_oracle_unknownSelector_reverts() public {
        (bool ok, bytes memory out) = address(oracle).call(hex"12345678");
        assertFalse(ok);
        assertEq(out.length, 0);
        (ok, out) = address(oracle).call("");
        assertFalse(ok);
        vm.deal(address(this), 1 ether);
        (ok,) = address(oracle).call{value: 1}(hex"12345678");
        assertFalse(ok);
        // Ether with a call of the other half is refused too.
        (Request memory r,) = ask(params());
        (ok,) = address(oracle).call{value: 1}(abi.encodeCall(oracle.expire, (r)));
        assertFalse(ok);
    }

    /// The other half on its own knows no request, holds nothing and takes nothing.
    function test_extension_alone_isInert() public {
        IInferenceOracle half =
            IInferenceOracle(InferenceOracle(payable(address(oracle))).extension());
        (Request memory r, bytes32 id) = ask(params());
        assertTrue(half.stateOf(id).status == RequestStatus.None);
        vm.startPrank(requester);
        expectStatus(RequestStatus.None);
        half.cancel(r);
        expect(IInferenceOracle.NothingToWithdraw.selector);
        half.withdrawOf(r, payable(requester));
        vm.stopPrank();
        vm.deal(address(this), 1 ether);
        (bool ok,) = address(half).call{value: 1}("");
        assertFalse(ok);
        assertTrue(statusOf(id) == RequestStatus.Open);
    }

    /// Calls each function with words of zero: an unknown one reverts without data.
    function checkInterface(string memory name) private returns (uint256 count) {
        string memory path = string.concat("out/", name, ".sol/", name, ".json");
        string memory json = vm.readFile(path);
        string[] memory names = vm.parseJsonKeys(json, ".methodIdentifiers");
        for (uint256 i; i < names.length; ++i) {
            string memory key = string.concat(".methodIdentifiers['", names[i], "']");
            string memory selector = vm.parseJsonString(json, key);
            bytes memory call = bytes.concat(vm.parseBytes(selector), new bytes(1024));
            (bool ok, bytes memory out) = address(oracle).call(call);
            assertTrue(ok ? out.length >= 32 : out.length >= 4, names[i]);
        }
        return names.length;
    }
}
