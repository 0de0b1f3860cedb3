// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IClaims} from "../../src/interfaces/IClaims.sol";
import {IOperatorBonds} from "../../src/interfaces/IOperatorBonds.sol";
import {ClaimFacts} from "../../src/interfaces/IStepVerifier.sol";

/// A source whose claims are whatever a test makes them, and which does and says whatever a test
/// wants. Anybody may call everything.
contract ToySource is IClaims {
    address public immutable bonds;
    address public disputeGame;

    mapping(bytes32 name => Claim) public claims;
    mapping(bytes32 name => ClaimFacts) public factsOf;
    mapping(bytes32 name => bool) public standing;
    mapping(bytes32 name => uint256) public timesDisputed;
    mapping(bytes32 name => uint256) public timesSettled;
    mapping(bytes32 name => uint256) public timesConvicted;
    mapping(bytes32 name => address) public convictedFor;

    /// makes `convict` and `settled` revert
    bool public refuses;
    /// lets claims stand after their conviction
    bool public keepsStanding;
    /// called in every call of the game that changes something; how each went
    address public calledBack;
    bytes[] public backCalls;
    bool[] public results;
    bool private inside;

    constructor(address bonds_, address game) {
        (bonds, disputeGame) = (bonds_, game);
    }

    receive() external payable {}

    /* WHAT A TEST SETS */

    /// @return claim with `source` this contract and the facts' hash, standing
    function put(
        bytes32 name,
        address operator,
        uint128 stake,
        bytes32 modelId,
        ClaimFacts memory facts
    ) external returns (Claim memory claim) {
        claim = Claim(address(this), name, operator, stake, modelId, keccak256(abi.encode(facts)));
        (claims[name], factsOf[name], standing[name]) = (claim, facts, true);
    }

    /// Sets the answers about a name from now on, true or not.
    function say(bytes32 name, Claim memory claim, ClaimFacts memory facts) external {
        (claims[name], factsOf[name]) = (claim, facts);
    }

    function setStanding(bytes32 name, bool stands) external {
        standing[name] = stands;
    }

    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    function setKeepsStanding() external {
        keepsStanding = true;
    }

    function setCalls(address to, bytes[] calldata calls) external {
        calledBack = to;
        delete backCalls;
        for (uint256 i; i < calls.length; ++i) {
            backCalls.push(calls[i]);
        }
    }

    function successes() external view returns (uint256 count) {
        for (uint256 i; i < results.length; ++i) {
            if (results[i]) ++count;
        }
    }

    function tries() external view returns (uint256) {
        return results.length;
    }

    /// Any call in this contract's name.
    function act(address to, uint256 value, bytes calldata data) external returns (bytes memory) {
        (bool ok, bytes memory out) = to.call{value: value}(data);
        if (!ok) {
            assembly {
                revert(add(out, 32), mload(out))
            }
        }
        return out;
    }

    function lock(address operator, uint256 amount, bytes32 name) external {
        IOperatorBonds(bonds).lock(operator, amount, name);
    }

    /* IClaims */

    function claimOf(bytes32 name, bytes calldata)
        public
        view
        returns (Claim memory claim, ClaimFacts memory facts)
    {
        return (claims[name], factsOf[name]);
    }

    function disputed(bytes32 name, bytes calldata opening)
        external
        returns (Claim memory claim, ClaimFacts memory facts)
    {
        ++timesDisputed[name];
        _callBack();
        return claimOf(name, opening);
    }

    function settled(bytes32 name) external {
        if (refuses) revert("no");
        ++timesSettled[name];
        _callBack();
    }

    function convict(bytes32 name, address, uint128, address challenger) external {
        if (refuses) revert("no");
        ++timesConvicted[name];
        convictedFor[name] = challenger;
        standing[name] = keepsStanding;
        _callBack();
    }

    function voidClaim(bytes32 name, uint128) external {
        standing[name] = keepsStanding;
        _callBack();
    }

    function maxWindow() external pure returns (uint256) {
        return 600;
    }

    function _callBack() private {
        if (inside) return;
        inside = true;
        for (uint256 i; i < backCalls.length; ++i) {
            (bool ok,) = calledBack.call(backCalls[i]);
            results.push(ok);
        }
        inside = false;
    }
}
