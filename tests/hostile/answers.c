/* The model of all lives, and its answers, each computed once. */
#include "tests/hostile/life.h"
#include "tests/hostile/sim_time.h"
#include "tests/model/tiny_models.h"

#include <string.h>

#define KEPT 512u
/* By the clock of whoever measures the model. */
#define TOKEN_US 2000u
#define PROMPT_US 500u

typedef struct known {
    uint32_t prompt_count, temperature, count;
    uint64_t seed;
    uint32_t tokens[LIFE_MAX_TOKENS];
} known;

static tiny_model tiny;
static lks_models models;
static known answers[KEPT];
static size_t answer_count;

static const known *find(uint32_t prompt_count, uint64_t seed, uint32_t temperature)
{
    for (size_t i = 0; i < answer_count; i++) {
        const known *k = &answers[i];
        if (k->prompt_count == prompt_count && k->temperature == temperature &&
            (temperature == 0 || k->seed == seed))
            return k;
    }
    return NULL;
}

static const known *make(uint32_t prompt_count, uint64_t seed, uint32_t temperature)
{
    uint32_t prompt[LIFE_MAX_PROMPT];
    known *k = &answers[answer_count < KEPT ? answer_count++ : KEPT - 1];
    *k = (known){.prompt_count = prompt_count, .seed = seed, .temperature = temperature};
    const lks_policy policy = {.temperature = temperature, .seed = seed};
    const lks_generate_options options = {.threads = 1};
    assert_true(prompt_count <= LIFE_MAX_PROMPT);
    for (uint32_t i = 0; i < prompt_count; i++)
        prompt[i] = i + 1;
    DO(lks_generate(models.items[0].model, prompt, prompt_count, &policy, LIFE_MAX_TOKENS, &options,
                    k->tokens, &k->count));
    return k;
}

uint32_t life_answer(uint32_t prompt_count, uint32_t max_tokens, uint64_t seed,
                     uint32_t temperature, uint32_t *tokens)
{
    const known *k = find(prompt_count, seed, temperature);
    if (!k)
        k = make(prompt_count, seed, temperature);
    uint32_t count = k->count < max_tokens ? k->count : max_tokens;
    memcpy(tokens, k->tokens, count * sizeof *tokens);
    return count;
}

/* A lks_run_fn. The prompts of simulated requests are 1, 2, ... */
static lks_err run(const lks_served *served, const uint32_t *prompt, size_t prompt_count,
                   const lks_policy *policy, uint32_t max_tokens,
                   const lks_generate_options *options, uint32_t *tokens, uint32_t *count)
{
    (void)served, (void)prompt;
    bool is_trial = prompt_count > LIFE_MAX_PROMPT || max_tokens > LIFE_MAX_TOKENS;
    if (is_trial)
        memset(tokens, 0, max_tokens * sizeof *tokens);
    *count = is_trial ? max_tokens
                      : life_answer((uint32_t)prompt_count, max_tokens, policy->seed,
                                    policy->temperature, tokens);
    sim_time_work(PROMPT_US * prompt_count);
    for (uint32_t i = 0; i < *count; i++) {
        sim_time_work(TOKEN_US);
        if (options->on_token)
            options->on_token(options->user, tokens[i]);
    }
    return LKS_OK;
}

void life_open_model(void)
{
    uint32_t tokens[LIFE_MAX_TOKENS];
    tiny_open(&tiny, "mixed");
    char *paths[1] = {tiny.path};
    DO(lks_models_open(&models, paths, 1, true));
    models.run = run;
    for (uint32_t n = 1; n <= LIFE_MAX_PROMPT; n++)
        life_answer(n, LIFE_MAX_TOKENS, 0, 0, tokens);
}

void life_close_model(void)
{
    lks_models_close(&models);
    lks_model_close(&tiny.model);
}

const lks_models *life_models(void)
{
    return &models;
}
