#include "oracle/cli/dispute_print.h"

#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lks_dispute_state_word(unsigned state)
{
    static const char *const WORDS[] = {
        [LKS_DISPUTE_NONE] = "unknown",      [LKS_DISPUTE_ROOT] = "root",
        [LKS_DISPUTE_PICK] = "pick",         [LKS_DISPUTE_NODE] = "node",
        [LKS_DISPUTE_LEAF] = "leaf",         [LKS_DISPUTE_STEP] = "step",
        [LKS_DISPUTE_PARTIALS] = "partials", [LKS_DISPUTE_PARTIAL_STEP] = "partial step",
        [LKS_DISPUTE_CLOSED] = "closed"};
    return state < sizeof WORDS / sizeof WORDS[0] ? WORDS[state] : WORDS[LKS_DISPUTE_NONE];
}

const char *lks_game_end_word(lks_game_end end)
{
    switch (end) {
    case LKS_GAME_WON: return "won";
    case LKS_GAME_LOST: return "lost";
    case LKS_GAME_MOOT: return "moot";
    default: return "live";
    }
}

bool lks_dispute_operator_moves(lks_dispute_state state)
{
    return state == LKS_DISPUTE_ROOT || state == LKS_DISPUTE_NODE || state == LKS_DISPUTE_LEAF ||
           state == LKS_DISPUTE_PARTIALS;
}

/* Text for the cause of a conviction. */
static const char *conviction(const lks_game_dispute *d, const lks_game_step *s)
{
    static const char *const OTHERS[LKS_CONVICTION_COUNT] = {
        [LKS_CONVICTION_TIMEOUT] =
            "the claim is convicted: its operator was late in another dispute",
        [LKS_CONVICTION_STEP] = "the claim is convicted by another dispute",
        [LKS_CONVICTION_PARTIAL_STEP] = "the claim is convicted by another dispute",
        [LKS_CONVICTION_PROOF] = "the claim is convicted by a proof without a dispute",
        [LKS_CONVICTION_EQUIVOCATION] = "the claim is convicted: its operator signed two roots"};
    if (d->end == LKS_GAME_MOOT) {
        return s->how < LKS_CONVICTION_COUNT ? OTHERS[s->how] : OTHERS[LKS_CONVICTION_STEP];
    }
    return s->how == LKS_CONVICTION_TIMEOUT ? "operator is late: the claim is convicted"
                                            : "challenger proves the claim wrong: it is convicted";
}

void lks_step_line(char text[LKS_STEP_SIZE], const lks_game_dispute *d, size_t i,
                   const lks_place_run *run)
{
    const lks_game_step *s = &d->steps[i];
    char place[LKS_PLACE_SIZE], amount[LKS_ETHER_SIZE], hash[LKS_HEX_SIZE(32)];
    lks_wei_format(amount, &s->amount);
    lks_hex_encode(hash, s->hash, 32);
    place[0] = '\0';
    if (s->kind == LKS_GAME_PICKED || s->kind == LKS_GAME_REVEALED ||
        s->kind == LKS_GAME_LEAF_REVEALED) {
        lks_place_node(place, run, s->op, s->height, s->index);
    } else if (s->kind == LKS_GAME_PARTIALS_DEMANDED || s->kind == LKS_GAME_PARTIALS_OPENED) {
        lks_place_op(place, run->program, s->op);
    }
    switch (s->kind) {
    case LKS_GAME_CHALLENGED:
        snprintf(text, LKS_STEP_SIZE, "challenger opens the dispute, bond %s ether", amount);
        break;
    case LKS_GAME_TRACE_OPENED:
        snprintf(text, LKS_STEP_SIZE, "operator opens its trace, root %s", hash);
        break;
    case LKS_GAME_PICKED: snprintf(text, LKS_STEP_SIZE, "challenger picks %s", place); break;
    case LKS_GAME_REVEALED:
        snprintf(text, LKS_STEP_SIZE, "operator reveals the nodes below: %s", place);
        break;
    case LKS_GAME_LEAF_REVEALED:
        snprintf(text, LKS_STEP_SIZE, "operator reveals the bytes: %s", place);
        break;
    case LKS_GAME_PARTIALS_DEMANDED:
        snprintf(text, LKS_STEP_SIZE, "challenger asks for the partials of element %" PRIu32 ", %s",
                 s->element, place);
        break;
    case LKS_GAME_PARTIALS_OPENED:
        snprintf(text, LKS_STEP_SIZE, "operator posts the partials of element %" PRIu32 ", %s",
                 s->element, place);
        break;
    case LKS_GAME_CLAIM_CONVICTED: snprintf(text, LKS_STEP_SIZE, "%s", conviction(d, s)); break;
    case LKS_GAME_CLAIM_VOIDED:
        snprintf(text, LKS_STEP_SIZE, "the claim is void: its model's program is malformed");
        break;
    case LKS_GAME_DISPUTE_LOST:
        snprintf(text, LKS_STEP_SIZE,
                 "the challenger is late and loses its bond, %s ether of it to the operator",
                 amount);
        break;
    case LKS_GAME_DISPUTE_RECLAIMED:
        snprintf(text, LKS_STEP_SIZE,
                 "challenger takes back %s ether, bond and what it had prepaid", amount);
        break;
    default: snprintf(text, LKS_STEP_SIZE, "%s", lks_game_event_name(s->kind)); break;
    }
}

lks_err lks_dispute_gas_get(lks_dispute_gas *g, lks_link *s, const lks_game_dispute *d)
{
    *g = (lks_dispute_gas){.used = calloc(d->step_count + 1, sizeof g->used[0])};
    if (g->used == NULL) {
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < d->step_count; i++) {
        lks_eth_receipt receipt;
        if (i > 0 && memcmp(d->steps[i].tx, d->steps[i - 1].tx, 32) == 0) {
            continue;
        }
        if (lks_eth_receipt_get(&s->node, d->steps[i].tx, &receipt) == LKS_OK) {
            g->used[i] = receipt.gas_used;
            *(d->steps[i].by_operator ? &g->operator_side : &g->challenger) += receipt.gas_used;
            lks_eth_receipt_free(&receipt);
        }
    }
    return LKS_OK;
}

void lks_dispute_gas_free(lks_dispute_gas *g)
{
    free(g->used);
    *g = (lks_dispute_gas){0};
}

static lks_place_run place_run(const lks_follow *f, const lks_program *program)
{
    const lks_run *run = lks_game_run(f->game);
    return run == NULL
               ? (lks_place_run){0}
               : (lks_place_run){program, (uint32_t)run->prompt_count, (uint32_t)run->answer_count};
}

static void print_hash(const char *label, const uint8_t hash32[32])
{
    char text[LKS_HEX_SIZE(32)];
    lks_hex_encode(text, hash32, 32);
    printf("%-18s %s\n", label, text);
}

static void print_state(const lks_follow *f, const lks_game_dispute *d, const lks_place_run *run)
{
    char place[LKS_PLACE_SIZE], when[LKS_TIME_SIZE];
    uint64_t now = f->newest.timestamp;
    if (d->end != LKS_GAME_LIVE) {
        static const char *const ENDS[] = {[LKS_GAME_WON] = "won: the claim is convicted",
                                           [LKS_GAME_LOST] = "lost: the challenger was late",
                                           [LKS_GAME_MOOT] = "ended with its claim"};
        printf("%-18s %s%s\n", "state", ENDS[d->end],
               d->end == LKS_GAME_MOOT && !d->reclaimed ? ", its bond can be reclaimed" : "");
        return;
    }
    lks_place_node(place, run, d->now.op, d->now.height, d->now.index);
    printf("%-18s %s, the %s to move%s%s\n", "state", lks_dispute_state_word(d->now.state),
           lks_dispute_operator_moves(d->now.state) ? "operator is" : "challenger is",
           d->now.state == LKS_DISPUTE_ROOT ? "" : "; at ",
           d->now.state == LKS_DISPUTE_ROOT ? "" : place);
    lks_time_text(when, d->deadline);
    if (now <= d->deadline) {
        printf("%-18s until %s, %" PRIu64 " s from now\n", "turn", when, d->deadline - now);
    } else {
        printf("%-18s was over at %s: lockstep timeout ends the dispute\n", "turn", when);
    }
    printf("%-18s operator %" PRIu32 " s left, challenger %" PRIu32
           " s left, when the turn began\n",
           "clocks", d->operator_left, d->challenger_left);
    if (!d->alone) {
        printf("%-18s %s\n", "proof",
               "needs a commitment two blocks before: other disputes are live");
    }
}

void lks_dispute_print(const lks_follow *f, const lks_game_dispute *d, const lks_dispute_gas *g,
                       const lks_program *program)
{
    char text[LKS_STEP_SIZE], address[LKS_ADDRESS_SIZE];
    uint8_t attempt = 0, seat = 0, operator20[20] = {0};
    lks_place_run run = place_run(f, program);
    uint8_t request_id[32] = {0};
    lks_game_seat(f->game, &attempt, &seat, operator20, NULL);
    memcpy(request_id, f->name, sizeof request_id);
    request_id[31] = 0; /* attempt and seat */
    print_hash("dispute", d->id);
    print_hash("claim", f->claim_id);
    print_hash("request", request_id);
    lks_address_format(address, operator20);
    printf("%-18s %s, attempt %u, seat %u\n", "operator", address, attempt, seat);
    lks_address_format(address, d->terms.challenger);
    printf("%-18s %s\n", "challenger", address);
    print_state(f, d, &run);
    lks_wei_format(text, &d->terms.bond);
    printf("%-18s %s ether\n", "bond", text);
    if (!lks_u256_is_zero(&d->prepaid)) {
        lks_wei_format(text, &d->prepaid);
        printf("%-18s %s ether, not spent yet\n", "prepaid", text);
    }
    printf("%-18s challenger %" PRIu64 ", operator %" PRIu64 "\n\n", "gas", g->challenger,
           g->operator_side);
    int depth = 0; /* the way down, indented */
    for (size_t i = 0; i < d->step_count; i++) {
        char when[LKS_TIME_SIZE];
        lks_step_line(text, d, i, &run);
        lks_time_text(when, d->steps[i].time);
        printf("block %-10" PRIu64 " %s %8" PRIu64 " gas  %*s%s\n", d->steps[i].block, when,
               g->used[i], depth, "", text);
        depth += d->steps[i].kind == LKS_GAME_PICKED ? 2 : 0;
    }
}

static void steps_json(lks_json_writer *w, const lks_game_dispute *d, const lks_dispute_gas *g,
                       const lks_place_run *run)
{
    char text[LKS_STEP_SIZE];
    lks_json_put_name(w, "moves");
    lks_json_begin_array(w);
    for (size_t i = 0; i < d->step_count; i++) {
        const lks_game_step *s = &d->steps[i];
        lks_step_line(text, d, i, run);
        lks_json_begin_object(w);
        lks_json_member_text(w, "event", lks_game_event_name(s->kind));
        lks_json_member_text(w, "by", s->by_operator ? "operator" : "challenger");
        lks_json_member_text(w, "text", text);
        if (s->kind == LKS_GAME_PICKED || s->kind == LKS_GAME_REVEALED ||
            s->kind == LKS_GAME_LEAF_REVEALED) {
            lks_json_member_u64(w, "operation", s->op);
            lks_json_member_u64(w, "height", s->height);
            lks_json_member_u64(w, "index", s->index);
        }
        lks_json_member_wei(w, "amount", &s->amount);
        lks_json_member_u64(w, "block", s->block);
        lks_json_member_u64(w, "time", s->time);
        lks_json_member_data(w, "transaction", s->tx, 32);
        lks_json_member_u64(w, "gasUsed", g->used[i]);
        lks_json_end_object(w);
    }
    lks_json_end_array(w);
}

void lks_dispute_json(lks_json_writer *w, const lks_follow *f, const lks_game_dispute *d,
                      const lks_dispute_gas *g, const lks_program *program)
{
    uint8_t attempt = 0, seat = 0, operator20[20] = {0};
    lks_place_run run = place_run(f, program);
    uint8_t request_id[32] = {0};
    lks_game_seat(f->game, &attempt, &seat, operator20, NULL);
    memcpy(request_id, f->name, sizeof request_id);
    request_id[31] = 0; /* attempt and seat */
    lks_json_member_data(w, "disputeId", d->id, 32);
    lks_json_member_data(w, "claimId", f->claim_id, 32);
    lks_json_member_data(w, "claimName", f->name, 32);
    lks_json_member_data(w, "requestId", request_id, 32);
    lks_json_member_address(w, "operator", operator20);
    lks_json_member_u64(w, "attempt", attempt);
    lks_json_member_u64(w, "seat", seat);
    lks_json_member_address(w, "challenger", d->terms.challenger);
    lks_json_member_text(w, "end", lks_game_end_word(d->end));
    lks_json_member_text(w, "state",
                         lks_dispute_state_word(d->end == LKS_GAME_LIVE ? d->now.state
                                                                        : LKS_DISPUTE_CLOSED));
    if (d->end == LKS_GAME_LIVE) {
        lks_json_member_u64(w, "operation", d->now.op);
        lks_json_member_u64(w, "height", d->now.height);
        lks_json_member_u64(w, "index", d->now.index);
        lks_json_member_data(w, "node", d->node, 32);
        lks_json_member_text(w, "toMove",
                             lks_dispute_operator_moves(d->now.state) ? "operator" : "challenger");
        lks_json_member_u64(w, "turnStart", d->turn_start);
        lks_json_member_u64(w, "deadline", d->deadline);
        lks_json_member_u64(w, "operatorLeft", d->operator_left);
        lks_json_member_u64(w, "challengerLeft", d->challenger_left);
        lks_json_put_name(w, "alone");
        lks_json_put_bool(w, d->alone);
    }
    lks_json_member_u64(w, "chainTime", f->newest.timestamp);
    lks_json_member_wei(w, "bond", &d->terms.bond);
    lks_json_member_wei(w, "prepaid", &d->prepaid);
    lks_json_put_name(w, "reclaimed");
    lks_json_put_bool(w, d->reclaimed);
    lks_json_member_u64(w, "challengerGas", g->challenger);
    lks_json_member_u64(w, "operatorGas", g->operator_side);
    steps_json(w, d, g, &run);
}
