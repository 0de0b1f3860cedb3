#include "plugin/game_copy.h"

#include <stdlib.h>
#include <string.h>

static lks_err no_memory(void)
{
    return lks_fail(LKS_NOMEM, "out of memory");
}

static void put_ids(uint32_t *to, const uint32_t *from, size_t count)
{
    if (count)
        memcpy(to, from, count * sizeof *to);
}

lks_err lks_game_copy_run(lks_game_copy *copy, const lks_game *game)
{
    const lks_run *run = lks_game_run(game);
    if (!run)
        return lks_fail(LKS_NOTFOUND, "the claim's request is not known");
    size_t prompt = run->prompt_count, answer = run->answer_count;
    size_t allowed = run->policy.allowed_count;
    copy->ids = malloc((prompt + answer + allowed + 1) * sizeof *copy->ids);
    if (!copy->ids)
        return no_memory();
    put_ids(copy->ids, run->prompt, prompt);
    put_ids(copy->ids + prompt, run->answer, answer);
    put_ids(copy->ids + prompt + answer, run->policy.allowed, allowed);
    copy->run = *run;
    copy->run.prompt = copy->ids;
    copy->run.answer = copy->ids + prompt;
    copy->run.policy.allowed = allowed ? copy->ids + prompt + answer : NULL;
    return LKS_OK;
}

void lks_game_copy_root(lks_game_copy *copy, const lks_game *game)
{
    const lks_shown *shown = lks_game_shown(game);
    copy->shown.open = shown->open;
    memcpy(copy->shown.root, shown->root, 32);
}

lks_err lks_game_copy_shown(lks_game_copy *copy, const lks_game *game)
{
    const lks_known *known = &lks_game_shown(game)->known;
    size_t bytes = 0, used = 0;
    for (size_t i = 0; i < known->leaf_count; i++)
        bytes += known->leaves[i].len;
    lks_game_copy_root(copy, game);
    copy->nodes = malloc((known->node_count + 1) * sizeof *copy->nodes);
    copy->leaves = malloc((known->leaf_count + 1) * sizeof *copy->leaves);
    copy->leaf_bytes = malloc(bytes + 1);
    if (!copy->nodes || !copy->leaves || !copy->leaf_bytes)
        return no_memory();
    if (known->node_count)
        memcpy(copy->nodes, known->nodes, known->node_count * sizeof *copy->nodes);
    for (size_t i = 0; i < known->leaf_count; i++) {
        lks_known_leaf *leaf = &copy->leaves[i];
        *leaf = known->leaves[i];
        memcpy(copy->leaf_bytes + used, leaf->bytes, leaf->len);
        leaf->bytes = copy->leaf_bytes + used;
        used += leaf->len;
    }
    copy->shown.known =
        (lks_known){copy->nodes, known->node_count, copy->leaves, known->leaf_count};
    return LKS_OK;
}

lks_err lks_game_copy_partials(lks_game_copy *copy, lks_dispute *at)
{
    if (!at->partials)
        return LKS_OK;
    copy->partials = malloc(at->partials_len + 1);
    if (!copy->partials)
        return no_memory();
    memcpy(copy->partials, at->partials, at->partials_len);
    at->partials = copy->partials;
    return LKS_OK;
}

void lks_game_copy_free(lks_game_copy *copy)
{
    free(copy->ids);
    free(copy->nodes);
    free(copy->leaves);
    free(copy->leaf_bytes);
    free(copy->partials);
    memset(copy, 0, sizeof *copy);
}
