/* Calldata of OperatorBonds. */
#include "chain/contracts_internal.h"

lks_err lks_call_deposit(lks_buf *out, const uint8_t operator20[20])
{
    return lks_call_address(out, "deposit(address)", operator20);
}

lks_err lks_call_queue_withdrawal(lks_buf *out, const lks_u256 *wei)
{
    uint8_t word[32];
    lks_u256_to_be(word, wei);
    return lks_call_word(out, "queueWithdrawal(uint256)", word);
}

lks_err lks_call_set_agent(lks_buf *out, const uint8_t agent20[20], uint8_t roles)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "setAgent(address,uint8)", 2);
    lks_abi_put_address(&e, agent20);
    lks_abi_put_u64(&e, roles);
    return lks_abi_finish(&e);
}

lks_err lks_call_allow_source(lks_buf *out, const uint8_t source20[20], bool allowed)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "allowSource(address,bool)", 2);
    lks_abi_put_address(&e, source20);
    lks_abi_put_bool(&e, allowed);
    return lks_abi_finish(&e);
}

lks_err lks_call_account(lks_buf *out, const uint8_t operator20[20])
{
    return lks_call_address(out, "account(address)", operator20);
}

lks_err lks_call_free_bond(lks_buf *out, const uint8_t operator20[20])
{
    return lks_call_address(out, "freeBond(address)", operator20);
}

lks_err lks_call_locked_by(lks_buf *out, const uint8_t operator20[20], const uint8_t source20[20])
{
    return lks_call_addresses(out, "lockedBy(address,address)", operator20, source20);
}

lks_err lks_call_agent_roles(lks_buf *out, const uint8_t operator20[20], const uint8_t agent20[20])
{
    return lks_call_addresses(out, "agentRoles(address,address)", operator20, agent20);
}

lks_err lks_call_is_allowed_source(lks_buf *out, const uint8_t operator20[20],
                                   const uint8_t source20[20])
{
    return lks_call_addresses(out, "isAllowedSource(address,address)", operator20, source20);
}

lks_err lks_call_withdrawal_delay(lks_buf *out)
{
    return lks_call_nothing(out, "withdrawalDelay()");
}
