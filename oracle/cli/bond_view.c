#include "oracle/cli/bond_view.h"

#include "oracle/cli/output.h"

#include <stdio.h>

lks_err lks_bond_view_get(lks_bond_view *out, lks_link *s, const uint8_t address20[20])
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_eth_balance(&s->node, address20, LKS_ETH_LATEST, &out->balance);
    if (err == LKS_OK) {
        err = lks_call_account(&call, address20);
        err = lks_link_view(s, s->contracts.bonds, &call, err, &result);
        err = err == LKS_OK ? lks_return_account(&out->bond, result.data, result.len) : err;
    }
    lks_buf_free(&result);
    return err == LKS_OK ? lks_credits_get(&out->credit, s, address20) : err;
}

static void print_amount(const char *label, const lks_u256 *wei, const char *behind)
{
    char text[LKS_ETHER_SIZE];
    lks_wei_format(text, wei);
    printf("%-18s %s ether%s\n", label, text, behind);
}

void lks_bond_print(const lks_bond_view *b, uint64_t now)
{
    char when[LKS_TIME_SIZE], behind[96] = "";
    print_amount("balance", &b->balance, "");
    print_amount("bond, free", &b->bond.free, "");
    print_amount("bond, locked", &b->bond.locked, "");
    if (!lks_u256_is_zero(&b->bond.queued)) {
        bool ready = now >= b->bond.ready_at;
        lks_time_text(when, b->bond.ready_at);
        snprintf(behind, sizeof behind, ", %s%s",
                 ready ? "ready: lockstep bond withdraw" : "ready at ", ready ? "" : when);
    }
    print_amount("bond, queued", &b->bond.queued, behind);
    print_amount("credit", &b->credit.oracle,
                 lks_u256_is_zero(&b->credit.oracle) ? "" : ", ready: lockstep credit withdraw");
    if (!lks_u256_is_zero(&b->credit.game)) {
        print_amount("credit of disputes", &b->credit.game, ", ready: lockstep credit withdraw");
    }
}

void lks_bond_json(lks_json_writer *w, const lks_bond_view *b)
{
    lks_json_member_wei(w, "balance", &b->balance);
    lks_json_member_wei(w, "bondFree", &b->bond.free);
    lks_json_member_wei(w, "bondLocked", &b->bond.locked);
    lks_json_member_wei(w, "bondQueued", &b->bond.queued);
    lks_json_member_u64(w, "queuedReadyAt", b->bond.ready_at);
    lks_json_member_wei(w, "credit", &b->credit.oracle);
    lks_json_member_wei(w, "gameCredit", &b->credit.game);
}
