/* Any bytes as a node's answer to every typed call, as what a view returns, and as an event. The
 * first byte says as which; the rest is the answer. */
#include "chain/contracts.h"
#include "chain/dispute.h"
#include "chain/eth.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct answer {
    const uint8_t *data;
    size_t size;
    bool is_error;
} answer;

static const uint8_t hash[32] = {1, 2, 3};

/* lks_eth_call_fn */
static lks_err say(void *context, const char *method, const char *params_json, lks_buf *out)
{
    const answer *a = context;
    (void)method, (void)params_json;
    lks_buf_clear(out);
    lks_buf_put(out, a->data, a->size);
    return a->is_error ? lks_fail(LKS_REMOTE, "an error") : LKS_OK;
}

static void ask_blocks(const lks_eth *node, uint8_t which)
{
    uint8_t randao[32];
    lks_eth_header header;
    lks_eth_logs logs = {0};
    lks_eth_receipt receipt;
    lks_buf rlp = {0};
    switch (which % 5) {
    case 0: (void)!lks_eth_header_by_number(node, 7, &header); break;
    case 1: /* the RLP of the header, whose hash is checked */
        (void)!lks_eth_header_rlp(node, 7, &rlp, randao);
        break;
    case 2: (void)!lks_eth_get_logs(node, NULL, 5, 9, 0, &logs); break;
    case 3: (void)!lks_eth_get_block_logs(node, NULL, hash, &logs); break;
    default:
        if (lks_eth_receipt_get(node, hash, &receipt) == LKS_OK)
            lks_eth_receipt_free(&receipt);
        break;
    }
    lks_eth_logs_free(&logs);
    lks_buf_free(&rlp);
}

static void ask_values(const lks_eth *node, uint8_t which)
{
    bool known, in_block;
    uint64_t number;
    uint8_t sent[32];
    lks_u256 wei;
    lks_eth_fees fees;
    lks_buf result = {0}, revert = {0};
    const lks_eth_message message = {.to20 = hash, .errors = lks_contract_errors};
    switch (which % 7) {
    case 0: (void)!lks_eth_chain_id(node, &number); break;
    case 1: (void)!lks_eth_balance(node, hash, LKS_ETH_LATEST, &wei); break;
    case 2: (void)!lks_eth_suggest_fees(node, &fees); break;
    case 3: (void)!lks_eth_call(node, &message, LKS_ETH_LATEST, &result, &revert); break;
    case 4: (void)!lks_eth_estimate_gas(node, &message, &number); break;
    case 5: (void)!lks_eth_send_raw(node, hash, sizeof hash, sent); break;
    default: (void)!lks_eth_tx_known(node, hash, &known, &in_block); break;
    }
    lks_buf_free(&result);
    lks_buf_free(&revert);
}

static void read_return(const uint8_t *data, size_t size, uint8_t which)
{
    union {
        lks_request_state state;
        lks_seat seat;
        lks_oracle_parameters parameters;
        lks_bond_account account;
        lks_dispute_view dispute;
        lks_disputed_claim claim;
        lks_game_parameters game;
        lks_u256 wide;
    } out;
    lks_claim_terms terms;
    lks_claim_facts facts;
    switch (which % 9) {
    case 0: (void)!lks_return_state(&out.state, data, size); break;
    case 1: (void)!lks_return_seat(&out.seat, data, size); break;
    case 2: (void)!lks_return_parameters(&out.parameters, data, size); break;
    case 3: (void)!lks_return_source_claim(&terms, &facts, data, size); break;
    case 4: (void)!lks_return_account(&out.account, data, size); break;
    case 5: (void)!lks_return_dispute(&out.dispute, data, size); break;
    case 6: (void)!lks_return_claim(&out.claim, data, size); break;
    case 7: (void)!lks_return_game_parameters(&out.game, data, size); break;
    default: (void)!lks_return_u256(&out.wide, data, size); break;
    }
}

/* The first byte chooses the kind of event, the next ones are the other topics. */
static void read_event(const uint8_t *data, size_t size, bool of_game)
{
    uint8_t topics[4][32] = {{0}};
    lks_event event;
    lks_game_event game_event;
    size_t head = 1 + 3 * 32, count = size ? data[0] / 64 + 1u : 0;
    if (size < head)
        return;
    memcpy(topics[1], data + 1, 3 * 32);
    if (of_game) {
        lks_game_event_topic(topics[0], (lks_game_event_kind)(data[0] % LKS_GAME_EVENT_COUNT));
        (void)!lks_game_event_decode(&game_event, (const uint8_t(*)[32])topics, count, data + head,
                                     size - head);
    } else {
        lks_event_topic(topics[0], (lks_event_kind)(data[0] % LKS_EVENT_KIND_COUNT));
        (void)!lks_event_decode(&event, (const uint8_t(*)[32])topics, count, data + head,
                                size - head);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    answer a = {data + 1, size - 1, data[0] & 0x80};
    const lks_eth node = {say, &a, NULL};
    uint8_t which = data[0] / 8 % 16;
    switch (data[0] % 8) {
    case 0:
    case 1: ask_blocks(&node, which); break;
    case 2:
    case 3: ask_values(&node, which); break;
    case 4: read_return(a.data, a.size, which); break;
    default: read_event(a.data, a.size, data[0] % 8 == 6); break;
    }
    return 0;
}
