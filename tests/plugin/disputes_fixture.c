#include "tests/plugin/disputes_fixture.h"

#include "chain/keystore.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

char folder[64], database[128];
static char *paths[1];
tiny_model tiny;
lks_signer *signer, *moves_signer;
lks_models models;
uint32_t right[TOKENS], other[TOKENS]; /* the model's answer, and one that differs in token 2 */
sim *chain;
sim_host *host;
lks_config config;
lks_inbox *inbox;
lks_node *rpc;
lks_operator op;
static bool is_open;
char *model_file;
uint32_t prompt_length = PROMPT;

/* ---- the fixture ---- */

int make_all(void **state)
{
    (void)state;
    uint8_t key[32];
    uint32_t count = 0, *prompt = malloc(prompt_length * sizeof *prompt);
    assert_non_null(prompt);
    snprintf(folder, sizeof folder, "%s/lockstep-disputes-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(database, sizeof database, "%s/jobs.db", folder);
    DO(lks_key_generate(key));
    DO(lks_signer_new(&signer, key));
    if (!model_file)
        tiny_open(&tiny, "mixed");
    paths[0] = model_file ? model_file : tiny.path;
    DO(lks_models_open(&models, paths, 1, true));
    for (uint32_t i = 0; i < prompt_length; i++)
        prompt[i] = i + 1;
    const lks_policy greedy = {0};
    const lks_generate_options o = {.threads = model_file ? 0 : 1};
    DO(lks_generate(models.items[0].model, prompt, prompt_length, &greedy, TOKENS, &o, right,
                    &count));
    free(prompt);
    assert_int_equal(count, TOKENS);
    memcpy(other, right, sizeof right);
    other[2] = (other[2] + 1) % models.items[0].vocab_size;
    return 0;
}

int free_all(void **state)
{
    (void)state;
    lks_models_close(&models);
    if (!model_file)
        lks_model_close(&tiny.model);
    lks_signer_free(signer);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

void start(void)
{
    DO(lks_inbox_new(&inbox, 1000, 1 << 20));
    DO(lks_node_new(&rpc, sim_host_api(host), 5000));
    DO(lks_operator_open(&op, sim_host_api(host), &config, &models, inbox, rpc, signer));
    lks_operator_use_moves(&op, moves_signer);
    op.pause_ms = 1;
    is_open = true;
}

void halt(void)
{
    if (!is_open)
        return;
    lks_inbox_stop(inbox);
    lks_worker_stop(op.worker);
    lks_lanes_stop(&op.lanes);
    lks_node_close(rpc);
    lks_operator_close(&op);
    sim_host_settle(host);
    lks_node_free(rpc);
    lks_inbox_free(inbox);
    is_open = false;
}

void restart(void)
{
    halt();
    start();
}

void fresh_chain(bool is_operator, bool is_challenger)
{
    char command[160];
    snprintf(command, sizeof command, "rm -f %s*", database);
    assert_int_equal(system(command), 0);
    chain = sim_new(lks_signer_address(signer));
    host = sim_host_new(chain);
    memset(chain->game, 0x09, 20);
    memcpy(chain->model_id, models.items[0].model_id, 32);
    chain->model = models.items[0].model;
    chain->commitment = models.items[0].commitment;
    chain->budget = 60;
    chain->floor = 12;
    memset(&config, 0, sizeof config);
    config.chain_id = SIM_CHAIN_ID;
    memcpy(config.oracle, chain->oracle, 20);
    memcpy(config.bonds, chain->bonds, 20);
    memcpy(config.registry, chain->registry, 20);
    memcpy(config.game, chain->game, 20);
    config.models[0] = paths[0];
    config.model_count = 1;
    config.database = database;
    config.threads = model_file ? 0 : 1;
    config.start_block = 1;
    memset(&config.policy.max_stake, 0xff, sizeof config.policy.max_stake);
    memset(&config.recheck_stake, 0xff, sizeof config.recheck_stake);
    config.policy.finalize = true;
    config.is_operator = config.policy.accept = is_operator;
    config.is_challenger = is_challenger;
    config.check_share = LKS_SHARE_ALL;
    memset(&config.max_bond, 0xff, sizeof config.max_bond);
    config.max_fee = lks_u256_from_u64(UINT64_C(100000000000));
    config.max_priority_fee = config.max_fee;
    sim_mine(chain, 2);
}

int teardown(void **state)
{
    (void)state;
    play_nobody();
    halt();
    moves_signer = NULL;
    sim_host_free(host);
    sim_free(chain);
    host = NULL;
    chain = NULL;
    return 0;
}

/* After a test that made chains of its own. */
int no_teardown(void **state)
{
    (void)state;
    if (chain)
        teardown(state);
    return 0;
}

/* ---- driving ---- */

static puppet players[6];
static size_t player_count;

void take_turns(void)
{
    lks_inbox_put_block(inbox, sim_block_of(chain, chain->block_count - 1), config.oracle);
    for (int i = 0; i < 3; i++)
        assert_true(lks_operator_turn(&op, 1));
    /* What runs may take longer than a block lasts here: a second of the chain. */
    for (int i = 0; i < 4000 && !(lks_lanes_idle(&op.lanes) && lks_worker_idle(op.worker)); i++)
        assert_true(lks_operator_turn(&op, 1));
}

void block(void)
{
    for (size_t i = 0; i < player_count; i++)
        puppet_move(&players[i]);
    sim_mine(chain, 1);
    take_turns();
}

lks_job job_of(size_t request)
{
    lks_job job;
    lks_err err = lks_store_job_get(op.store, chain->requests[request].id, &job);
    if (err)
        memset(&job, 0, sizeof job);
    return job;
}

size_t open_claims(void)
{
    lks_claims claims = {0};
    DO(lks_store_claims_open(op.store, &claims));
    size_t count = claims.count;
    lks_claims_free(&claims);
    return count;
}

lks_request terms(void)
{
    lks_request t = sim_terms(chain);
    t.max_tokens = TOKENS;
    t.window = 300;
    t.accept_deadline += 800;
    return t;
}

size_t foreign_claim(const uint32_t *tokens)
{
    lks_request t = terms();
    return sim_foreign_claim(chain, &t, PROMPT, tokens, TOKENS);
}

puppet liar_of(size_t request, const uint32_t *trace_tokens)
{
    puppet p = {.chain = chain,
                .served = &models.items[0],
                .defends = true,
                .tokens = trace_tokens,
                .request = request};
    memcpy(p.address, chain->other, 20);
    return p;
}

puppet accuser_of(size_t request, uint8_t name)
{
    puppet p = {.chain = chain, .served = &models.items[0], .tokens = other, .request = request};
    memset(p.address, name, 20);
    return p;
}

/* Lets a puppet play until the test ends. */
puppet *play(puppet p)
{
    players[player_count] = p;
    return &players[player_count++];
}

void play_nobody(void)
{
    for (size_t i = 0; i < player_count; i++)
        puppet_free(&players[i]);
    player_count = 0;
}

/* As much of it as a failure's message has room for. */
const char *end_of_log(void)
{
    const char *lines = sim_host_lines(host);
    size_t len = strlen(lines);
    return len > 700 ? lines + len - 700 : lines;
}

void check_won(void)
{
    if (chain->convictions != 1 || chain->challenges != 1 || chain->reverts)
        fail_msg("%zu convictions, %zu challenges, %zu reverts; log:\n%s", chain->convictions,
                 chain->challenges, chain->reverts, end_of_log());
}

size_t own_claim(void)
{
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(chain->requests[r].status == LKS_REQUEST_CLAIMED);
    return r;
}

size_t claim_beside(const uint32_t *tokens)
{
    lks_buf call = {0}, packed = {0};
    uint8_t salt[32] = {5}, hash[32], commitment[32];
    lks_request t = terms();
    t.replicas = 2;
    size_t r = sim_ask(chain, &t, PROMPT);
    const sim_request *q = &chain->requests[r];
    RUN_UNTIL(job_of(r).state == LKS_JOB_ANSWERED);
    sim_other(chain, SIM_OTHER_ACCEPTS, r);
    RUN_UNTIL(job_of(r).state == LKS_JOB_COMMITTED);
    lks_tokens_pack(&packed, tokens, TOKENS);
    lks_tokens_hash(hash, packed.data, packed.len);
    lks_claim_commitment(commitment, q->seats[1].name, chain->other, 0, hash, salt);
    DO(lks_call_commit_claim(&call, &q->request, 1, 0, commitment));
    sim_put_call(chain, chain->other, chain->oracle, &call);
    block();
    lks_buf_clear(&call);
    DO(lks_call_reveal_claim(&call, &q->request, 1, 0, packed.data, packed.len, NULL, 0, salt));
    sim_put_call(chain, chain->other, chain->oracle, &call);
    RUN_UNTIL(q->status == LKS_REQUEST_CLAIMED);
    lks_buf_free(&call);
    lks_buf_free(&packed);
    return r;
}

void check_defended(size_t accusers)
{
    if (chain->convictions || chain->lost != accusers || chain->reverts || chain->finals != 1)
        fail_msg("%zu convictions, %zu lost, %zu reverts, %zu final; log:\n%s", chain->convictions,
                 chain->lost, chain->reverts, chain->finals, end_of_log());
}
