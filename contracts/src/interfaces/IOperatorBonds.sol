// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What an operator has in the contract; each wei is in exactly one of the first three.
struct BondAccount {
    /// can be locked for a request or queued for withdrawal
    uint128 free;
    /// secures requests that the operator accepted
    uint128 locked;
    /// on its way out; secures nothing and cannot be locked
    uint128 queued;
    /// timestamp from which `queued` can be withdrawn
    uint64 readyAt;
}

/// @title Bonds of the operators.
/// @dev Assumptions about `oracle`, which is the only caller that may move locked bond: it locks a
/// request's stake once for each seat and releases, seizes or burns exactly that much. The contract
/// itself holds `balance == sum of free + locked + queued` whatever the oracle does.
interface IOperatorBonds {
    event Deposited(address indexed operator, address indexed from, uint256 amount);
    event WithdrawalQueued(address indexed operator, uint256 amount, uint64 readyAt);
    event Withdrawn(address indexed operator, address indexed to, uint256 amount);
    event Locked(address indexed operator, uint256 amount);
    event Unlocked(address indexed operator, uint256 amount);
    /// The amount went to the oracle, which credits it to those whom the operator owes.
    event Seized(address indexed operator, uint256 amount);
    event Burned(address indexed operator, uint256 amount);

    /// Only the oracle may move locked bond.
    error NotOracle();
    /// The operator is the zero address.
    error ZeroOperator();
    /// The amount is zero or does not fit 128 bits.
    error BadAmount();
    /// The free bond is smaller than the amount.
    error InsufficientFreeBond(address operator, uint256 free, uint256 wanted);
    /// Less is locked than the oracle wants to move.
    error InsufficientLockedBond(address operator, uint256 locked, uint256 wanted);
    /// Nothing is queued for withdrawal.
    error NothingQueued();
    /// The queued amount is not ready before the given time.
    error WithdrawalNotReady(uint64 readyAt);
    /// The receiver refused the ether.
    error TransferFailed();
    /// A constructor argument is zero.
    error BadParameters();

    /// Adds the ether sent to the free bond of an operator; anybody may.
    function deposit(address operator) external payable;

    /// Takes an amount out of the caller's free bond and starts the withdrawal delay.
    /// @dev WARNING: the delay starts anew for everything that is queued already.
    function queueWithdrawal(uint256 amount) external;

    /// Sends the caller's queued amount when its delay is over.
    function withdraw(address payable to) external;

    /// Moves an amount from free to locked. Only the oracle.
    function lock(address operator, uint256 amount) external;

    /// Moves an amount from locked to free. Only the oracle.
    function unlock(address operator, uint256 amount) external;

    /// Sends a locked amount to the oracle. Only the oracle.
    function seize(address operator, uint256 amount) external;

    /// Destroys a locked amount by sending it to the burn address. Only the oracle.
    function burn(address operator, uint256 amount) external;

    function account(address operator) external view returns (BondAccount memory);

    /// The bond that a new request can lock.
    function freeBond(address operator) external view returns (uint256);

    function oracle() external view returns (address);

    /// Seconds between `queueWithdrawal` and `withdraw`; more than the longest window and the
    /// longest dispute together.
    function withdrawalDelay() external view returns (uint64);
}
