// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelRegistry, ModelCommitment} from "../src/interfaces/IModelRegistry.sol";
import {ModelLimits} from "../src/libraries/ModelLimits.sol";
import {BaseTest} from "./BaseTest.sol";

contract ModelRegistryTest is BaseTest {
    function test_register_idIsHashOfCommitment_succeeds() public view {
        assertEq(modelId, keccak256(abi.encode(commitment())));
        assertTrue(registry.isRegistered(modelId));
        assertFalse(registry.isRegistered(keccak256("other")));
    }

    function test_register_again_changesNothing() public {
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelRegistered(
            modelId, stranger, commitment(), bytes32(uint256(2)), "elsewhere"
        );
        vm.prank(stranger);
        assertEq(registry.register(commitment(), bytes32(uint256(2)), "elsewhere"), modelId);
        test_limits_ofRegisteredModel_succeeds();
    }

    function test_limits_ofRegisteredModel_succeeds() public view {
        (uint32 vocab, uint32 positions, uint32[] memory eos) = registry.limits(modelId);
        assertEq(vocab, VOCAB);
        assertEq(positions, 4096);
        assertEq(eos.length, 2);
        assertEq(eos[0], EOS);
        assertEq(eos[1], OTHER_EOS);
    }

    function test_limits_ofUnknownModel_areZero() public view {
        (uint32 vocab, uint32 positions, uint32[] memory eos) = registry.limits(keccak256("other"));
        assertEq(ModelLimits.unwrap(registry.packedLimits(keccak256("other"))), 0);
        assertEq(vocab, 0);
        assertEq(positions, 0);
        assertEq(eos.length, 0);
    }

    function test_register_arithmeticVersion_reverts() public {
        ModelCommitment memory c = commitment();
        c.arithmeticVersion = 2;
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownArithmeticVersion.selector, 2));
        registry.register(c, 0, "");
    }

    function test_register_noVocabulary_reverts() public {
        ModelCommitment memory c = commitment();
        c.vocabSize = 0;
        c.eosIds = new uint32[](0);
        expectMalformed(c);
    }

    /// Token ids have 24 bits.
    function test_register_vocabularyAboveLimit_reverts() public {
        ModelCommitment memory c = commitment();
        c.vocabSize = 2 ** 24 + 1;
        expectMalformed(c);
        c.vocabSize = 2 ** 24;
        c.eosIds[1] = 2 ** 24 - 1;
        (,, uint32[] memory eos) = registry.limits(registry.register(c, 0, ""));
        assertEq(eos[1], 2 ** 24 - 1);
    }

    function test_register_noPositions_reverts() public {
        ModelCommitment memory c = commitment();
        (c.contextLength, c.maxPositions) = (0, 0);
        expectMalformed(c);
    }

    function test_register_positionsNotContext_reverts() public {
        ModelCommitment memory c = commitment();
        c.maxPositions = 4095;
        expectMalformed(c);
    }

    function test_register_positionsAboveLimit_reverts() public {
        ModelCommitment memory c = commitment();
        (c.contextLength, c.maxPositions) = (131_072, 131_072);
        expectMalformed(c);
    }

    function test_register_longContext_succeeds() public {
        ModelCommitment memory c = commitment();
        (c.contextLength, c.maxPositions) = (131_072, 32_768);
        assertTrue(registry.isRegistered(registry.register(c, 0, "")));
    }

    function test_register_noOperations_reverts() public {
        ModelCommitment memory c = commitment();
        (c.opCount, c.samplerOp) = (0, 0);
        expectMalformed(c);
    }

    /// The dispute game names operations by 16 bits.
    function test_register_operationsAboveLimit_reverts() public {
        ModelCommitment memory c = commitment();
        (c.opCount, c.samplerOp) = (65_536, 65_535);
        expectMalformed(c);
        (c.opCount, c.samplerOp) = (65_535, 65_534);
        assertTrue(registry.isRegistered(registry.register(c, 0, "")));
    }

    function test_register_noTensors_reverts() public {
        ModelCommitment memory c = commitment();
        c.tensorCount = 0;
        expectMalformed(c);
    }

    function test_register_samplerOutsideProgram_reverts() public {
        ModelCommitment memory c = commitment();
        c.samplerOp = c.opCount;
        expectMalformed(c);
    }

    function test_register_nineEosIds_reverts() public {
        ModelCommitment memory c = commitment();
        c.eosIds = ascending(9);
        expectMalformed(c);
    }

    function test_register_eosIdsEqual_reverts() public {
        ModelCommitment memory c = commitment();
        c.eosIds[1] = c.eosIds[0];
        expectMalformed(c);
    }

    function test_register_eosIdsDescending_reverts() public {
        ModelCommitment memory c = commitment();
        (c.eosIds[0], c.eosIds[1]) = (5, 4);
        expectMalformed(c);
    }

    function test_register_eosIdOutsideVocabulary_reverts() public {
        ModelCommitment memory c = commitment();
        c.eosIds[1] = c.vocabSize;
        expectMalformed(c);
    }

    function testFuzz_register_eosIds_roundTrip(uint256 n, uint32 step) public {
        n = bound(n, 0, 8);
        step = uint32(bound(step, 1, 2 ** 21 - 1));
        ModelCommitment memory c = commitment();
        (c.vocabSize, c.contextLength, c.maxPositions) = (2 ** 24, 2 ** 15, 2 ** 15);
        c.eosIds = ascending(n);
        for (uint256 i; i < n; ++i) {
            c.eosIds[i] *= step;
        }
        bytes32 id = registry.register(c, 0, "");
        (uint32 vocab, uint32 positions, uint32[] memory eos) = registry.limits(id);
        assertEq(abi.encode(eos), abi.encode(c.eosIds));
        assertEq(vocab, 2 ** 24);
        assertEq(positions, 2 ** 15);
        assertEq(abi.encode(registry.packedLimits(id).eosIds()), abi.encode(eos));
    }

    function ascending(uint256 n) private pure returns (uint32[] memory ids) {
        ids = new uint32[](n);
        for (uint32 i; i < n; ++i) {
            ids[i] = i + 1;
        }
    }

    function expectMalformed(ModelCommitment memory c) private {
        expect(IModelRegistry.MalformedCommitment.selector);
        registry.register(c, 0, "");
    }
}
