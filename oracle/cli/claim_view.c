#include "oracle/cli/claim_view.h"

#include "oracle/cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* name32: of the claim that the event is about; NULL: any. */
static const lks_event *find_event(const lks_request_view *v, lks_event_kind kind,
                                   const uint8_t *name32)
{
    for (size_t i = 0; i < v->event_count; i++) {
        const lks_event *e = &v->events[i].e;
        if (e->kind == kind && (name32 == NULL || memcmp(e->name, name32, 32) == 0)) {
            return e;
        }
    }
    return NULL;
}

/* Out: a new list of the packed ids; NULL for none. */
static lks_err unpack(uint32_t **ids, size_t *count, const uint8_t *packed, size_t len)
{
    *count = len / 4;
    if (len == 0) {
        return LKS_OK;
    }
    *ids = malloc(len);
    return *ids != NULL ? lks_tokens_unpack(*ids, packed, len)
                        : lks_fail(LKS_NOMEM, "out of memory");
}

static void set_id(lks_claim_view *c, const lks_event *claimed, const lks_request_view *v,
                   const lks_deployment *d)
{
    uint8_t tokens[32];
    lks_claim_facts facts;
    lks_claim_terms terms;
    lks_tokens_hash(tokens, claimed->bytes, claimed->bytes_len);
    lks_claim_facts_of(&facts, &v->request, claimed->seed, (uint32_t)(claimed->bytes_len / 4),
                       tokens);
    lks_claim_terms_of(&terms, d->oracle, c->name, c->operator20, &v->request, &facts);
    lks_claim_id(c->claim_id, &terms);
}

static lks_err fill(lks_claim_view *c, const lks_request_event *event, const lks_request_view *v,
                    const lks_deployment *d)
{
    const lks_event *claimed = &event->e;
    const lks_event *requested = find_event(v, LKS_EVENT_REQUESTED, NULL);
    lks_request_status status = v->state.status;
    if (requested == NULL || claimed->bytes_len == 0) {
        return lks_fail(LKS_CORRUPT, "the node lacks events of the claim");
    }
    memcpy(c->name, claimed->name, sizeof c->name);
    memcpy(c->operator20, claimed->account, sizeof c->operator20);
    c->attempt = claimed->attempt;
    c->seat = claimed->seat;
    c->window_end = claimed->time;
    c->block = event->log->block_number;
    c->convicted = find_event(v, LKS_EVENT_CONVICTED, c->name) != NULL;
    c->voided = find_event(v, LKS_EVENT_VOIDED, c->name) != NULL;
    c->standing = !c->convicted && !c->voided && c->attempt == v->state.attempt &&
                  (status == LKS_REQUEST_CLAIMED || status == LKS_REQUEST_REVEALING);
    set_id(c, claimed, v, d);
    lks_err err = unpack(&c->prompt, &c->run.prompt_count, requested->bytes, requested->bytes_len);
    err = err == LKS_OK
              ? unpack(&c->answer, &c->run.answer_count, claimed->bytes, claimed->bytes_len)
              : err;
    err = err == LKS_OK ? unpack(&c->allowed, &c->run.policy.allowed_count, requested->allowed,
                                 requested->allowed_len)
                        : err;
    c->run.prompt = c->prompt;
    c->run.answer = c->answer;
    c->run.policy.allowed = c->allowed;
    c->run.policy.temperature = v->request.temperature;
    c->run.policy.min_p = v->request.min_p;
    c->run.policy.seed = claimed->seed;
    return err;
}

lks_err lks_claim_view_by_name(lks_claim_view *c, const lks_request_view *v,
                               const lks_deployment *d, const uint8_t name32[32])
{
    *c = (lks_claim_view){0};
    for (size_t i = 0; i < v->event_count; i++) {
        const lks_event *e = &v->events[i].e;
        if (e->kind == LKS_EVENT_CLAIMED && memcmp(e->name, name32, 32) == 0) {
            return fill(c, &v->events[i], v, d);
        }
    }
    return lks_fail(LKS_NOTFOUND, "the request has no such claim");
}

static const lks_event *final_event(const lks_request_view *v)
{
    const lks_event *e = find_event(v, LKS_EVENT_FINALIZED, NULL);
    return v->state.status == LKS_REQUEST_FINAL ? e : NULL;
}

lks_err lks_claim_view_find(lks_claim_view *c, const lks_request_view *v, const lks_deployment *d,
                            const lks_claim_args *args)
{
    const lks_event *final = final_event(v);
    uint32_t newest = 0;
    size_t found = 0, at = 0;
    *c = (lks_claim_view){0};
    if (final != NULL && !args->seat_given && !args->attempt_given) {
        return lks_claim_view_by_name(c, v, d, final->name);
    }
    for (size_t i = 0; i < v->event_count; i++) {
        const lks_event *e = &v->events[i].e;
        newest = e->kind == LKS_EVENT_CLAIMED && e->attempt > newest ? e->attempt : newest;
    }
    newest = args->attempt_given ? args->attempt : newest;
    for (size_t i = 0; i < v->event_count; i++) {
        const lks_event *e = &v->events[i].e;
        if (e->kind == LKS_EVENT_CLAIMED && e->attempt == newest &&
            (!args->seat_given || e->seat == args->seat)) {
            found++;
            at = i;
        }
    }
    if (found == 0) {
        return lks_fail(LKS_NOTFOUND, args->seat_given || args->attempt_given
                                          ? "the request has no claim there"
                                          : "the request has no claim");
    }
    if (found > 1) {
        return lks_fail(LKS_BADARGS,
                        "attempt %" PRIu32 " of the request has %zu claims; choose one with --seat",
                        newest, found);
    }
    return fill(c, &v->events[at], v, d);
}

void lks_claim_view_free(lks_claim_view *c)
{
    free(c->prompt);
    free(c->answer);
    free(c->allowed);
    *c = (lks_claim_view){0};
}

int lks_claim_view_get(lks_request_view *v, lks_claim_view *c, lks_link *s,
                       const char *request_text, const lks_claim_args *args)
{
    uint8_t id[32];
    *c = (lks_claim_view){0};
    *v = (lks_request_view){0};
    int code = lks_request_parse_id(id, s->command, request_text);
    if (code != LKS_PARSED) {
        return code;
    }
    lks_err err = lks_request_view_get(v, s, id, 0);
    if (err == LKS_NOTFOUND) {
        return lks_cli_fail(LKS_EXIT_NO, "%s: %s; is it the right --contracts file?", s->command,
                            lks_error_message());
    }
    if (err == LKS_OK) {
        err = lks_claim_view_find(c, v, &s->contracts, args);
    }
    if (err == LKS_NOTFOUND) {
        return lks_cli_fail(LKS_EXIT_NO, "%s: %s; its state is %s (lockstep status)", s->command,
                            lks_error_message(), lks_request_status_word(v->state.status));
    }
    return err == LKS_OK ? LKS_PARSED : lks_link_fail(s, err, NULL);
}
