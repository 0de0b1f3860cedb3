#include "chain/eth_each.h"

#include "chain/abi.h"

#include <string.h>

/* The code, with what stands on the stack after each line, its top first. `src` is where the next
 * argument is in the code, `dst` where in memory its result goes. */
static const uint8_t code[LKS_ETH_EACH_ARGUMENTS_AT] = {
    0x63, 0,
    0,    0,
    0, /* PUSH4 selector */
    0x60, 0xe0,
    0x1b, 0x60,
    0,    0x52,                      /* memory[0] = selector << 224 */
    0x60, LKS_ETH_EACH_ARGUMENTS_AT, /* src */
    0x60, 0x40,                      /* dst src */
    0x5b,                            /* 15: next */
    0x81, 0x38,
    0x14, 0x60,
    81,   0x57, /* if src == code size, go to 81 */
    0x60, 0x20,
    0x82, 0x60,
    4,    0x39, /* memory[4] = the argument */
    0x61, 0,
    0,    0x81,
    0x60, 0x24,
    0x60, 0, /* 0 36 dst returned dst src */
    0x73, 0,
    0,    0,
    0,    0,
    0,    0,
    0,    0,
    0,    0,
    0,    0,
    0,    0,
    0,    0,
    0,    0,
    0,          /* the contract */
    0x5a, 0xfa, /* success dst src: of the static call */
    0x3d, 0x61,
    0,    0,
    0x14, 0x16,
    0x15, /* not (success and as much as expected) */
    0x60, 89,
    0x57, /* if so, go to 89 */
    0x61, 0,
    0,    0x01, /* dst += returned */
    0x90, 0x60,
    0x20, 0x01,
    0x90, /* src += 32 */
    0x60, 15,
    0x56, /* go to next */
    0x5b, /* 81: all are there */
    0x60, 0x40,
    0x90, 0x03,
    0x60, 0x40,
    0xfd, /* revert with memory from 64 to dst */
    0x5b, /* 89: one has failed */
    0x60, 0,
    0x60, 0,
    0xfd, /* revert with nothing */
};

/* Where `returned` goes, high byte first. */
static const size_t returned_at[] = {29, 61, 70};

static void put_code(lks_buf *out, const lks_eth_each *each)
{
    uint8_t own[sizeof code];
    memcpy(own, code, sizeof own);
    lks_abi_selector(own + LKS_ETH_EACH_SELECTOR_AT, each->signature);
    memcpy(own + LKS_ETH_EACH_ADDRESS_AT, each->to20, 20);
    for (size_t i = 0; i < sizeof returned_at / sizeof *returned_at; i++) {
        own[returned_at[i]] = (uint8_t)(each->returned >> 8);
        own[returned_at[i] + 1] = (uint8_t)each->returned;
    }
    lks_buf_put(out, own, sizeof own);
    lks_buf_put(out, each->arguments, 32 * each->count);
}

lks_err lks_eth_call_each(const lks_eth *node, const lks_eth_each *each, const char *block,
                          lks_buf *results)
{
    lks_buf data = {0}, result = {0};
    lks_buf_clear(results);
    if (each->count == 0 || each->count > LKS_ETH_EACH_MOST || each->returned > UINT16_MAX)
        return lks_fail(LKS_BADARGS, "%zu calls of %zu bytes at once", each->count, each->returned);
    put_code(&data, each);
    lks_err err = lks_buf_error(&data);
    if (!err) {
        const lks_eth_message message = {.data = data.data, .data_len = data.len};
        err = lks_eth_call(node, &message, block, &result, results);
    }
    bool answered = !err || err == LKS_REFUSED;
    if (answered && (!err || results->len != each->returned * each->count))
        err = lks_fail(LKS_REMOTE, "the node does not answer %zu calls of %s at once", each->count,
                       each->signature);
    else if (answered)
        err = LKS_OK;
    if (err)
        lks_buf_clear(results);
    lks_buf_free(&data);
    lks_buf_free(&result);
    return err;
}
