// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BondAccount, IOperatorBonds} from "./interfaces/IOperatorBonds.sol";

// slither-disable-start timestamp: deadlines are seconds; what a proposer can shift is no part of any of them

/// @title Bonds of the operators.
contract OperatorBonds is IOperatorBonds {
    /// Nobody has the key: ether sent there is gone.
    address internal constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    /// @inheritdoc IOperatorBonds
    address public immutable oracle;
    /// @inheritdoc IOperatorBonds
    uint64 public immutable withdrawalDelay;

    mapping(address operator => BondAccount) internal _accounts;

    constructor(address oracle_, uint64 withdrawalDelay_) {
        if (oracle_ == address(0) || withdrawalDelay_ == 0) revert BadParameters();
        (oracle, withdrawalDelay) = (oracle_, withdrawalDelay_);
    }

    modifier onlyOracle() {
        if (msg.sender != oracle) revert NotOracle();
        _;
    }

    /* OPERATOR */

    /// @inheritdoc IOperatorBonds
    function deposit(address operator) external payable {
        if (operator == address(0)) revert ZeroOperator();
        if (msg.value == 0) revert BadAmount();
        _accounts[operator].free += _amount(msg.value);
        emit Deposited(operator, msg.sender, msg.value);
    }

    /// @inheritdoc IOperatorBonds
    function queueWithdrawal(uint256 amount) external {
        if (amount == 0) revert BadAmount();
        BondAccount storage a = _accounts[msg.sender];
        uint128 value = _takeFree(a, msg.sender, amount);
        a.queued += value;
        a.readyAt = uint64(block.timestamp) + withdrawalDelay;
        emit WithdrawalQueued(msg.sender, amount, a.readyAt);
    }

    /// @inheritdoc IOperatorBonds
    function withdraw(address payable to) external {
        BondAccount storage a = _accounts[msg.sender];
        uint256 amount = a.queued;
        if (amount == 0) revert NothingQueued();
        if (block.timestamp < a.readyAt) revert WithdrawalNotReady(a.readyAt);
        (a.queued, a.readyAt) = (0, 0);
        emit Withdrawn(msg.sender, to, amount);
        _send(to, amount);
    }

    /* ORACLE */

    /// @inheritdoc IOperatorBonds
    function lock(address operator, uint256 amount) external onlyOracle {
        BondAccount storage a = _accounts[operator];
        a.locked += _takeFree(a, operator, amount);
        emit Locked(operator, amount);
    }

    /// @inheritdoc IOperatorBonds
    function unlock(address operator, uint256 amount) external onlyOracle {
        BondAccount storage a = _accounts[operator];
        a.free += _takeLocked(a, operator, amount);
        emit Unlocked(operator, amount);
    }

    /// @inheritdoc IOperatorBonds
    function seize(address operator, uint256 amount) external onlyOracle {
        _takeLocked(_accounts[operator], operator, amount);
        emit Seized(operator, amount);
        _send(msg.sender, amount);
    }

    /// @inheritdoc IOperatorBonds
    function burn(address operator, uint256 amount) external onlyOracle {
        _takeLocked(_accounts[operator], operator, amount);
        emit Burned(operator, amount);
        _send(BURN_ADDRESS, amount);
    }

    /* VIEWS */

    /// @inheritdoc IOperatorBonds
    function account(address operator) external view returns (BondAccount memory) {
        return _accounts[operator];
    }

    /// @inheritdoc IOperatorBonds
    function freeBond(address operator) external view returns (uint256) {
        return _accounts[operator].free;
    }

    /* INTERNAL */

    function _takeFree(BondAccount storage a, address operator, uint256 amount)
        private
        returns (uint128 value)
    {
        value = _amount(amount);
        uint128 free = a.free;
        if (free < value) revert InsufficientFreeBond(operator, free, amount);
        a.free = free - value;
    }

    function _takeLocked(BondAccount storage a, address operator, uint256 amount)
        private
        returns (uint128 value)
    {
        value = _amount(amount);
        uint128 locked = a.locked;
        if (locked < value) revert InsufficientLockedBond(operator, locked, amount);
        a.locked = locked - value;
    }

    function _amount(uint256 amount) private pure returns (uint128) {
        if (amount > type(uint128).max) revert BadAmount();
        // Safe cast: bounded in the line above.
        return uint128(amount);
    }

    // slither-disable-next-line arbitrary-send-eth: an operator's own withdrawal, or the oracle's order
    function _send(address to, uint256 amount) private {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert TransferFailed();
    }
}
// slither-disable-end timestamp
