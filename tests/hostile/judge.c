/* What became of a life, by the books of the chain. */
#include "tests/hostile/life.h"

#include "tests/plugin/sim_game.h"

#include <stdio.h>
#include <string.h>

static void lose(life *l, size_t count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* So many losses; the first reason is kept. */
static void lose(life *l, size_t count, const char *format, ...)
{
    va_list args;
    if (count == 0)
        return;
    l->result.honest_losses += count;
    if (l->result.reason[0])
        return;
    va_start(args, format);
    vsnprintf(l->result.reason, sizeof l->result.reason, format, args);
    va_end(args);
}

/* Whether more went out than came in, beside gas: its own, which is not in the books, and that of
 * answers to its questions. */
static bool is_poorer(const sim_account *a)
{
    lks_u256 in, out, rest;
    lks_u256_add(&in, &a->earned, &a->answers);
    lks_u256_add(&out, &a->paid, &a->penalties);
    lks_u256_add(&out, &out, &a->burned);
    return lks_u256_sub(&rest, &in, &out) != 0;
}

static void judge_account(life *l, size_t i)
{
    const sim_account *a = &l->chain->accounts[i];
    const char *name = l->parties[i].name;
    lose(l, a->convictions, "the %s was convicted", name);
    lose(l, a->misses, "the %s missed a claim", name);
    lose(l, a->lost, "the %s lost a dispute by the clock", name);
    lose(l, is_poorer(a), "the %s paid more than it got back", name);
}

static void judge_errand(life *l, const life_errand *e)
{
    const sim_request *q = &l->chain->requests[e->request];
    const life_rival *r = &e->rival;
    if (!e->asked)
        return;
    if (!e->cancel_at) {
        l->result.requests++;
        l->result.final += q->status == LKS_REQUEST_FINAL;
    }
    if (!r->claimed || !r->lies)
        return;
    l->result.liars++;
    for (size_t i = 0; i < q->barred_count; i++)
        if (memcmp(q->barred[i], l->chain->other, 20) == 0) {
            l->result.liars_convicted++;
            return;
        }
}

void life_judge(life *l)
{
    for (size_t i = 0; i < LIFE_PARTIES; i++)
        judge_account(l, i);
    for (size_t i = 0; i < l->errand_count; i++)
        judge_errand(l, &l->errands[i]);
    l->result.blocks = l->chain->block_count;
    if (!l->result.reason[0] && l->result.liars != l->result.liars_convicted)
        snprintf(l->result.reason, sizeof l->result.reason, "a liar was not convicted");
    if (!l->result.reason[0] && !world_is_quiet(l))
        snprintf(l->result.reason, sizeof l->result.reason, "something is open after %zu blocks",
                 l->chain->block_count);
}

static const char *const request_words[] = {
    "none", "open", "accepted", "revealing", "claimed", "final", "refunded", "undecided", "void"};
static const char *const seat_words[] = {"none",   "accepted",  "committed", "claimed",
                                         "missed", "convicted", "?",         "?"};

static void tell_seat(const life *l, const sim_seat *seat)
{
    const char *who = "a rival";
    for (size_t i = 0; i < LIFE_PARTIES; i++)
        if (memcmp(seat->operator_address, l->chain->accounts[i].address, 20) == 0)
            who = l->parties[i].name;
    printf("    seat of %s: %s, claim 0x%02x%02x%02x%02x\n", who, seat_words[seat->status & 7],
           seat->claim_id[0], seat->claim_id[1], seat->claim_id[2], seat->claim_id[3]);
}

void life_tell(const life *l)
{
    const sim *s = l->chain;
    for (size_t i = 0; i < l->errand_count; i++) {
        const life_errand *e = &l->errands[i];
        const sim_request *q = &s->requests[e->request];
        if (!e->asked)
            continue;
        printf("request 0x%02x%02x%02x%02x in block %llu: %s, attempt %u, %zu convicted%s%s%s\n",
               q->id[0], q->id[1], q->id[2], q->id[3], (unsigned long long)q->block,
               request_words[q->status], q->attempt, q->barred_count,
               e->rival.takes_part ? ", a rival" : "", e->rival.lies ? " that lies" : "",
               e->cancel_at ? ", to be cancelled" : "");
        for (size_t k = 0; k < q->taken; k++)
            tell_seat(l, &q->seats[k]);
    }
    for (size_t i = 0; i < s->dispute_count; i++) {
        const sim_dispute *d = &s->disputes[i];
        printf("dispute of claim 0x%02x%02x%02x%02x by 0x%02x%02x: state %d, begun %llu\n",
               d->claim_id[0], d->claim_id[1], d->claim_id[2], d->claim_id[3],
               d->terms.challenger[0], d->terms.challenger[1], (int)d->at.state,
               (unsigned long long)(d->start - s->blocks[0].time));
    }
}
