// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Gas that an answer costs its sender.
/// @dev The gas that execution takes is measured; what a transaction pays besides, for itself and
/// for its bytes, depends on the chain's gas table. Two are known, told apart by the price of a
/// cold read: today's (2,100: 21,000 for a transaction, 4 or 16 for a byte, at least 10 or 40,
/// EIP-7623) and the next fork's (3,000: 15,000, EIP-2780; at least 64 for a byte, EIP-7976).
/// Unknown ones are paid as the dearer. A sender can make the read warm, with an access list or by
/// `questionGas`, and so hide the table: its questions are then priced by the dearer one, its
/// answers by today's.
abstract contract Repayment {
    /// Nothing is ever written there: its first read in a transaction is cold.
    uint256 private constant PROBE = uint256(keccak256("Lockstep.Repayment.probe"));
    /// A cold read costs less today, more in the next fork.
    uint256 private constant COLD_READ_DIVIDE = 2_600;
    /// No cold read costs less in any table, no warm one more.
    uint256 private constant WARM_READ_DIVIDE = 1_000;

    uint256 private constant TODAY = 1;
    uint256 private constant NEXT = 2;
    uint256 private constant HIDDEN = 3;

    uint256 private constant BASE_TODAY = 21_000;
    uint256 private constant BASE_NEXT = 15_000;
    uint256 private constant FLOOR_TOKEN_TODAY = 10;
    uint256 private constant FLOOR_BYTE_NEXT = 64;

    /// Gas around an answer that is not the first of its transaction: a call, its copy, two words
    /// of calldata.
    uint256 private constant BATCHED_GAS = 1_500;
    /// Calldata around such an answer: its two words, and padding.
    uint256 private constant BATCHED_BYTES = 112;
    /// Gas after the measurement, and before the function begins: two dirty words, an event of the
    /// money, the arithmetic; the answer's own event without its bytes, each of which is logged
    /// and copied.
    uint256 private constant TAIL_GAS = 6_600;
    uint256 private constant LOG_BYTE_GAS = 8;
    uint256 private constant COPIED_BYTES_PER_GAS = 4;

    /// The gas table, and whether the transaction itself was repaid, in this transaction.
    uint256 private transient _table;
    bool private transient _baseRepaid;

    /// Whether questions are priced by the dearer table.
    function _isDear() internal returns (bool) {
        return _tableNow() != TODAY;
    }

    /// The same for a view, which cannot keep what it finds.
    function _isDearNow() internal view returns (bool) {
        uint256 table = _table;
        return (table == 0 ? _probe() : table) != TODAY;
    }

    function _tableNow() private returns (uint256 table) {
        table = _table;
        if (table == 0) {
            table = _probe();
            _table = table;
        }
    }

    function _probe() private view returns (uint256) {
        uint256 slot = PROBE;
        uint256 used;
        assembly ("memory-safe") {
            used := gas()
            let zero := sload(slot)
            used := sub(used, gas())
            // A value that nothing uses the optimizer would not read.
            used := add(used, zero)
        }
        if (used < WARM_READ_DIVIDE) return HIDDEN;
        return used < COLD_READ_DIVIDE ? TODAY : NEXT;
    }

    /// Gas that the current call costs whoever sends it.
    /// @param gasAtStart of the call
    /// @param callBytes that the call needs; more of them are the sender's own affair
    /// @param eventBytes data of the event that is still to come
    function _gasOfCall(uint256 gasAtStart, uint256 callBytes, uint256 eventBytes)
        internal
        returns (uint256 spent)
    {
        bool next = _tableNow() == NEXT;
        uint256 base = BATCHED_GAS;
        if (!_baseRepaid) {
            _baseRepaid = true;
            base = next ? BASE_NEXT : BASE_TODAY;
        }
        if (callBytes > msg.data.length) callBytes = msg.data.length;
        uint256 tokens = 4 * callBytes - 3 * _zeroBytes(msg.data[:callBytes]);
        uint256 least = next ? FLOOR_BYTE_NEXT * callBytes : FLOOR_TOKEN_TODAY * tokens;
        spent = gasAtStart - gasleft() + TAIL_GAS + LOG_BYTE_GAS * eventBytes + eventBytes
            / COPIED_BYTES_PER_GAS + 4 * tokens;
        if (next && base == BATCHED_GAS) least += FLOOR_BYTE_NEXT * BATCHED_BYTES;
        if (spent < least) spent = least;
        spent += base;
    }

    /// Counts zero bytes, 32 at a time.
    function _zeroBytes(bytes calldata data) private pure returns (uint256 zeros) {
        assembly ("memory-safe") {
            let low := 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f
            let end := add(data.offset, data.length)
            for { let at := data.offset } lt(at, end) { at := add(at, 0x20) } {
                let w := calldataload(at)
                let left := sub(end, at)
                // Bytes behind the end do not count: they are taken as ones.
                if lt(left, 0x20) { w := or(w, shr(shl(3, left), not(0))) }
                // The top bit of each byte is set exactly where the byte is not zero.
                let marks := and(or(add(and(w, low), low), w), not(low))
                zeros := add(
                    zeros,
                    sub(
                        32,
                        shr(
                            248,
                            mul(
                                shr(7, marks),
                                0x0101010101010101010101010101010101010101010101010101010101010101
                            )
                        )
                    )
                )
            }
        }
    }
}
