// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Part of a model's commitment that requests and claims need, in one word: bits 0 to 31 the
/// vocabulary's size, 32 to 47 the positions, 48 to 55 the number of end-of-sequence ids, 64 + 24 i
/// the i-th of them. 0: unknown model.
type ModelLimits is uint256;

using {vocabSize, maxPositions, eosIds} for ModelLimits global;

uint256 constant EOS_SHIFT = 64;
uint256 constant EOS_BITS = 24;

/// @param ids at most 8, each below 2^24
function packLimits(uint32 vocab, uint32 positions, uint32[] calldata ids)
    pure
    returns (ModelLimits)
{
    uint256 w = uint256(vocab) | uint256(positions) << 32 | ids.length << 48;
    for (uint256 i; i < ids.length; ++i) {
        w |= uint256(ids[i]) << (EOS_SHIFT + EOS_BITS * i);
    }
    return ModelLimits.wrap(w);
}

function vocabSize(ModelLimits limits) pure returns (uint32) {
    return uint32(ModelLimits.unwrap(limits));
}

function maxPositions(ModelLimits limits) pure returns (uint32) {
    return uint16(ModelLimits.unwrap(limits) >> 32);
}

function eosIds(ModelLimits limits) pure returns (uint32[] memory ids) {
    uint256 w = ModelLimits.unwrap(limits);
    ids = new uint32[](uint8(w >> 48));
    for (uint256 i; i < ids.length; ++i) {
        ids[i] = uint32((w >> (EOS_SHIFT + EOS_BITS * i)) & 0xffffff);
    }
}
