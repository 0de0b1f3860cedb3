#include "oracle/cli/credit.h"

#include "oracle/cli/cli.h"

#include <inttypes.h>

static lks_err credit_of(lks_u256 *out, lks_link *s, const uint8_t contract20[20],
                         const uint8_t address20[20])
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_credit(&call, address20);
    err = lks_link_view(s, contract20, &call, err, &result);
    err = err == LKS_OK ? lks_return_u256(out, result.data, result.len) : err;
    lks_buf_free(&result);
    return err;
}

lks_err lks_credits_get(lks_credits *out, lks_link *s, const uint8_t address20[20])
{
    *out = (lks_credits){0};
    lks_err err = credit_of(&out->oracle, s, s->contracts.oracle, address20);
    return err == LKS_OK && s->contracts.has_game
               ? credit_of(&out->game, s, s->contracts.game, address20)
               : err;
}

/* Sends a withdrawal of that much. In: call, freed. */
static int withdraw(lks_link *s, const char *what, const uint8_t contract20[20],
                    const lks_u256 *wei, lks_buf *call, lks_err call_err, FILE *out)
{
    const lks_u256 nothing = {{0}};
    lks_sent sent = {0};
    char amount[LKS_ETHER_SIZE];
    int code = lks_send(s, &sent, what, contract20, &nothing, call, call_err);
    if (code == LKS_PARSED && out != NULL) {
        lks_wei_format(amount, wei);
        lks_progress_end(&s->progress);
        lks_cli_stamp(out);
        fprintf(out, "block %-10" PRIu64 " %8" PRIu64 " gas  %s: %s ether\n",
                sent.receipt.block_number, sent.receipt.gas_used, what, amount);
    }
    lks_sent_free(&sent);
    return code;
}

static int withdraw_credit(lks_link *s, const char *what, const uint8_t contract20[20],
                           const lks_u256 *wei, FILE *out)
{
    lks_buf call = {0};
    if (lks_u256_is_zero(wei)) {
        return LKS_PARSED;
    }
    lks_err err = lks_call_withdraw(&call, lks_signer_address(s->signer));
    return withdraw(s, what, contract20, wei, &call, err, out);
}

int lks_credit_collect_of(lks_link *s, const lks_request *r, const lks_u256 *wei, FILE *out)
{
    lks_buf call = {0};
    if (lks_u256_is_zero(wei)) {
        return LKS_PARSED;
    }
    lks_err err = lks_call_withdraw_of(&call, r, lks_signer_address(s->signer));
    return withdraw(s, "withdraw of the request", s->contracts.oracle, wei, &call, err, out);
}

int lks_credit_collect(lks_link *s, FILE *out)
{
    lks_credits c;
    lks_err err = lks_credits_get(&c, s, lks_signer_address(s->signer));
    if (err != LKS_OK) {
        return lks_link_fail(s, err, NULL);
    }
    int code = withdraw_credit(s, "withdraw from the game", s->contracts.game, &c.game, out);
    return code == LKS_PARSED
               ? withdraw_credit(s, "withdraw from the oracle", s->contracts.oracle, &c.oracle, out)
               : code;
}
