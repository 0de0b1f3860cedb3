#include "plugin/obligations.h"

#include "chain/hex.h"
#include "plugin/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for the names of the first obligations in a message. */
#define NAMES_SIZE 96u
#define NAMES_MOST 3u

void lks_obligations_free(lks_obligations *list)
{
    free(list->items);
    memset(list, 0, sizeof *list);
}

static lks_err push(lks_obligations *list, lks_obligation_kind kind, const uint8_t id32[32],
                    const uint8_t model_id32[32])
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        lks_obligation *items = realloc(list->items, capacity * sizeof *items);
        if (!items)
            return lks_fail(LKS_NOMEM, "out of memory");
        list->items = items;
        list->capacity = capacity;
    }
    lks_obligation *o = &list->items[list->count++];
    o->kind = kind;
    memcpy(o->id, id32, 32);
    memcpy(o->model_id, model_id32, 32);
    list->of_kind[kind]++;
    return LKS_OK;
}

lks_err lks_obligations_challenged(const lks_operator *op, const lks_claim *claim, bool *challenged)
{
    uint8_t key[32];
    uint64_t block = 0;
    lks_match_key(key, LKS_VERB_CHALLENGE, claim->claim_id, 32, NULL);
    lks_err err = lks_store_move_is_live(op->store, claim->request_id, key, challenged);
    if (err || *challenged)
        return err;
    err = lks_store_move_included(op->store, claim->request_id, key, &block);
    *challenged = block != 0;
    return err;
}

/* Requests that have our seat and no claim. A claim is known by its own row from then on. */
static lks_err add_answers(const lks_operator *op, lks_obligations *list)
{
    lks_jobs jobs = {0};
    lks_err err = lks_store_jobs_open(op->store, &jobs);
    for (size_t i = 0; !err && i < jobs.count; i++) {
        const lks_job *job = &jobs.items[i];
        if (job->state >= LKS_JOB_ACCEPTING && job->state <= LKS_JOB_CLAIMING)
            err = push(list, LKS_OWES_ANSWER, job->request_id, job->request.model_id);
    }
    lks_jobs_free(&jobs);
    return err;
}

static lks_err add_claim(const lks_operator *op, lks_obligations *list, const lks_claim *claim)
{
    const uint8_t *own20 = op->feed.events.who.operator_address;
    lks_obligation_kind kind = LKS_OWES_DEFENCE;
    bool owed = memcmp(claim->operator_address, own20, 20) == 0;
    lks_err err = LKS_OK;
    lks_job job;
    if (!owed) {
        kind = LKS_OWES_MOVES;
        err = lks_obligations_challenged(op, claim, &owed);
    }
    if (err || !owed)
        return err;
    err = lks_store_job_get(op->store, claim->request_id, &job);
    if (err) /* of a damaged job nobody knows the model; it is told of where it is missed */
        return err == LKS_CORRUPT ? LKS_OK : err;
    return push(list, kind, claim->claim_id, job.request.model_id);
}

lks_err lks_obligations_read(const lks_operator *op, lks_obligations *list)
{
    lks_claims claims = {0};
    lks_err err = add_answers(op, list);
    if (!err)
        err = lks_store_claims_open(op->store, &claims);
    for (size_t i = 0; !err && i < claims.count; i++)
        err = add_claim(op, list, &claims.items[i]);
    lks_claims_free(&claims);
    if (err)
        lks_obligations_free(list);
    return err;
}

/* ---- refusals ---- */

static bool needs_model(const lks_obligation *o, const uint8_t model_id32[32])
{
    return !model_id32 || memcmp(o->model_id, model_id32, 32) == 0;
}

/* Writes the first ids of one kind, and how many more there are. In: model_id32, NULL for any. */
static void name_some(char names[NAMES_SIZE], const lks_obligations *list, lks_obligation_kind kind,
                      const uint8_t *model_id32, size_t *count)
{
    char name[LKS_SHORT_ID_SIZE];
    size_t used = 0;
    *count = 0;
    names[0] = 0;
    for (size_t i = 0; i < list->count; i++) {
        const lks_obligation *o = &list->items[i];
        if (o->kind != kind || !needs_model(o, model_id32))
            continue;
        if (++*count > NAMES_MOST)
            continue;
        lks_short_id(name, o->id);
        used += (size_t)snprintf(names + used, NAMES_SIZE - used, "%s%s", used ? ", " : "", name);
    }
    if (*count > NAMES_MOST)
        snprintf(names + used, NAMES_SIZE - used, " and %zu more", *count - NAMES_MOST);
}

/* Appends what is owed as "2 claims of ours (0x…, 0x…)", one kind after the other. */
static void describe(lks_buf *text, const lks_obligations *list, const uint8_t *model_id32)
{
    static const char *const of_kind[LKS_OBLIGATION_KINDS][2] = {
        {"accepted request", "accepted requests"},
        {"claim of ours", "claims of ours"},
        {"claim that we dispute", "claims that we dispute"}};
    char names[NAMES_SIZE];
    size_t count = 0;
    for (int kind = 0; kind < LKS_OBLIGATION_KINDS; kind++) {
        name_some(names, list, (lks_obligation_kind)kind, model_id32, &count);
        if (count)
            lks_buf_printf(text, "%s%zu %s (%s)", text->len ? ", " : "", count,
                           of_kind[kind][count > 1], names);
    }
}

lks_err lks_obligations_check_models(const lks_operator *op)
{
    lks_obligations list = {0};
    lks_buf needed_by = {0};
    char model[LKS_HEX_SIZE(32)];
    lks_err err = lks_obligations_read(op, &list);
    for (size_t i = 0; !err && i < list.count; i++) {
        const uint8_t *id = list.items[i].model_id;
        if (lks_models_find(op->models, id))
            continue;
        describe(&needed_by, &list, id);
        lks_hex_encode(model, id, 32);
        err = lks_fail(
            LKS_REFUSED,
            "no configured file is model %s, which is needed for %s: put its file back into"
            " \"models\" until they are final (\"accept\": false takes nothing new), or"
            " name another database and keystore",
            model, lks_buf_text(&needed_by));
    }
    lks_buf_free(&needed_by);
    lks_obligations_free(&list);
    return err;
}

lks_err lks_obligations_blame(const lks_operator *op, lks_err err)
{
    lks_obligations list = {0};
    lks_buf text = {0};
    lks_err of_list = lks_obligations_read(op, &list);
    if (of_list)
        return of_list;
    describe(&text, &list, NULL);
    if (list.count)
        err = lks_fail_in(err, "%s wait for this", lks_buf_text(&text));
    lks_buf_free(&text);
    lks_obligations_free(&list);
    return err;
}

/* ---- draining ---- */

void lks_obligations_tell(lks_operator *op)
{
    lks_obligations list = {0};
    lks_buf text = {0};
    lks_drain *drain = &op->drain;
    uint64_t head = op->head.ref.number;
    if (op->config->policy.accept || drain->over || drain->head == head)
        return;
    drain->head = head;
    if (lks_obligations_read(op, &list))
        return; /* whoever needs it says so */
    describe(&text, &list, NULL);
    if (list.count && !drain->begun)
        lks_log(op->host, LKS_INFO, "no request is accepted; still open: %s", lks_buf_text(&text));
    if (list.count == 0 && (drain->begun || op->config->is_operator))
        lks_log(op->host, LKS_INFO, "no request is accepted, and nothing of ours is open any more");
    drain->over = list.count == 0;
    drain->begun = true;
    lks_buf_free(&text);
    lks_obligations_free(&list);
}
