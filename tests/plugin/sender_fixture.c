#include "tests/plugin/sender_fixture.h"

#include <stdio.h>
#include <stdlib.h>

sim *chain;
lks_signer *signer;
lks_store *store;
lks_sender sender;
lks_job job;
size_t request;
char lines[16384];
static char folder[64];

static void take_line(void *context, int32_t level, const char *message)
{
    (void)context, (void)level;
    size_t used = strlen(lines);
    snprintf(lines + used, sizeof lines - used, "%s\n", message);
}

static const lockstep_host host = {.abi_version = 1, .struct_size = sizeof host, .log = take_line};

void make_sender(uint64_t max_fee, uint64_t max_priority_fee)
{
    memset(&sender, 0, sizeof sender);
    sender =
        (lks_sender){.node = {sim_call, chain},
                     .store = store,
                     .signer = signer,
                     .host = &host,
                     .chain_id = SIM_CHAIN_ID,
                     .ceilings = {lks_u256_from_u64(max_fee), lks_u256_from_u64(max_priority_fee)}};
}

int setup(void **state)
{
    (void)state;
    uint8_t key[32] = {[31] = 7};
    char path[96];
    lines[0] = 0;
    strcpy(folder, "/tmp/lockstep-sender-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/jobs.db", folder);
    DO(lks_signer_new(&signer, key));
    chain = sim_new(lks_signer_address(signer));
    lks_store_identity who = {.chain_id = SIM_CHAIN_ID};
    memcpy(who.oracle, chain->oracle, 20);
    memcpy(who.operator_address, lks_signer_address(signer), 20);
    memcpy(who.account, lks_signer_address(signer), 20);
    DO(lks_store_open(&store, path, &who));
    request = sim_ask(chain, NULL, 5);
    sim_mine(chain, 3);
    memset(&job, 0, sizeof job);
    const sim_request *q = &chain->requests[request];
    job.request = q->request;
    memcpy(job.request_id, q->id, 32);
    job.requested.number = 1;
    DO(lks_store_job_add(store, &job, q->prompt.data, q->prompt.len, NULL, 0));
    make_sender(100 * GWEI, 100 * GWEI);
    return 0;
}

int teardown(void **state)
{
    (void)state;
    char command[128];
    lks_store_close(store);
    lks_signer_free(signer);
    sim_free(chain);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

lks_sender_now now(void)
{
    const sim_block *head = &chain->blocks[chain->block_count - 1];
    return (lks_sender_now){head->number, head->time, false};
}

lks_err accept_until(uint64_t deadline)
{
    lks_buf call = {0};
    lks_sender_now n = now();
    DO(lks_call_accept(&call, &job.request, chain->accounts->operator_address, NULL, 0));
    lks_outgoing out = {.request_id = job.request_id,
                        .action = LKS_ACTION_ACCEPT,
                        .to = chain->oracle,
                        .data = call.data,
                        .len = call.len,
                        .deadline = deadline};
    lks_err err = lks_sender_send(&sender, &out, &n);
    lks_buf_free(&call);
    return err;
}

lks_err send_other(lks_action action, uint64_t deadline, uint64_t worth)
{
    static const uint8_t data[4] = {1, 2, 3, 4};
    lks_sender_now n = now();
    lks_outgoing out = {.request_id = job.request_id,
                        .action = action,
                        .to = chain->oracle,
                        .gas = SIM_TX_GAS,
                        .data = data,
                        .len = sizeof data,
                        .deadline = deadline,
                        .worth = lks_u256_from_u64(worth)};
    return lks_sender_send(&sender, &out, &n);
}

void tend(void)
{
    lks_sender_now n = now();
    DO(lks_sender_tend(&sender, &n));
}

size_t live_count(lks_store_tx *first)
{
    lks_store_txs live = {0};
    DO(lks_store_txs_live(store, lks_signer_address(signer), &live));
    size_t count = live.count;
    if (first && count)
        *first = live.items[0];
    lks_store_txs_free(&live);
    return count;
}

size_t versions(const lks_store_tx *tx)
{
    lks_buf hashes = {0};
    DO(lks_store_tx_hashes(store, tx->id, &hashes));
    size_t count = hashes.len / 32;
    lks_buf_free(&hashes);
    return count;
}

const sim_tx *pooled(void)
{
    for (size_t i = chain->tx_count; i-- > 0;)
        if (chain->txs[i].kind == SIM_SIGNED && chain->txs[i].pooled)
            return &chain->txs[i];
    return NULL;
}

const sim_tx *pooled_at(uint64_t nonce)
{
    for (size_t i = 0; i < chain->tx_count; i++) {
        const sim_tx *tx = &chain->txs[i];
        if (tx->kind == SIM_SIGNED && tx->pooled && tx->t.nonce == nonce)
            return tx;
    }
    return NULL;
}
