/* Requests that we have accepted: our seat by the contract, and by its events. */
#include "plugin/state_check_internal.h"

#include "plugin/log.h"

#include <string.h>

/* Where the block of a request is not known, its events are looked for that far back. */
#define FAR_BLOCKS 8192u

/* A request by the contract. */
typedef struct seen {
    const lks_operator *op;
    lks_request_state state;
    lks_seat seat; /* ours; else empty */
} seen;

static lks_err ask_seat(lks_operator *op, const lks_job *job, uint8_t attempt, uint8_t number,
                        lks_seat *seat)
{
    lks_buf call = {0}, result = {0};
    lks_err encoded = lks_call_seat_of(&call, job->request_id, attempt, number);
    lks_err err = lks_state_check_ask(op, op->config->oracle, encoded, &call, &result);
    if (!err)
        err = lks_return_seat(seat, result.data, result.len);
    lks_buf_free(&result);
    return err;
}

static bool is_ours(const lks_operator *op, const lks_seat *seat)
{
    return memcmp(seat->operator_address, op->feed.events.who.operator_address, 20) == 0;
}

static lks_err ask(lks_operator *op, const lks_job *job, seen *out)
{
    lks_buf call = {0}, result = {0};
    const lks_round *r = &job->round;
    memset(out, 0, sizeof *out);
    out->op = op;
    lks_err encoded = lks_call_state_of(&call, job->request_id);
    lks_err err = lks_state_check_ask(op, op->config->oracle, encoded, &call, &result);
    if (!err)
        err = lks_return_state(&out->state, result.data, result.len);
    lks_buf_free(&result);
    if (err || r->accepted.number)
        return err ? err : ask_seat(op, job, r->attempt, r->seat, &out->seat);
    for (uint8_t i = 0; !err && i < out->state.seats_taken; i++) {
        err = ask_seat(op, job, out->state.attempt, i, &out->seat);
        if (!err && is_ours(op, &out->seat))
            return LKS_OK;
    }
    memset(&out->seat, 0, sizeof out->seat);
    return err;
}

static bool is_filled(lks_request_status status)
{
    return status == LKS_REQUEST_ACCEPTED || status == LKS_REQUEST_REVEALING ||
           status == LKS_REQUEST_CLAIMED;
}

/* Returns: what differs, in words; NULL when nothing does. */
static const char *compare(const seen *s, const lks_job *job)
{
    const lks_round *r = &job->round;
    lks_seat_status status = is_ours(s->op, &s->seat) ? s->seat.status : LKS_SEAT_EMPTY;
    bool over = s->state.status == LKS_REQUEST_FINAL || s->state.status == LKS_REQUEST_REFUNDED ||
                s->state.status == LKS_REQUEST_UNDECIDED;
    if (job->end || r->missed.number)
        return NULL;
    if (over)
        return "it has ended by the contract, and no event says so";
    if (r->accepted.number == 0)
        return status == LKS_SEAT_EMPTY
                   ? NULL
                   : "a seat of it is ours by the contract, and no event says so";
    if (status == LKS_SEAT_EMPTY)
        return "a seat of it is ours by an event, and not by the contract";
    if (is_filled(s->state.status) && r->full.number == 0)
        return "its seats are all taken by the contract, and no event says so";
    if (s->state.status == LKS_REQUEST_REVEALING && r->committed.number && !r->claimed.number &&
        r->reveal_opened.number == 0 && s->op->head.time <= r->claim_deadline)
        return "it is to be revealed by the contract, and no event says so";
    lks_seat_status expected = r->claimed.number     ? LKS_SEAT_CLAIMED
                               : r->committed.number ? LKS_SEAT_COMMITTED
                                                     : LKS_SEAT_ACCEPTED;
    return status == expected ? NULL : "contract and events differ in what we have done about it";
}

static bool fits(void *user, const lks_job *job)
{
    return compare(user, job) == NULL;
}

static uint64_t first_block(const lks_operator *op, const lks_job *job)
{
    uint64_t head = op->feed.head.ref.number;
    if (job->requested.number)
        return job->requested.number;
    return head > FAR_BLOCKS ? head - FAR_BLOCKS : 1;
}

static lks_err check(lks_operator *op, const lks_job *job, bool *again)
{
    seen s;
    const lks_checked what = {"request", job->request_id};
    char name[LKS_SHORT_ID_SIZE];
    lks_err err = ask(op, job, &s);
    if (err || !lks_state_check_differs(op, &what, compare(&s, job)))
        return err;
    *again = true;
    if (lks_feed_reread(&op->feed, job->request_id, first_block(op, job), fits, &s)) {
        lks_short_id(name, job->request_id);
        lks_log(op->host, LKS_DEBUG, "request %s: reading its events again: %s", name,
                lks_error_message());
    }
    return LKS_OK;
}

/* Jobs with a seat of ours, by the events. */
static bool has_seat(const lks_job *job)
{
    return job->round.accepted.number != 0;
}

lks_err lks_state_check_jobs(lks_operator *op, bool all, bool *again)
{
    lks_jobs open = {0}, unconfirmed = {0};
    if (!all && op->state_check.count == 0)
        return LKS_OK;
    lks_err err = lks_store_jobs_open(op->store, &open);
    if (!err)
        err = lks_store_jobs_unconfirmed(op->store, &unconfirmed);
    for (size_t i = 0; !err && i < open.count + unconfirmed.count; i++) {
        bool own = i < open.count;
        const lks_job *job = own ? &open.items[i] : &unconfirmed.items[i - open.count];
        if ((own && !has_seat(job)) || !(all || lks_state_check_has(op, job->request_id)))
            continue;
        err = check(op, job, again);
    }
    lks_jobs_free(&open);
    lks_jobs_free(&unconfirmed);
    return err;
}
