/* Signatures of the contracts' custom errors, by the interface that declares them first. */
#include "chain/contracts.h"

const char *const lks_contract_errors[] = {
    /* IClaims */
    "NotDisputeGame()", "NoSuchClaim()", "DisputeWindowOver()",
    /* IInferenceOracle */
    "UnknownModel(bytes32)", "MalformedTokens()", "EmptyPrompt()", "PromptTooLong()",
    "TokenOutsideVocabulary()", "NoTokensAsked()", "TooManyTokensAsked()", "TooManyPositions()",
    "BadTemperature()", "BadMinP()", "AllowedNotIncreasing()", "AllowedTooLong()",
    "StakeTooSmall()", "FeeTooLarge()", "WindowOutOfRange()", "AcceptDeadlineOutOfRange()",
    "ClaimPeriodOutOfRange()", "ReplicasOutOfRange()", "CallbackGasOutOfRange()",
    "WrongStatus(uint8)", "TooEarly()", "TooLate()", "NotRequester()", "NoMoreAttempts()",
    "AlreadyAccepted()", "NotOperatorOrAgent()", "WrongHeader()", "NotSeated()",
    "WrongSeed(uint64)", "CommitRequired()", "NotReplicated()", "EmptyCommitment()",
    "WrongReveal()", "TokenCountOutOfRange()", "TokensAfterEnd()", "EndsTooSoon()",
    "WrongAllowedList()", "TokenNotAllowed()", "NotMissed()", "DisputeLive()", "WrongTokens()",
    "InsufficientGas()", "NothingToWithdraw()", "TransferFailed()", "NotBonds()", "BadParameters()",
    /* IOperatorBonds */
    "NotSource()", "ZeroAddress()", "BadAmount()", "BadRoles()",
    "InsufficientFreeBond(address,uint256,uint256)",
    "InsufficientLockedBond(address,uint256,uint256)", "NothingQueued()",
    "WithdrawalNotReady(uint64)",
    /* IModelRegistry */
    "UnknownArithmeticVersion(uint32)", "MalformedCommitment()",
    /* IDisputeGame */
    "WrongModel()", "WrongSource()", "WrongFacts()", "ClaimNotLive()", "DisputeExists()",
    "NoSuchDispute()", "WrongState(uint8)", "NotChallenger()", "NotOperator()",
    "BondTooSmall(uint256)", "NotEnoughEther(uint256)", "WrongChildCount()", "WrongHash()",
    "BadPadding()", "BadPick()", "UnknownShape()", "WrongLength()", "BadElement()", "BadPartials()",
    "WrongKind()", "NothingWrong()", "NotCommitted()", "UnknownRoot()", "WellFormed()",
    /* IStepVerifier */
    "BadOpening()", "WrongRoot()", "BadUnit()", "MalformedProgram()", NULL};
