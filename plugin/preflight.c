#include "plugin/operator.h"

#include "chain/address.h"
#include "chain/contracts.h"
#include "chain/hex.h"
#include "plugin/log.h"
#include "plugin/obligations.h"

#include <string.h>

/* Gas of what one request takes of an operator, roughly: accept, claim, finalize. */
#define GAS_OF_A_JOB 600000u
/* Gas of the answers of a few disputes. */
#define GAS_OF_A_DEFENCE 3000000u

lks_err lks_preflight_chain(lks_operator *op)
{
    return lks_eth_check_chain_id(&op->feed.node, op->config->chain_id);
}

/* Calls a view. In: call, the calldata, freed here. Out: result. */
static lks_err view(lks_operator *op, const uint8_t to20[20], lks_err encoded, lks_buf *call,
                    lks_buf *result)
{
    lks_err err = encoded;
    if (!err) {
        lks_eth_message message = {
            .to20 = to20, .data = call->data, .data_len = call->len, .errors = lks_contract_errors};
        err = lks_eth_call(&op->feed.node, &message, LKS_ETH_LATEST, result, NULL);
    }
    lks_buf_free(call);
    return err;
}

/* Reads the address that a view without arguments returns. */
static lks_err read_link(lks_operator *op, const uint8_t to20[20], const char *signature,
                         uint8_t address20[20])
{
    lks_buf call = {0}, result = {0};
    lks_abi_writer e;
    lks_abi_reader r;
    lks_abi_begin_call(&e, &call, signature, 0);
    lks_err err = view(op, to20, lks_abi_finish(&e), &call, &result);
    lks_abi_read(&r, result.data, result.len);
    if (!err)
        err = lks_abi_read_address(&r, address20);
    lks_buf_free(&result);
    return err;
}

/* Refuses an oracle that was deployed with another registry or other bonds than are configured. */
static lks_err check_link(lks_operator *op, const char *signature, const uint8_t expected20[20],
                          const char *what)
{
    uint8_t address[20];
    char expected[LKS_ADDRESS_SIZE], found[LKS_ADDRESS_SIZE];
    lks_err err = read_link(op, op->config->oracle, signature, address);
    if (err || memcmp(address, expected20, 20) == 0)
        return err;
    lks_address_format(expected, expected20);
    lks_address_format(found, address);
    return lks_fail(LKS_REFUSED, "the InferenceOracle uses the %s at %s; the configuration says %s",
                    what, found, expected);
}

static lks_err read_parameters(lks_operator *op)
{
    lks_buf call = {0}, result = {0};
    lks_oracle_parameters p;
    char oracle[LKS_ADDRESS_SIZE];
    lks_err encoded = lks_call_parameters(&call);
    lks_err err = view(op, op->config->oracle, encoded, &call, &result);
    lks_address_format(oracle, op->config->oracle);
    if (!err && result.len == 0)
        err = lks_fail(LKS_NOTFOUND, "there is no contract at %s, the configured InferenceOracle",
                       oracle);
    if (!err)
        err = lks_return_parameters(&p, result.data, result.len);
    if (!err)
        op->reveal_seconds = p.reveal_period;
    lks_buf_free(&result);
    return err;
}

/* The game and the oracle name each other; the game's parameters. An oracle without a game has the
 * zero address. */
static lks_err check_game(lks_operator *op)
{
    static const uint8_t none[20];
    lks_buf call = {0}, result = {0};
    lks_game_parameters p;
    uint8_t named[20], oracle[20];
    char found[LKS_ADDRESS_SIZE], configured[LKS_ADDRESS_SIZE];
    lks_err err = read_link(op, op->config->oracle, "disputeGame()", named);
    if (err)
        return err;
    bool is_configured = memcmp(op->config->game, none, 20) != 0;
    lks_address_format(found, named);
    lks_address_format(configured, op->config->game);
    if (memcmp(named, op->config->game, 20)) {
        if (memcmp(named, none, 20) == 0)
            return lks_fail(LKS_REFUSED,
                            "the InferenceOracle has no DisputeGame; the configuration names %s",
                            configured);
        if (!is_configured)
            return lks_fail(LKS_REFUSED,
                            "claims can be disputed in the DisputeGame at %s: put it into the "
                            "configuration as contracts.game",
                            found);
        return lks_fail(LKS_REFUSED,
                        "the InferenceOracle uses the DisputeGame at %s; the configuration says %s",
                        found, configured);
    }
    if (!is_configured)
        return LKS_OK;
    err = read_link(op, op->config->game, "oracle()", oracle);
    if (!err && memcmp(oracle, op->config->oracle, 20))
        err = lks_fail(LKS_REFUSED, "the DisputeGame at %s belongs to another InferenceOracle",
                       configured);
    if (err)
        return err;
    lks_err encoded = lks_call_parameters(&call);
    err = view(op, op->config->game, encoded, &call, &result);
    if (!err)
        err = lks_return_game_parameters(&p, result.data, result.len);
    lks_buf_free(&result);
    if (err)
        return lks_fail_in(err, "DisputeGame");
    op->deployment.budget = p.budget;
    op->floor = p.floor;
    op->min_bond = p.min_bond;
    return LKS_OK;
}

lks_err lks_preflight_game(lks_operator *op)
{
    lks_err err = check_game(op);
    return err == LKS_REFUSED ? lks_obligations_blame(op, err) : err;
}

static lks_err tell_registered(lks_operator *op)
{
    for (size_t i = 0; i < op->models->count; i++) {
        lks_buf call = {0}, result = {0};
        char id[LKS_HEX_SIZE(32)];
        bool registered = false;
        const lks_served *served = &op->models->items[i];
        lks_err encoded = lks_call_is_registered(&call, served->model_id);
        lks_err err = view(op, op->config->registry, encoded, &call, &result);
        if (!err)
            err = lks_return_bool(&registered, result.data, result.len);
        lks_buf_free(&result);
        if (err)
            return lks_fail_in(err, "ModelRegistry");
        lks_hex_encode(id, served->model_id, 32);
        lks_log(op->host, registered ? LKS_INFO : LKS_WARN, "model %s (%s) is %s",
                op->config->models[i], id,
                registered ? "registered"
                           : "not registered: no request can name it until somebody registers it "
                             "(lockstep model register)");
    }
    return LKS_OK;
}

/* The account is an agent without a right that it needs. What is open goes on as far as the rights
 * reach; nothing is begun without them. */
static lks_err take_missing_roles(lks_operator *op, uint8_t needed)
{
    lks_obligations list = {0};
    char address[LKS_ADDRESS_SIZE];
    lks_address_format(address, op->feed.events.who.operator_address);
    lks_err err = lks_obligations_read(op, &list);
    size_t open = list.count;
    lks_obligations_free(&list);
    if (err)
        return err;
    err = lks_fail(LKS_REFUSED, "the account is no agent of %s for %s: setAgent of OperatorBonds",
                   address, needed & LKS_AGENT_DISPUTES ? "claims and disputes" : "claims");
    if (open)
        lks_log(op->host, LKS_ERROR, "%s", lks_error_message());
    return open || !op->config->is_operator ? LKS_OK : err;
}

/* An agent needs the operator's leave for what it is configured to do, and for what it has begun.
 */
static lks_err check_agent(lks_operator *op)
{
    lks_buf call = {0}, result = {0};
    uint8_t roles = 0, needed = LKS_AGENT_CLAIMS;
    if (!op->config->is_agent)
        return LKS_OK;
    if (lks_config_has_game(op->config))
        needed |= LKS_AGENT_DISPUTES;
    const uint8_t *operator20 = op->feed.events.who.operator_address;
    lks_err encoded = lks_call_agent_roles(&call, operator20, lks_signer_address(op->signer));
    lks_err err = view(op, op->config->bonds, encoded, &call, &result);
    if (!err)
        err = lks_return_u8(&roles, result.data, result.len);
    lks_buf_free(&result);
    bool is_itself = memcmp(operator20, lks_signer_address(op->signer), 20) == 0;
    if (err || is_itself || (roles & needed) == needed)
        return err;
    return take_missing_roles(op, needed);
}

static lks_err tell_money(lks_operator *op)
{
    lks_buf call = {0}, result = {0};
    const uint8_t *account = lks_signer_address(op->signer);
    char address[LKS_ADDRESS_SIZE], balance_text[LKS_ETHER_SIZE], bond_text[LKS_ETHER_SIZE];
    lks_u256 balance, bond, needed;
    lks_eth_fees fees;
    lks_err err = lks_eth_balance(&op->feed.node, account, LKS_ETH_LATEST, &balance);
    if (!err)
        err = lks_eth_suggest_fees(&op->feed.node, &fees);
    if (!err) {
        lks_err encoded = lks_call_free_bond(&call, op->feed.events.who.operator_address);
        err = view(op, op->config->bonds, encoded, &call, &result);
    }
    if (!err)
        err = lks_return_u256(&bond, result.data, result.len);
    lks_buf_free(&result);
    if (err)
        return err;
    lks_address_format(address, account);
    lks_wei_format(balance_text, &balance);
    lks_wei_format(bond_text, &bond);
    lks_log(op->host, LKS_INFO, "account %s: balance %s ether, free bond %s ether", address,
            balance_text, bond_text);
    lks_u256_mul_u64(&needed, &fees.max_fee, GAS_OF_A_JOB);
    if (lks_u256_cmp(&balance, &needed) < 0)
        lks_log(
            op->host, LKS_WARN,
            "the account %s has too little ether for the transactions of one request: send it some",
            address);
    if (op->config->is_operator && lks_u256_is_zero(&bond))
        lks_log(
            op->host, LKS_WARN,
            "the account %s has no free bond, so it can accept no request: lockstep bond deposit",
            address);
    return LKS_OK;
}

/* Whether the second account may move for the operator, and can pay for it. Without its leave, or
 * its ether, the main account makes the moves: nothing is refused. */
static lks_err check_moves_account(lks_operator *op)
{
    lks_buf call = {0}, result = {0};
    uint8_t roles = 0;
    char address[LKS_ADDRESS_SIZE];
    lks_u256 balance, needed;
    lks_eth_fees fees;
    if (!op->moves.signer)
        return LKS_OK;
    const uint8_t *operator20 = op->feed.events.who.operator_address;
    const uint8_t *account = lks_signer_address(op->moves.signer);
    lks_err encoded = lks_call_agent_roles(&call, operator20, account);
    lks_err err = view(op, op->config->bonds, encoded, &call, &result);
    if (!err)
        err = lks_return_u8(&roles, result.data, result.len);
    lks_buf_free(&result);
    if (!err)
        err = lks_eth_balance(&op->feed.node, account, LKS_ETH_LATEST, &balance);
    if (!err)
        err = lks_eth_suggest_fees(&op->feed.node, &fees);
    if (err)
        return err;
    lks_address_format(address, account);
    bool is_itself = memcmp(operator20, account, 20) == 0;
    op->moves_allowed = is_itself || (roles & LKS_AGENT_DISPUTES);
    lks_u256_mul_u64(&needed, &fees.max_fee, GAS_OF_A_DEFENCE);
    if (!op->moves_allowed)
        lks_log(op->host, LKS_ERROR,
                "the account %s of moves_keystore is no agent for disputes, and the other account"
                " makes the moves: lockstep bond agent set, then restart",
                address);
    else if (lks_u256_cmp(&balance, &needed) < 0)
        lks_log(op->host, LKS_WARN,
                "the account %s of moves_keystore has too little ether for a defence: send it some",
                address);
    return LKS_OK;
}

lks_err lks_preflight_contracts(lks_operator *op)
{
    lks_err err = read_parameters(op);
    if (!err)
        err = check_link(op, "bonds()", op->config->bonds, "OperatorBonds");
    if (!err)
        err = check_link(op, "registry()", op->config->registry, "ModelRegistry");
    if (!err)
        err = lks_preflight_game(op);
    if (!err)
        err = check_agent(op);
    if (!err)
        err = tell_registered(op);
    if (!err)
        err = tell_money(op);
    if (!err)
        err = check_moves_account(op);
    return err;
}
