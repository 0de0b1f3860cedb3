/* Any bytes: what the strict reader accepts, the writer writes again to the same bytes. The same
 * for transactions. */
#include "chain/rlp.h"

#include <stdlib.h>
#include <string.h>

#include "chain/tx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_DEPTH 64

static void check(bool good)
{
    if (!good)
        abort();
}

/* Copies the items of in to out. Returns: whether all of them, inside lists too, are canonical. */
static bool copy(lks_buf *out, lks_rlp_reader in)
{
    lks_rlp_reader open[MAX_DEPTH] = {in};
    size_t mark[MAX_DEPTH], depth = 1;
    while (depth) {
        lks_rlp_reader *top = &open[depth - 1];
        lks_rlp_item item;
        if (!top->len) {
            if (--depth)
                lks_rlp_list_end(out, mark[depth]);
            continue;
        }
        if (lks_rlp_next(top, &item) || (item.is_list && depth == MAX_DEPTH))
            return false;
        if (item.is_list) {
            mark[depth] = lks_rlp_list_begin(out);
            open[depth++] = (lks_rlp_reader){item.data, item.len};
        } else
            lks_rlp_put_bytes(out, item.data, item.len);
    }
    return true;
}

static void check_integers(const uint8_t *data, size_t size)
{
    lks_rlp_reader in = {data, size}, before;
    lks_buf out = {0};
    lks_u256 wide;
    uint64_t number;
    uint8_t fixed[20];
    before = in;
    if (!lks_rlp_read_u256(&in, &wide)) {
        lks_rlp_put_u256(&out, &wide);
        check(out.len == before.len - in.len && !memcmp(out.data, data, out.len));
    }
    in = before;
    if (!lks_rlp_read_u64(&in, &number)) {
        lks_buf_clear(&out);
        lks_rlp_put_u64(&out, number);
        check(out.len == before.len - in.len && !memcmp(out.data, data, out.len));
    }
    in = before;
    (void)!lks_rlp_read_fixed(&in, fixed, sizeof fixed);
    lks_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lks_buf out = {0};
    lks_tx tx;
    uint8_t sender[20], hash[32], digest[32];
    if (copy(&out, (lks_rlp_reader){data, size}))
        check(out.len == size && (!size || !memcmp(out.data, data, size)));
    lks_buf_free(&out);
    check_integers(data, size);
    if (!lks_tx_decode(&tx, sender, hash, data, size))
        check(!lks_tx_digest(digest, &tx));
    return 0;
}
