// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Block headers and their RLP, written plainly: as the fork of 2026 has them, and longer.
library Headers {
    /// Place of prevRandao among the fields, counted from 0.
    uint256 internal constant RANDAO = 13;
    /// Fields of a header today, requestsHash last.
    uint256 internal constant FIELDS = 21;

    /// Payloads of the fields of a plausible header of the block with that number.
    function fieldsOf(uint256 number) internal pure returns (bytes[] memory f) {
        f = new bytes[](FIELDS);
        f[0] = word("parent", number);
        f[1] = word("uncles", number);
        f[2] = abi.encodePacked(bytes20(bytes32(word("coinbase", number))));
        f[3] = word("state", number);
        f[4] = word("transactions", number);
        f[5] = word("receipts", number);
        f[6] = new bytes(256);
        // f[7], difficulty, is 0: empty.
        f[8] = scalar(number);
        f[9] = scalar(60_000_000);
        f[10] = scalar(21_000);
        f[11] = scalar(1_700_000_000 + 12 * number);
        f[12] = "builder";
        f[13] = abi.encodePacked(randaoOf(number));
        f[14] = new bytes(8);
        f[15] = scalar(7);
        f[16] = word("withdrawals", number);
        f[17] = scalar(131_072);
        // f[18], excess blob gas, is 0: empty.
        f[19] = word("beacon root", number);
        f[20] = word("requests", number);
    }

    /// The same with fields appended, as a fork does.
    function extended(bytes[] memory f, bytes memory a, bytes memory b)
        internal
        pure
        returns (bytes[] memory g)
    {
        g = new bytes[](f.length + 2);
        for (uint256 i; i < f.length; ++i) {
            g[i] = f[i];
        }
        (g[f.length], g[f.length + 1]) = (a, b);
    }

    function randaoOf(uint256 number) internal pure returns (bytes32) {
        return bytes32(word("randao", number));
    }

    /// RLP of a list of byte strings.
    function encode(bytes[] memory fields) internal pure returns (bytes memory) {
        bytes memory payload;
        for (uint256 i; i < fields.length; ++i) {
            payload = bytes.concat(payload, item(fields[i]));
        }
        return bytes.concat(prefix(payload.length, 0xc0), payload);
    }

    /// RLP of a byte string.
    function item(bytes memory data) internal pure returns (bytes memory) {
        if (data.length == 1 && uint8(data[0]) < 0x80) return data;
        return bytes.concat(prefix(data.length, 0x80), data);
    }

    function prefix(uint256 length, uint256 base) internal pure returns (bytes memory) {
        if (length < 56) return abi.encodePacked(uint8(base + length));
        bytes memory size = scalar(length);
        return bytes.concat(bytes1(uint8(base + 55 + size.length)), size);
    }

    /// Big-endian without leading zeros; 0 is empty.
    function scalar(uint256 x) internal pure returns (bytes memory data) {
        for (; x != 0; x >>= 8) {
            data = bytes.concat(bytes1(uint8(x)), data);
        }
    }

    function word(string memory what, uint256 number) private pure returns (bytes memory) {
        return abi.encodePacked(keccak256(abi.encode(what, number)));
    }
}
