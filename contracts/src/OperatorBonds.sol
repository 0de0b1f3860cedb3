// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgentRoles, BondAccount, IOperatorBonds} from "./interfaces/IOperatorBonds.sol";

// slither-disable-start timestamp: deadlines are seconds; what a proposer can shift is no part of any of them

/// @title Bonds of the operators, and their agents.
contract OperatorBonds is IOperatorBonds {
    /// Nobody has the key: ether sent there is gone.
    address internal constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    /// @inheritdoc IOperatorBonds
    address public immutable oracle;
    /// @inheritdoc IOperatorBonds
    uint64 public immutable withdrawalDelay;

    mapping(address operator => BondAccount) internal _accounts;
    mapping(address operator => mapping(address source => uint256)) internal _lockedByOthers;
    /// @inheritdoc IOperatorBonds
    mapping(address operator => mapping(address agent => uint8)) public agentRoles;
    /// @inheritdoc IOperatorBonds
    mapping(address operator => mapping(address source => bool)) public isAllowedSource;

    constructor(address oracle_, uint64 withdrawalDelay_) {
        if (oracle_ == address(0) || withdrawalDelay_ == 0) revert BadParameters();
        (oracle, withdrawalDelay) = (oracle_, withdrawalDelay_);
    }

    /* OPERATOR */

    /// @inheritdoc IOperatorBonds
    function deposit(address operator) external payable {
        if (operator == address(0)) revert ZeroAddress();
        if (msg.value == 0) revert BadAmount();
        _accounts[operator].free += _amount(msg.value);
        emit Deposited(operator, msg.sender, msg.value);
    }

    /// @inheritdoc IOperatorBonds
    function queueWithdrawal(uint256 amount) external {
        if (amount == 0) revert BadAmount();
        BondAccount storage a = _accounts[msg.sender];
        uint128 value = _amount(amount);
        a.free = _freeLess(a.free, msg.sender, value);
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

    /// @inheritdoc IOperatorBonds
    function setAgent(address agent, uint8 roles) external {
        if (agent == address(0)) revert ZeroAddress();
        if (roles > AgentRoles.ALL) revert BadRoles();
        agentRoles[msg.sender][agent] = roles;
        emit AgentSet(msg.sender, agent, roles);
    }

    /// @inheritdoc IOperatorBonds
    function allowSource(address source, bool allowed) external {
        isAllowedSource[msg.sender][source] = allowed;
        emit SourceAllowed(msg.sender, source, allowed);
    }

    /* SOURCES */

    /// @inheritdoc IOperatorBonds
    function lock(address operator, uint256 amount, bytes32 claim) external {
        uint128 value = _amount(amount);
        BondAccount storage a = _accounts[operator];
        uint128 free = _freeLess(a.free, operator, value);
        if (msg.sender == oracle) {
            (a.free, a.locked) = (free, a.locked + value);
        } else {
            if (!isAllowedSource[operator][msg.sender]) revert NotSource();
            a.free = free;
            _lockedByOthers[operator][msg.sender] += value;
        }
        emit Locked(operator, claim, msg.sender, amount);
    }

    /// @inheritdoc IOperatorBonds
    /// @dev SAFETY: a source gets ether only out of what it locked; the books are right before it
    /// is called.
    function release(
        address operator,
        uint256 amount,
        uint256 seized,
        uint256 burned,
        bytes32 claim
    ) external {
        uint128 value = _amount(amount);
        if (seized > amount || burned > amount - seized) revert BadAmount();
        BondAccount storage a = _accounts[operator];
        // Safe cast: a part of `amount`.
        uint128 free = a.free + uint128(amount - seized - burned);
        if (msg.sender == oracle) {
            uint128 locked = a.locked;
            if (locked < value) revert InsufficientLockedBond(operator, locked, amount);
            (a.free, a.locked) = (free, locked - value);
        } else {
            uint256 locked = _lockedByOthers[operator][msg.sender];
            if (locked < value) revert InsufficientLockedBond(operator, locked, amount);
            _lockedByOthers[operator][msg.sender] = locked - value;
            a.free = free;
        }
        emit Released(operator, claim, msg.sender, amount, seized, burned);
        if (burned != 0) _send(BURN_ADDRESS, burned);
        if (seized != 0) _send(msg.sender, seized);
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

    /// @inheritdoc IOperatorBonds
    function lockedBy(address operator, address source) external view returns (uint256) {
        return source == oracle ? _accounts[operator].locked : _lockedByOthers[operator][source];
    }

    /* INTERNAL */

    function _freeLess(uint128 free, address operator, uint128 value)
        private
        pure
        returns (uint128)
    {
        if (free < value) revert InsufficientFreeBond(operator, free, value);
        return free - value;
    }

    function _amount(uint256 amount) private pure returns (uint128) {
        if (amount > type(uint128).max) revert BadAmount();
        // Safe cast: bounded in the line above.
        return uint128(amount);
    }

    // slither-disable-next-line arbitrary-send-eth: an operator's own withdrawal, or a source's order
    function _send(address to, uint256 amount) private {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert TransferFailed();
    }
}
// slither-disable-end timestamp
