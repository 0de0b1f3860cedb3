/* Everybody but the parties: requesters, rivals, false challengers, and the chain's weather. */
#include "tests/hostile/life.h"

#include "plugin/match.h"
#include "tests/hostile/sim_time.h"
#include "tests/plugin/sim_game.h"

#include <string.h>

#define GWEI UINT64_C(1000000000)
#define SAMPLED 1065353216u /* a temperature of 1 */
#define FIRST_ASKED 4u
#define PUSH_BLOCKS 4u        /* before the same is tried again */
#define MOST_DEPTH 8u         /* of a re-org */
#define MOST_DEAR_BLOCKS 150u /* for which fees stay high */
#define WINDOW_LEAST 40u
#define WINDOW_MOST 90u

/* ---- plan ---- */

/* Other tokens than the model's: one is changed. */
static void falsify(life *l, uint32_t *tokens, uint32_t count)
{
    uint32_t vocabulary = l->models->items[0].vocab_size;
    uint32_t i = chance_below(&l->plan, count);
    tokens[i] = (tokens[i] + chance_between(&l->plan, 1, vocabulary - 1)) % vocabulary;
}

/* Greedy: what it claims is then known beforehand. */
static void plan_rival(life *l, life_errand *e)
{
    life_rival *r = &e->rival;
    r->takes_part = true;
    r->lies = e->terms.replicas == 1 || chance_of(&l->plan, 500);
    r->silent_from = UINT64_MAX;
    if (chance_of(&l->plan, 250))
        r->silent_from = e->ask_at + chance_between(&l->plan, 5, 60);
    r->shows_right = r->lies && chance_of(&l->plan, 500);
}

static void plan_accusers(life *l, life_errand *e)
{
    e->accuser_count = chance_of(&l->plan, 500) ? chance_between(&l->plan, 1, LIFE_ACCUSERS) : 0;
    for (size_t i = 0; i < e->accuser_count; i++)
        e->accusers[i].after = chance_between(&l->plan, 1, e->terms.window - 4);
}

static void plan_errand(life *l, life_errand *e)
{
    e->ask_at = chance_between(&l->plan, FIRST_ASKED, (uint32_t)l->last_block - 140);
    e->rival.silent_from = UINT64_MAX;
    e->prompt_count = chance_between(&l->plan, 1, LIFE_MAX_PROMPT);
    lks_request *t = &e->terms;
    t->max_tokens = chance_between(&l->plan, 1, LIFE_MAX_TOKENS);
    t->window = chance_between(&l->plan, WINDOW_LEAST, WINDOW_MOST);
    t->claim_period = chance_between(&l->plan, 60, 120);
    t->replicas = 1;
    if (l->options.odd && chance_of(&l->plan, 150))
        t->replicas = 2;
    if (l->options.liars && chance_of(&l->plan, 300))
        plan_rival(l, e);
    else if (t->replicas == 2)
        plan_rival(l, e);
    else if (l->options.odd && chance_of(&l->plan, 300))
        t->temperature = SAMPLED;
    t->seed = t->temperature ? chance_next(&l->plan) >> 1 : 0;
    if (l->options.odd && chance_of(&l->plan, 100))
        e->cancel_at = e->ask_at + chance_between(&l->plan, 0, 60);
    if (l->options.accusers)
        plan_accusers(l, e);
}

static void move_errand(life_errand *e, uint64_t ask_at)
{
    if (e->cancel_at)
        e->cancel_at += ask_at - e->ask_at;
    if (e->rival.silent_from != UINT64_MAX)
        e->rival.silent_from += ask_at - e->ask_at;
    e->ask_at = ask_at;
}

void world_plan(life *l)
{
    l->errand_count = chance_between(&l->plan, 4, 10);
    for (size_t i = 0; i < l->errand_count; i++) {
        life_errand *e = &l->errands[i];
        plan_errand(l, e);
        if (i && chance_of(&l->plan, 300)) /* several in one block */
            move_errand(e, e[-1].ask_at);
    }
}

/* ---- requests ---- */

static uint64_t now_of(const sim *s)
{
    return s->blocks[s->block_count - 1].time;
}

static void put_oracle_call(life *l, const uint8_t from20[20], lks_err made, lks_buf *call)
{
    DO(made);
    sim_put_call(l->chain, from20, l->chain->oracle, call);
    lks_buf_free(call);
}

/* Somebody acts: not again in the next blocks, in which that may still be undone. */
static bool may_push(life *l, life_errand *e)
{
    if (e->pushed_at && l->chain->block_count < e->pushed_at + PUSH_BLOCKS)
        return false;
    e->pushed_at = l->chain->block_count;
    return true;
}

static void prepare_rival(life *l, life_errand *e)
{
    life_rival *r = &e->rival;
    sim *s = l->chain;
    r->count = life_answer(e->prompt_count, e->terms.max_tokens, 0, 0, r->tokens);
    memcpy(r->trace_tokens, r->tokens, sizeof r->tokens);
    if (r->lies) {
        falsify(l, r->tokens, r->count);
        if (!r->shows_right)
            memcpy(r->trace_tokens, r->tokens, sizeof r->tokens);
    }
    r->player = (puppet){.chain = s, .served = &l->models->items[0], .defends = true};
    r->player.request = e->request;
    r->player.tokens = r->trace_tokens;
    r->player.spill = l->rows;
    memcpy(r->player.address, s->other, 20);
}

static void ask(life *l, life_errand *e)
{
    lks_request defaults = sim_terms(l->chain);
    lks_request *t = &e->terms;
    t->accept_deadline = now_of(l->chain) + 600;
    memcpy(t->requester, defaults.requester, 20);
    memcpy(t->model_id, defaults.model_id, 32);
    t->stake = defaults.stake;
    t->fee = defaults.fee;
    e->request = sim_ask(l->chain, t, e->prompt_count);
    e->asked = true;
    if (!e->rival.takes_part)
        return;
    prepare_rival(l, e);
    if (t->replicas == 1 || chance_of(&l->plan, 500))
        sim_other(l->chain, SIM_OTHER_ACCEPTS, e->request); /* before anybody else can */
}

/* Whoever asked reports what was due and did not come. */
static void report_misses(life *l, life_errand *e)
{
    const sim_request *q = &l->chain->requests[e->request];
    bool awaits = q->status == LKS_REQUEST_ACCEPTED || q->status == LKS_REQUEST_REVEALING;
    bool unfilled = q->status == LKS_REQUEST_OPEN && q->taken && now_of(l->chain) > q->deadline;
    lks_buf call = {0};
    if (unfilled && may_push(l, e))
        put_oracle_call(l, q->request.requester, lks_call_free_seats(&call, &q->request), &call);
    if (!awaits || now_of(l->chain) <= q->deadline || !may_push(l, e))
        return;
    for (uint8_t i = 0; i < q->taken; i++) {
        const sim_seat *seat = &q->seats[i];
        bool late = seat->status == LKS_SEAT_ACCEPTED ||
                    (seat->status == LKS_SEAT_COMMITTED && q->status == LKS_REQUEST_REVEALING);
        if (late)
            put_oracle_call(l, q->request.requester, lks_call_missed(&call, &q->request, i), &call);
    }
}

/* ---- rivals ---- */

static const uint8_t rival_salt[32] = {5};

/* The rival's seat. Returns: LKS_MAX_REPLICAS when it has none. */
static size_t seat_of_rival(const life *l, const sim_request *q)
{
    size_t i = 0;
    while (i < q->taken && memcmp(q->seats[i].operator_address, l->chain->other, 20))
        i++;
    return i < q->taken ? i : LKS_MAX_REPLICAS;
}

static bool was_convicted(const life *l, const sim_request *q)
{
    for (size_t i = 0; i < q->barred_count; i++)
        if (memcmp(q->barred[i], l->chain->other, 20) == 0)
            return true;
    return false;
}

static void claim_as_rival(life *l, life_errand *e, uint8_t seat)
{
    const sim_request *q = &l->chain->requests[e->request];
    lks_buf tokens = {0}, call = {0};
    uint8_t hash[32], commitment[32];
    lks_err err;
    lks_tokens_pack(&tokens, e->rival.tokens, e->rival.count);
    lks_tokens_hash(hash, tokens.data, tokens.len);
    lks_claim_commitment(commitment, q->seats[seat].name, l->chain->other, q->seed, hash,
                         rival_salt);
    if (q->request.replicas == 1)
        err = lks_call_claim(&call, &q->request, q->seed, tokens.data, tokens.len, NULL, 0);
    else if (q->seats[seat].status == LKS_SEAT_ACCEPTED)
        err = lks_call_commit_claim(&call, &q->request, seat, q->seed, commitment);
    else
        err = lks_call_reveal_claim(&call, &q->request, seat, q->seed, tokens.data, tokens.len,
                                    NULL, 0, rival_salt);
    put_oracle_call(l, l->chain->other, err, &call);
    lks_buf_free(&tokens);
}

/* Whether its challenger's time is over. */
static bool was_left(sim *s, const sim_dispute *d)
{
    return !sim_is_operators(d->at.state) && now_of(s) > sim_deadline(s, d);
}

/* The rival's moves, when there is one to be made. */
static void defend(life *l, puppet *p, const uint8_t claim_id[32])
{
    sim *s = l->chain;
    bool asked = false, left = false;
    for (size_t i = 0; i < s->dispute_count; i++) {
        const sim_dispute *d = &s->disputes[i];
        if (memcmp(d->claim_id, claim_id, 32) || d->at.state == LKS_DISPUTE_CLOSED)
            continue;
        asked = asked || sim_is_operators(d->at.state);
        left = left || was_left(s, d);
    }
    if (asked)
        puppet_move(p);
    if (left)
        puppet_timeout(p);
}

/* What the rival does for its seat. */
static void act_as_rival(life *l, life_errand *e)
{
    const sim_request *q = &l->chain->requests[e->request];
    life_rival *r = &e->rival;
    size_t seat = seat_of_rival(l, q);
    if (seat == LKS_MAX_REPLICAS) {
        bool wants = q->status == LKS_REQUEST_OPEN && !was_convicted(l, q) && !q->cancelled;
        if (wants && q->request.replicas > 1 && may_push(l, e))
            sim_other(l->chain, SIM_OTHER_ACCEPTS, e->request);
        return;
    }
    r->player.seat = seat;
    lks_seat_status status = q->seats[seat].status;
    bool due = (q->status == LKS_REQUEST_ACCEPTED && status == LKS_SEAT_ACCEPTED) ||
               (q->status == LKS_REQUEST_REVEALING && status == LKS_SEAT_COMMITTED);
    if (due && may_push(l, e))
        claim_as_rival(l, e, (uint8_t)seat);
    if (status == LKS_SEAT_CLAIMED) {
        r->claimed = true;
        r->player.silent = l->chain->block_count >= r->silent_from;
        defend(l, &r->player, q->seats[seat].claim_id);
    }
}

/* ---- false challengers ---- */

/* The seat of the operator whose claim is accused. Returns: LKS_MAX_REPLICAS when it has none. */
static size_t seat_of_operator(const life *l, const sim_request *q)
{
    const uint8_t *account = l->chain->accounts[LIFE_OPERATOR].address;
    size_t i = 0;
    while (i < q->taken && memcmp(q->seats[i].operator_address, account, 20))
        i++;
    return i < q->taken ? i : LKS_MAX_REPLICAS;
}

/* Its dispute of a claim. Returns: NULL when there is none. */
static const sim_dispute *dispute_of(const sim *s, const puppet *p, const sim_seat *seat)
{
    for (size_t i = 0; i < s->dispute_count; i++)
        if (memcmp(s->disputes[i].claim_id, seat->claim_id, 32) == 0 &&
            memcmp(s->disputes[i].terms.challenger, p->address, 20) == 0)
            return &s->disputes[i];
    return NULL;
}

static void prepare_accuser(life *l, const life_errand *e, life_accuser *a, const sim_seat *seat)
{
    uint32_t count = (uint32_t)(seat->tokens.len / 4);
    DO(lks_tokens_unpack(a->tokens, seat->tokens.data, seat->tokens.len));
    falsify(l, a->tokens, count);
    a->player = (puppet){.chain = l->chain, .served = &l->models->items[0]};
    a->player.request = e->request;
    a->player.tokens = a->tokens;
    a->player.spill = l->rows;
    a->player.silent = chance_of(&l->plan, 300);
    memset(a->player.address, 0xa0, 20);
    a->player.address[0] = (uint8_t)(e - l->errands);
    a->player.address[1] = (uint8_t)(a - e->accusers);
}

/* A move, or the end by the clock, where one of them can be made. What the chain did not take is
 * tried again some blocks later. */
static void press(life *l, life_accuser *a, const sim_dispute *d)
{
    sim *s = l->chain;
    bool same = lks_match_same_place(&a->moved_from, &d->at);
    if (d->at.state == LKS_DISPUTE_CLOSED)
        return;
    if (sim_is_operators(d->at.state)) {
        if (now_of(s) > sim_deadline(s, d))
            puppet_timeout(&a->player);
        return;
    }
    if (same && s->block_count < a->moved_at + PUSH_BLOCKS)
        return;
    a->moved_from = d->at;
    a->moved_at = s->block_count;
    puppet_move(&a->player);
}

static void act_as_accuser(life *l, life_errand *e, life_accuser *a)
{
    const sim_request *q = &l->chain->requests[e->request];
    size_t i = seat_of_operator(l, q);
    if (i == LKS_MAX_REPLICAS || !sim_stands(q, i))
        return;
    const sim_seat *seat = &q->seats[i];
    if (!a->player.chain)
        prepare_accuser(l, e, a, seat);
    a->player.seat = i;
    const sim_dispute *d = dispute_of(l->chain, &a->player, seat);
    if (d) {
        press(l, a, d);
        return;
    }
    uint64_t begun = q->window_end - q->request.window;
    if (now_of(l->chain) >= begun + a->after && now_of(l->chain) < q->window_end && may_push(l, e))
        puppet_challenge(&a->player);
}

/* ---- all of them ---- */

static void act(life *l, life_errand *e)
{
    uint64_t next = l->chain->block_count;
    const sim_request *q = &l->chain->requests[e->request];
    if (!e->asked && next >= e->ask_at && next < l->last_block)
        ask(l, e);
    if (!e->asked || q->status == LKS_REQUEST_NONE)
        return;
    bool open = q->status == LKS_REQUEST_OPEN || q->status == LKS_REQUEST_ACCEPTED;
    if (e->cancel_at && next >= e->cancel_at && open && !q->cancelled)
        sim_other(l->chain, SIM_CANCELS, e->request);
    report_misses(l, e);
    if (e->rival.takes_part)
        act_as_rival(l, e);
    for (size_t i = 0; i < e->accuser_count; i++)
        act_as_accuser(l, e, &e->accusers[i]);
}

void world_act(life *l)
{
    for (size_t i = 0; i < l->errand_count; i++)
        act(l, &l->errands[i]);
}

bool world_is_quiet(const life *l)
{
    for (size_t i = 0; i < l->errand_count; i++) {
        const life_errand *e = &l->errands[i];
        lks_request_status status = l->chain->requests[e->request].status;
        if (!e->asked || (status != LKS_REQUEST_FINAL && status != LKS_REQUEST_REFUNDED &&
                          status != LKS_REQUEST_UNDECIDED))
            return false;
    }
    for (size_t i = 0; i < l->chain->dispute_count; i++)
        if (l->chain->disputes[i].at.state != LKS_DISPUTE_CLOSED &&
            sim_account_at(l->chain, l->chain->disputes[i].terms.challenger))
            return false;
    return true;
}

/* ---- weather ---- */

static void change_fees(life *l)
{
    sim *s = l->chain;
    if (chance_of(&l->weather, 20)) {
        s->base_fee = GWEI * chance_between(&l->weather, 1, 60);
        if (chance_of(&l->weather, 500))
            l->dear_until = s->block_count + chance_between(&l->weather, 20, MOST_DEAR_BLOCKS);
    } else if (s->base_fee > 2 * GWEI && s->block_count > l->dear_until) {
        s->base_fee -= s->base_fee / 16;
    }
    if (chance_of(&l->weather, 20))
        s->priority = GWEI / 10 * chance_between(&l->weather, 1, 90);
}

static void spend_nonce(life *l)
{
    sim *s = l->chain;
    sim_other(s, SIM_FOREIGN, 0);
    s->txs[s->tx_count - 1].account = chance_below(&l->weather, LIFE_PARTIES);
}

/* Sets the machine's time of day: now and then a day ahead or an hour behind, for some blocks. */
static void set_clock(life *l)
{
    uint64_t head = l->chain->block_count;
    bool ahead = chance_of(&l->clock, 500);
    bool changes = chance_of(&l->clock, 10);
    uint64_t blocks = chance_between(&l->clock, 1, 40);
    if (head < l->clock_until || (l->clock_off == 0 && !changes))
        return;
    int64_t off = l->clock_off ? 0 : ahead ? 86400 : -3600;
    sim_clock.unix_seconds += (uint64_t)(off - l->clock_off);
    l->clock_off = off;
    l->clock_until = off ? head + blocks : 0;
}

void world_weather(life *l)
{
    sim *s = l->chain;
    if (l->options.clock)
        set_clock(l);
    if (l->options.fees) {
        change_fees(l);
        if (chance_of(&l->weather, 10))
            spend_nonce(l);
        if (chance_of(&l->weather, 15))
            sim_forget_pool(s);
    }
    uint32_t depth = chance_between(&l->weather, 1, MOST_DEPTH);
    if (l->options.reorgs && s->block_count > FIRST_ASKED + MOST_DEPTH &&
        chance_of(&l->weather, 25)) {
        bool keeps = chance_of(&l->weather, 500);
        s->loses_foreign = !keeps && chance_of(&l->weather, 500);
        sim_reorg(s, depth, true, keeps);
    }
    sim_mine(s, 1);
}
