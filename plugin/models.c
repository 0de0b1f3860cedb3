#include "plugin/models.h"

#include "oracle/trace/commit.h"

#include <stdlib.h>
#include <string.h>

static lks_err run(const lks_served *served, const uint32_t *prompt, size_t prompt_count,
                   const lks_policy *policy, uint32_t max_tokens,
                   const lks_generate_options *options, uint32_t *tokens, uint32_t *count)
{
    return lks_generate(served->model, prompt, prompt_count, policy, max_tokens, options, tokens,
                        count);
}

static lks_err recheck(const lks_served *served, const lks_run *answer,
                       const lks_trace_options *options, uint32_t *first_wrong)
{
    lks_trace *t = NULL;
    lks_err err = lks_trace_make(&t, served->model, answer, options);
    if (!err)
        *first_wrong = lks_trace_first_wrong_token(t);
    lks_trace_free(t);
    return err;
}

static lks_err open_one(lks_models *out, const char *path, bool with_trees)
{
    lks_served *served = &out->items[out->count];
    served->model = calloc(1, sizeof *served->model);
    if (!served->model)
        return lks_fail(LKS_NOMEM, "out of memory");
    out->count++;
    lks_err err = lks_model_load(served->model, path);
    if (err)
        return err;
    if (with_trees) {
        err = lks_model_trees_make(&served->trees, served->model);
        if (!err)
            served->commitment = *lks_model_trees_commitment(served->trees);
    } else {
        err = lks_commitment_make(&served->commitment, served->model, NULL, NULL);
    }
    if (!err)
        err = lks_model_settle(served->model, 0);
    if (err)
        return lks_fail_in(err, "%s", path);
    memcpy(served->model_id, served->commitment.model_id, 32);
    served->vocab_size = served->commitment.vocab_size;
    served->max_positions = served->commitment.max_positions;
    for (size_t i = 0; i + 1 < out->count; i++)
        if (memcmp(out->items[i].model_id, served->model_id, 32) == 0)
            return lks_fail(LKS_REFUSED, "%s: the same model is configured twice", path);
    return LKS_OK;
}

lks_err lks_models_open(lks_models *out, char *const *paths, size_t count, bool with_trees)
{
    memset(out, 0, sizeof *out);
    out->run = run;
    out->recheck = recheck;
    lks_err err = count <= LKS_MAX_MODELS
                      ? LKS_OK
                      : lks_fail(LKS_BADARGS, "at most %u models can be served", LKS_MAX_MODELS);
    for (size_t i = 0; !err && i < count; i++)
        err = open_one(out, paths[i], with_trees);
    if (err)
        lks_models_close(out);
    return err;
}

void lks_models_close(lks_models *models)
{
    for (size_t i = 0; i < models->count; i++) {
        lks_model_trees_free(models->items[i].trees);
        lks_model_close(models->items[i].model);
        free(models->items[i].model);
    }
    memset(models, 0, sizeof *models);
}

lks_err lks_served_check(const lks_served *served)
{
    return served->model ? lks_model_check_file(served->model) : LKS_OK;
}

const lks_served *lks_models_find(const lks_models *models, const uint8_t model_id32[32])
{
    for (size_t i = 0; i < models->count; i++)
        if (memcmp(models->items[i].model_id, model_id32, 32) == 0)
            return &models->items[i];
    return NULL;
}
