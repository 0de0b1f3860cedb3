#include "tests/hostile/hostile_words.h"

#include "chain/rpc.h"

typedef struct words {
    int code;
    const char *text;
} words;

/* geth, reth, nethermind, besu, erigon, anvil, and providers in front of them. */
static const words any[] = {
    {-32000, "header not found"},
    {-32000, "missing trie node 8f0e6a9b3d (path ) state 0x8f0e6a9b3d is not available"},
    {-32000, "historical state 8f0e6a9b3d is not available"},
    {-32001, "block not found: 0x10"},
    {-32001, "Unknown block"},
    {-32002, "No state available for block"},
    {-32603, "Internal error"},
    {-32000, "World state unavailable"},
    {-39001, "Unknown block"},
    {-32000, "could not find block"},
    {-32000, "execution aborted (timeout = 5s)"},
    {-32602, "BlockOutOfRangeError: block height is 3 but requested was 4"},
    {-32005, "daily request count exceeded, request rate limited"},
    {-32016, "rate limit exceeded"},
    {-32097, "compute units per second capacity exceeded"},
};
static const words logs[] = {
    {-32005, "query returned more than 10000 results"},
    {-32602, "query exceeds max block range 100000"},
    {-32000, "block range extends beyond current head block"},
    {-32000, "exceed maximum block range: 5000"},
    {-32005, "Requested range exceeds maximum RPC range limit"},
    {-32614, "eth_getLogs is limited to a 10,000 range"},
    {-32600, "block range too large"},
    {-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block "
             "range"},
};
static const words sends[] = {
    {-32000, "nonce too low: next nonce 7, tx nonce 4"},
    {-32003, "nonce too low: next nonce 7, tx nonce 4"},
    {-32010, "OldNonce, Current nonce: 7, nonce of rejected tx: 4."},
    {-32001, "Nonce too low"},
    {-32000, "already known"},
    {-32010, "AlreadyKnown"},
    {-32000, "Known transaction"},
    {-32000, "replacement transaction underpriced"},
    {-32010, "ReplacementNotAllowed"},
    {-32000, "transaction underpriced: gas tip cap 1, minimum needed 2"},
    {-32000, "insufficient funds for gas * price + value"},
    {-32000, "txpool is full"},
    {-32000, "max fee per gas less than block base fee"},
};

#define SOME(list) (&list[chance_below(c, sizeof list / sizeof *list)])

lks_err hostile_refuse(chance *c, hostile_refusal what, const char *method, lks_buf *answer)
{
    const words *w = SOME(any);
    if (what == REFUSES_LOGS)
        w = SOME(logs);
    if (what == REFUSES_SEND)
        w = SOME(sends);
    lks_buf_clear(answer);
    lks_buf_printf(answer, "{\"code\":%d,\"message\":\"%s\"}", w->code, w->text);
    return lks_rpc_fail_remote(method, lks_buf_text(answer), answer->len);
}
