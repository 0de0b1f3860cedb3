#include "chain/header.h"

#include <string.h>

#include "chain/keccak.h"
#include "chain/rlp.h"

typedef enum member_kind {
    QUANTITY,
    DATA
} member_kind;

/* A member of a header. */
typedef struct member {
    const char *name; /* in JSON */
    member_kind kind;
    size_t len; /* bytes of DATA; 0: any number */
} member;

/* The order is that of the RLP. */
static const member ALWAYS[] = {
    {"parentHash", DATA, 32},  {"sha3Uncles", DATA, 32},       {"miner", DATA, 20},
    {"stateRoot", DATA, 32},   {"transactionsRoot", DATA, 32}, {"receiptsRoot", DATA, 32},
    {"logsBloom", DATA, 256},  {"difficulty", QUANTITY, 0},    {"number", QUANTITY, 0},
    {"gasLimit", QUANTITY, 0}, {"gasUsed", QUANTITY, 0},       {"timestamp", QUANTITY, 0},
    {"extraData", DATA, 0},    {"mixHash", DATA, 32},          {"nonce", DATA, 8},
};

/* Members that forks appended. */
static const member APPENDED[] = {
    {"baseFeePerGas", QUANTITY, 0}, /* London, EIP-1559 */
    {"withdrawalsRoot", DATA, 32},  /* Shanghai, EIP-4895 */
    {"blobGasUsed", QUANTITY, 0},   /* Cancun, EIP-4844, as the next */
    {"excessBlobGas", QUANTITY, 0},    {"parentBeaconBlockRoot", DATA, 32}, /* Cancun, EIP-4788 */
    {"requestsHash", DATA, 32},                                             /* Prague, EIP-7685 */
    {"blockAccessListHash", DATA, 32}, /* Amsterdam, EIP-7928 */
    {"slotNumber", QUANTITY, 0},       /* Amsterdam, EIP-7843 */
};

static lks_err put_quantity(lks_buf *rlp, const lks_json *doc, int node)
{
    lks_u256 value;
    lks_err err = lks_json_quantity_u256(doc, node, &value);
    if (!err)
        lks_rlp_put_u256(rlp, &value);
    return err;
}

static lks_err put_data(lks_buf *rlp, const lks_json *doc, int node, size_t len)
{
    lks_buf data = {0};
    lks_err err = lks_json_data(doc, node, &data);
    if (!err && len && data.len != len)
        err = lks_fail(LKS_CORRUPT, "%zu bytes where %zu are due", data.len, len);
    if (!err)
        lks_rlp_put_bytes(rlp, data.data, data.len);
    lks_buf_free(&data);
    return err;
}

static lks_err put_member(lks_buf *rlp, const lks_json *doc, int node, const member *m)
{
    lks_err err =
        m->kind == QUANTITY ? put_quantity(rlp, doc, node) : put_data(rlp, doc, node, m->len);
    return err ? lks_fail_in(err, "member %s of the block", m->name) : LKS_OK;
}

static lks_err put_members(lks_buf *rlp, const lks_json *doc, int block)
{
    lks_err err = LKS_OK;
    for (size_t i = 0; !err && i < sizeof ALWAYS / sizeof *ALWAYS; i++)
        err = put_member(rlp, doc, lks_json_member(doc, block, ALWAYS[i].name), &ALWAYS[i]);
    for (size_t i = 0; !err && i < sizeof APPENDED / sizeof *APPENDED; i++) {
        int node = lks_json_member(doc, block, APPENDED[i].name);
        if (node != LKS_JSON_NONE && lks_json_typeof(doc, node) != LKS_JSON_NULL)
            err = put_member(rlp, doc, node, &APPENDED[i]);
    }
    return err;
}

static lks_err check_hash(const lks_buf *rlp, const lks_json *doc, int block)
{
    uint8_t stated[32], hash[32];
    lks_err err = lks_json_data_fixed(doc, lks_json_member(doc, block, "hash"), stated, 32);
    if (err)
        return lks_fail_in(err, "member hash of the block");
    lks_keccak256(hash, rlp->data, rlp->len);
    if (memcmp(hash, stated, 32))
        return lks_fail(LKS_CORRUPT,
                        "the members of the block's header do not have its hash: the node's answer "
                        "is wrong, or the header has a member that this version does not know");
    return LKS_OK;
}

lks_err lks_header_rlp_of(lks_buf *rlp, uint8_t prev_randao32[32], uint64_t *number,
                          const lks_json *doc, int block)
{
    uint64_t height = 0;
    lks_buf_clear(rlp);
    if (lks_json_typeof(doc, block) != LKS_JSON_OBJECT)
        return lks_fail(LKS_CORRUPT, "the block is no JSON object");
    size_t list = lks_rlp_list_begin(rlp);
    lks_err err = put_members(rlp, doc, block);
    lks_rlp_list_end(rlp, list);
    if (!err)
        err = lks_buf_error(rlp);
    if (!err)
        err = check_hash(rlp, doc, block);
    if (!err)
        err = lks_json_data_fixed(doc, lks_json_member(doc, block, "mixHash"), prev_randao32, 32);
    if (!err)
        err = lks_json_quantity(doc, lks_json_member(doc, block, "number"), &height);
    if (err)
        lks_buf_clear(rlp);
    else if (number)
        *number = height;
    return err;
}

lks_err lks_header_rlp(lks_buf *rlp, uint8_t prev_randao32[32], uint64_t *number, const char *json,
                       size_t len)
{
    lks_json doc = {0};
    lks_buf_clear(rlp);
    lks_err err = lks_json_parse(&doc, json, len, LKS_JSON_MAX_VALUES);
    if (!err)
        err = lks_header_rlp_of(rlp, prev_randao32, number, &doc, 0);
    lks_json_free(&doc);
    return err;
}
