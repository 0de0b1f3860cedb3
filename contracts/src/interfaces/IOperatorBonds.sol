// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// An operator's bond, without the part that other sources have locked (`lockedBy`). Each wei is in
/// exactly one of the first three fields.
struct BondAccount {
    /// can be locked for a claim or queued for withdrawal
    uint128 free;
    /// secures claims of `oracle`
    uint128 locked;
    /// on its way out; secures nothing and cannot be locked
    uint128 queued;
    /// timestamp from which `queued` can be withdrawn
    uint64 readyAt;
}

/// Roles in which an agent may act for an operator: a set of bits.
library AgentRoles {
    /// acceptances, commitments and claims
    uint8 internal constant CLAIMS = 1;
    /// moves in disputes; repaid what it spends on them
    uint8 internal constant DISPUTES = 2;
    /// receipts for answers off chain
    uint8 internal constant RECEIPTS = 4;
    uint8 internal constant ALL = 7;
}

/// @title Bonds of the operators, and their agents.
/// @dev Sources of claims lock an operator's bond and release exactly what they locked. `oracle` is
/// fixed for ever; an operator may allow others for its own bond. What one source locked no other
/// can move. The contract holds `balance == sum of free + locked + queued + lockedBy of the allowed
/// sources`, whatever sources do.
///
/// `claim` in events and calls is the source's name of what the bond secures.
interface IOperatorBonds {
    event Deposited(address indexed operator, address indexed from, uint256 amount);
    event WithdrawalQueued(address indexed operator, uint256 amount, uint64 readyAt);
    event Withdrawn(address indexed operator, address indexed to, uint256 amount);
    event Locked(
        address indexed operator, bytes32 indexed claim, address indexed source, uint256 amount
    );
    /// `amount` left the locked bond: `seized` of it went to the source, which credits it to those
    /// whom the operator owes, `burned` was destroyed, the rest is free again.
    event Released(
        address indexed operator,
        bytes32 indexed claim,
        address indexed source,
        uint256 amount,
        uint256 seized,
        uint256 burned
    );
    event AgentSet(address indexed operator, address indexed agent, uint8 roles);
    event SourceAllowed(address indexed operator, address indexed source, bool allowed);

    /// The caller is no source that may lock this operator's bond.
    error NotSource();
    /// The operator or agent is the zero address.
    error ZeroAddress();
    /// The amount is zero, does not fit 128 bits, or the parts are more than the whole.
    error BadAmount();
    /// The roles are not a set of the known ones.
    error BadRoles();
    /// The free bond is smaller than the amount.
    error InsufficientFreeBond(address operator, uint256 free, uint256 wanted);
    /// The source has locked less than it wants to release.
    error InsufficientLockedBond(address operator, uint256 locked, uint256 wanted);
    /// Nothing is queued for withdrawal.
    error NothingQueued();
    /// The queued amount is not ready before the given time.
    error WithdrawalNotReady(uint64 readyAt);
    /// The receiver refused the ether.
    error TransferFailed();
    /// A constructor argument is zero.
    error BadParameters();

    /* OPERATOR */

    /// Adds the ether sent to the free bond of an operator; anybody may.
    function deposit(address operator) external payable;

    /// Takes an amount out of the caller's free bond and starts the withdrawal delay.
    /// @dev WARNING: the delay starts anew for everything that is queued already.
    function queueWithdrawal(uint256 amount) external;

    /// Sends the caller's queued amount when its delay is over. No agent can.
    function withdraw(address payable to) external;

    /// Lets an agent act for the caller in the given roles (`AgentRoles`); 0 revokes.
    /// @dev WARNING: an agent for claims can lock the whole free bond behind wrong claims.
    function setAgent(address agent, uint8 roles) external;

    /// Lets a source other than `oracle` lock the caller's bond, or no longer. What it has locked
    /// stays locked until it releases it.
    function allowSource(address source, bool allowed) external;

    /* SOURCES */

    /// Moves an amount of an operator's bond from free to locked.
    function lock(address operator, uint256 amount, bytes32 claim) external;

    /// Moves an amount that the caller locked: `seized` to the caller, `burned` to the burn
    /// address, the rest to the operator's free bond.
    function release(
        address operator,
        uint256 amount,
        uint256 seized,
        uint256 burned,
        bytes32 claim
    ) external;

    /* VIEWS */

    function account(address operator) external view returns (BondAccount memory);

    /// The bond that a new claim can lock.
    function freeBond(address operator) external view returns (uint256);

    /// Wei of an operator's bond that a source has locked; for `oracle`, the account's `locked`.
    function lockedBy(address operator, address source) external view returns (uint256);

    /// Roles of an agent for an operator; 0: none. An operator is not its own agent.
    function agentRoles(address operator, address agent) external view returns (uint8);

    function isAllowedSource(address operator, address source) external view returns (bool);

    /// The source that may lock every operator's bond.
    function oracle() external view returns (address);

    /// Seconds between `queueWithdrawal` and `withdraw`; more than the longest window and the
    /// longest dispute together.
    function withdrawalDelay() external view returns (uint64);
}
