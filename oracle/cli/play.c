#include "oracle/cli/play.h"

#include "chain/hex.h"
#include "oracle/cli/backoff.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/credit.h"
#include "oracle/cli/interrupt.h"
#include "oracle/cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const lks_game_dispute *lks_play_dispute(const lks_play *p)
{
    return lks_game_dispute_find(p->follow.game, p->dispute_id);
}

static lks_place_run place_run(const lks_play *p)
{
    const lks_run *run = lks_trace_run(p->own);
    return (lks_place_run){&p->model->model.program, (uint32_t)run->prompt_count,
                           (uint32_t)run->answer_count};
}

const lks_game_dispute *lks_play_find_own_in(const lks_game *g, const uint8_t challenger20[20])
{
    const lks_game_dispute *owed = NULL;
    for (size_t i = 0; i < lks_game_dispute_count(g); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(g, i);
        if (memcmp(d->terms.challenger, challenger20, 20) != 0)
            continue;
        if (d->end == LKS_GAME_LIVE)
            return d;
        if (d->end == LKS_GAME_MOOT && !d->reclaimed)
            owed = d;
    }
    return owed;
}

int lks_play_open(lks_play *p, lks_link *s, const lks_request_view *v, const lks_claim_view *c,
                  const lks_rerun_model *m, lks_trace *own)
{
    *p = (lks_play){.link = s, .model = m, .own = own};
    lks_err err = lks_follow_open(&p->follow, s, c->name, c->claim_id, v->first_block);
    err = err == LKS_OK ? lks_game_set_model(p->follow.game, &m->commitment) : err;
    err = err == LKS_OK ? lks_follow_update(&p->follow) : err;
    return err == LKS_OK ? LKS_PARSED : lks_link_fail(s, err, NULL);
}

static void drop_proof(lks_play *p)
{
    lks_move_free(&p->proof.move);
    p->proof = (lks_play_proof){0};
}

void lks_play_close(lks_play *p)
{
    drop_proof(p);
    lks_follow_close(&p->follow);
    *p = (lks_play){0};
}

static bool is_own(const lks_play *p, const lks_game_dispute *d)
{
    return memcmp(d->terms.challenger, lks_signer_address(p->link->signer), 20) == 0;
}

const lks_game_dispute *lks_play_find_own(const lks_play *p)
{
    return lks_play_find_own_in(p->follow.game, lks_signer_address(p->link->signer));
}

void lks_play_resume(lks_play *p, const lks_game_dispute *d)
{
    memcpy(p->dispute_id, d->id, sizeof p->dispute_id);
}

/* Sends one transaction to the game. what: static. */
static int send_tx(lks_play *p, const char *what, lks_game_tx *tx)
{
    lks_sent sent = {0};
    lks_u256 cost;
    int code =
        lks_send(p->link, &sent, what, p->link->contracts.game, &tx->value, &tx->data, LKS_OK);
    if (code == LKS_PARSED) {
        p->gas += sent.receipt.gas_used;
        p->sent_block = sent.receipt.block_number;
        p->sent_gas = sent.receipt.gas_used;
        lks_u256_mul_u64(&cost, &sent.receipt.gas_price, sent.receipt.gas_used);
        lks_u256_add(&p->spent, &p->spent, &cost);
    }
    lks_sent_free(&sent);
    return code;
}

/* Adds to each transaction's value what its question prepays. */
static lks_err pay(lks_play *p, lks_game_calls *calls, const lks_game_dispute *d)
{
    lks_err err = LKS_OK;
    for (size_t i = 0; i < calls->count && err == LKS_OK; i++) {
        lks_game_tx *tx = &calls->items[i];
        lks_u256 price;
        if (tx->asks == LKS_DISPUTE_NONE) {
            continue;
        }
        err = lks_prepayment_get(&price, p->link, tx->asks, tx->position);
        if (err == LKS_OK) {
            lks_game_pay(tx, &price, d);
        }
    }
    return err;
}

/* d: the dispute that the calls are of; NULL for a challenge. */
static int send_calls(lks_play *p, const char *what, lks_game_calls *calls, lks_err err,
                      const lks_game_dispute *d)
{
    err = err == LKS_OK ? pay(p, calls, d) : err;
    int code = err == LKS_OK ? LKS_PARSED : lks_cli_fail_chain(err, p->link->command, NULL);
    for (size_t i = 0; i < calls->count && code == LKS_PARSED; i++) {
        code = send_tx(p, i + 1 < calls->count ? "record shape" : what, &calls->items[i]);
    }
    lks_game_calls_free(calls);
    return code;
}

int lks_play_challenge(lks_play *p, const lks_u256 *bond)
{
    lks_game_calls calls = {0};
    uint8_t salt[32] = {0};
    uint64_t own = 0;
    for (size_t i = 0; i < lks_game_dispute_count(p->follow.game); i++) {
        own += is_own(p, lks_game_dispute_at(p->follow.game, i));
    }
    for (size_t i = 0; i < 8; i++) {
        salt[31 - i] = (uint8_t)(own >> 8 * i);
    }
    lks_err err = lks_game_call_challenge(&calls, p->dispute_id, p->follow.game,
                                          lks_signer_address(p->link->signer), salt, bond);
    return send_calls(p, "challenge", &calls, err, NULL);
}

/* The lines of the moves that are new. */
static void tell(lks_play *p, const lks_game_dispute *d)
{
    char line[LKS_STEP_SIZE];
    lks_place_run run = place_run(p);
    if (p->quiet) {
        return;
    }
    /* A re-org can take moves away; they are told again when they come again. */
    p->told = p->told < d->step_count ? p->told : d->step_count;
    for (; p->told < d->step_count; p->told++) {
        const lks_game_step *s = &d->steps[p->told];
        lks_eth_receipt receipt;
        uint64_t gas = 0;
        if (lks_eth_receipt_get(&p->link->node, s->tx, &receipt) == LKS_OK) {
            gas = receipt.gas_used;
            lks_eth_receipt_free(&receipt);
        }
        lks_progress_end(&p->link->progress);
        lks_step_line(line, d, p->told, &run);
        lks_cli_stamp(stdout);
        printf("%sblock %-10" PRIu64 " %8" PRIu64 " gas  %s\n", p->label != NULL ? p->label : "",
               s->block, gas, line);
        fflush(stdout);
    }
}

static const char *move_word(lks_move_kind kind)
{
    switch (kind) {
    case LKS_MOVE_PICK: return "pick";
    case LKS_MOVE_STEP: return "step";
    case LKS_MOVE_DEMAND_PARTIALS: return "demand partials";
    case LKS_MOVE_STEP_PARTIAL: return "step partial";
    default: return "move";
    }
}

/* Asks the contract whether it knows the shape that a pick needs, so that it is recorded once. */
static lks_err look_up_shape(lks_play *p, const lks_move *m)
{
    lks_buf call = {0}, result = {0};
    bool known = false;
    if (m->kind != LKS_MOVE_PICK || m->op == LKS_TOP ||
        lks_game_shape_known(p->follow.game, m->op)) {
        return LKS_OK;
    }
    lks_err err = lks_call_shape_recorded(&call, p->model->commitment.model_id, (uint16_t)m->op);
    err = lks_link_view(p->link, p->link->contracts.game, &call, err, &result);
    err = err == LKS_OK ? lks_return_bool(&known, result.data, result.len) : err;
    lks_buf_free(&result);
    if (err == LKS_OK && known) {
        lks_game_set_shape(p->follow.game, m->op);
    }
    return err;
}

/* Sends a move; of a proof with the salt that it was committed with, or none. */
static int send_move(lks_play *p, const lks_game_dispute *d, const lks_move *m,
                     const uint8_t *salt32)
{
    lks_game_calls calls = {0};
    lks_err err = look_up_shape(p, m);
    err =
        err == LKS_OK ? lks_game_call(&calls, p->follow.game, d, m, &p->model->model, salt32) : err;
    return send_calls(p, move_word(m->kind), &calls, err, d);
}

/* A line as of a move: no event of the claim says it. */
static void tell_commitment(lks_play *p)
{
    if (!p->quiet) {
        lks_progress_end(&p->link->progress);
        lks_cli_stamp(stdout);
        printf("%sblock %-10" PRIu64 " %8" PRIu64 " gas  challenger commits to its proof\n",
               p->label != NULL ? p->label : "", p->sent_block, p->sent_gas);
        fflush(stdout);
    }
}

/* Commits to a proof, whose move is taken over: copied out of the pool it would be another's. */
static int commit(lks_play *p, lks_move *m)
{
    lks_game_calls calls = {0};
    drop_proof(p);
    lks_err err = lks_random(p->proof.salt, sizeof p->proof.salt);
    err = err == LKS_OK
              ? lks_game_call_commit_proof(&calls, &m->witness, lks_signer_address(p->link->signer),
                                           p->proof.salt)
              : err;
    int code = send_calls(p, "commit to the proof", &calls, err, NULL);
    if (code == LKS_PARSED) {
        tell_commitment(p);
        p->proof.made = true;
        p->proof.block = p->sent_block;
        p->proof.move = *m;
        *m = (lks_move){0};
    }
    return code;
}

/* Sends the proof that was committed to, once it may be. */
static int send_proof(lks_play *p, const lks_game_dispute *d)
{
    if (p->follow.newest.number < p->proof.block + LKS_GAME_COMMIT_BLOCKS) {
        lks_progress_wait(&p->link->progress, "waiting for two blocks after the commitment");
        return LKS_PARSED;
    }
    int code = send_move(p, d, &p->proof.move, p->proof.salt);
    drop_proof(p); /* after a failure the next turn finds and commits anew */
    return code;
}

/* There is no move that could win: the dispute is left to its end. */
static void tell_no_fault(lks_play *p, const lks_game_dispute *d)
{
    char id[LKS_HEX_SIZE(32)], when[LKS_TIME_SIZE];
    lks_hex_encode(id, d->id, 32);
    lks_time_text(when, d->deadline);
    lks_progress_end(&p->link->progress);
    lks_cli_note(
        "%s: what the operator shows is right: dispute %s has nothing to prove, and its bond "
        "is lost when the challenger's time is over at %s",
        p->link->command, id, when);
}

/* Steps of all disputes of the claim: while they are the same, the player finds the same. */
static size_t steps_of_claim(const lks_play *p)
{
    size_t count = 0;
    for (size_t i = 0; i < lks_game_dispute_count(p->follow.game); i++)
        count += lks_game_dispute_at(p->follow.game, i)->step_count;
    return count;
}

static lks_err find_move(lks_play *p, const lks_game_dispute *d, lks_move *move)
{
    if (p->gate != NULL)
        lks_gate_shut(p->gate);
    lks_err err = lks_player_challenger(move, p->own, p->model->trees,
                                        lks_game_shown(p->follow.game), &d->now);
    if (p->gate != NULL)
        lks_gate_open(p->gate);
    return err;
}

/* The player's own turn. */
static int own_turn(lks_play *p, const lks_game_dispute *d)
{
    lks_move move = {0};
    int code = LKS_PARSED;
    const char *command = p->link->command;
    if (p->proof.made)
        return send_proof(p, d);
    if (p->no_fault_at != 0 && p->no_fault_at == steps_of_claim(p))
        return LKS_PARSED;
    lks_progress_wait(&p->link->progress, "looking for the next move");
    lks_err err = find_move(p, d, &move);
    p->no_fault = err == LKS_OK && move.kind == LKS_MOVE_NONE;
    p->no_fault_at = p->no_fault ? steps_of_claim(p) : 0;
    if (lks_interrupted()) {
        code = LKS_EXIT_INTERRUPTED;
    } else if (err == LKS_NOTFOUND) {
        lks_follow_doubt(&p->follow);
        code = lks_cli_fail(LKS_EXIT_INTERNAL,
                            "%s: %s; this machine or the operator's computes wrongly: run lockstep "
                            "check on another machine",
                            command, lks_error_message());
    } else if (err != LKS_OK) {
        code = lks_cli_fail_file(err, command, NULL);
    } else if (p->no_fault) {
        tell_no_fault(p, d);
    } else {
        code = lks_game_must_commit(d, &move) ? commit(p, &move) : send_move(p, d, &move, NULL);
    }
    lks_move_free(&move);
    return code;
}

static int operators_turn(lks_play *p, const lks_game_dispute *d)
{
    lks_game_calls calls = {0};
    char wait[96];
    uint64_t now = p->follow.newest.timestamp;
    if (now > d->deadline) {
        lks_err err = lks_game_call_timeout(&calls, d);
        return send_calls(p, "timeout", &calls, err, d);
    }
    snprintf(wait, sizeof wait, "waiting for the operator, which has %" PRIu64 " s left",
             d->deadline - now);
    lks_progress_wait(&p->link->progress, wait);
    return LKS_PARSED;
}

/* Whether the contract has the live dispute as the logs tell it, in the block that the game stands
 * at. */
static int check_state(lks_play *p, const lks_game_dispute *d)
{
    lks_dispute_view v;
    lks_err err = lks_dispute_get_at(&v, p->link, p->dispute_id, p->follow.newest.hash);
    if (err == LKS_OK && lks_game_fits_view(&v, d))
        return LKS_PARSED;
    if (err == LKS_OK) {
        lks_follow_doubt(&p->follow);
        lks_link_leave(p->link, "contradicts itself about a dispute");
        err = lks_fail(LKS_CORRUPT,
                       "the node's logs of a dispute contradict the contract's state "
                       "in block %" PRIu64 ": it withholds some",
                       p->follow.newest.number);
    }
    return lks_link_fail(p->link, err, "reading them again");
}

static int turn(lks_play *p, const lks_eth_header *newest, bool *over)
{
    lks_err err =
        newest != NULL ? lks_follow_update_to(&p->follow, newest) : lks_follow_update(&p->follow);
    if (err != LKS_OK)
        return lks_link_fail(p->link, err, NULL);
    if (p->follow.newest.number < p->sent_block) {
        lks_progress_wait(&p->link->progress, "waiting for the node to catch up");
        return LKS_PARSED;
    }
    const lks_game_dispute *d = lks_play_dispute(p);
    if (d == NULL) {
        lks_follow_doubt(&p->follow);
        return lks_cli_fail(LKS_EXIT_CHAIN, "%s: the node does not show the dispute (yet)",
                            p->link->command);
    }
    tell(p, d);
    *over = d->end != LKS_GAME_LIVE;
    int code = *over ? LKS_PARSED : check_state(p, d);
    if (code != LKS_PARSED || *over)
        return code;
    if (!lks_dispute_operator_moves(d->now.state))
        return own_turn(p, d);
    drop_proof(p);
    p->no_fault = false;
    return operators_turn(p, d);
}

/* Whether the claim has ended where the game does not see it: with its request, by the claim of
 * another seat. Asked when a contract refuses. */
static bool is_dead(lks_play *p)
{
    lks_buf call = {0}, result = {0};
    bool standing = true;
    lks_err err = lks_call_standing(&call, p->follow.name);
    err = lks_link_view(p->link, p->link->contracts.oracle, &call, err, &result);
    err = err == LKS_OK ? lks_return_bool(&standing, result.data, result.len) : err;
    lks_buf_free(&result);
    return err == LKS_OK && !standing && lks_game_status(p->follow.game) == LKS_CLAIM_DISPUTED;
}

int lks_play_turn(lks_play *p, const lks_eth_header *newest, bool *over)
{
    *over = false;
    p->link->patient = true; /* a bond is at stake: a move is not given up, nor made twice */
    int code = turn(p, newest, over);
    if (code == LKS_EXIT_REFUSED && is_dead(p)) {
        p->dead = *over = true;
        return LKS_PARSED;
    }
    return code;
}

lks_game_end lks_play_result(const lks_play *p)
{
    const lks_game_dispute *d = lks_play_dispute(p);
    return d != NULL ? d->end : LKS_GAME_LIVE;
}

int lks_play_collect(lks_play *p)
{
    lks_game_calls calls = {0};
    const lks_game_dispute *d = lks_play_dispute(p);
    bool owed = d != NULL && (d->end == LKS_GAME_MOOT || (d->end == LKS_GAME_LIVE && p->dead));
    if (owed && !d->reclaimed) {
        lks_err err = lks_game_call_reclaim(&calls, d);
        int code = send_calls(p, "reclaim", &calls, err, d);
        if (code != LKS_PARSED) {
            return code;
        }
        d = lks_follow_update(&p->follow) == LKS_OK ? lks_play_dispute(p) : NULL;
        if (d != NULL) {
            tell(p, d);
        }
    }
    return lks_credit_collect(p->link, p->quiet ? NULL : stdout);
}

/* Often while moves come in seconds, seldom once they take minutes. */
static void pause_for(double waited)
{
    const struct timespec often = {.tv_nsec = 500000000}, seldom = {.tv_sec = 5};
    nanosleep(waited < 120 ? &often : &seldom, NULL);
}

/* A turn whenever the chain may have gone on, until the dispute is over or the player has nothing
 * to show. */
static int play_turns(lks_play *p)
{
    bool over = false;
    double since = lks_now();
    size_t moves = 0;
    lks_backoff retry = {0};
    while (!over && !p->no_fault) {
        int code = lks_play_turn(p, NULL, &over);
        const lks_game_dispute *d = lks_play_dispute(p);
        if (code == LKS_EXIT_INTERRUPTED)
            return code;
        if (code == LKS_PARSED)
            lks_backoff_reset(&retry);
        else
            lks_backoff_fail(&retry);
        if (d != NULL && d->step_count != moves) {
            moves = d->step_count;
            since = lks_now();
        }
        do {
            pause_for(lks_now() - since);
        } while (!lks_backoff_ready(&retry));
    }
    return LKS_PARSED;
}

int lks_play_to_end(lks_play *p)
{
    int code = play_turns(p);
    lks_progress_end(&p->link->progress);
    if (code != LKS_PARSED)
        return code;
    if (p->no_fault)
        return LKS_EXIT_NO;
    if (lks_play_collect(p) != LKS_PARSED)
        lks_cli_note("%s: the account still has credit: collect it with lockstep credit "
                     "withdraw",
                     p->link->command);
    return lks_play_result(p) == LKS_GAME_LOST ? LKS_EXIT_NO : LKS_EXIT_OK;
}
