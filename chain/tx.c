#include "chain/tx.h"

#include <string.h>

#include "chain/keccak.h"
#include "chain/rlp.h"

#define TYPE 0x02

/* Appends 0x02 and the list of fields; with the signature when it is not NULL. */
static void put_tx(lks_buf *out, const lks_tx *tx, const lks_signature *signature)
{
    lks_buf_put_byte(out, TYPE);
    size_t list = lks_rlp_list_begin(out);
    lks_rlp_put_u64(out, tx->chain_id);
    lks_rlp_put_u64(out, tx->nonce);
    lks_rlp_put_u256(out, &tx->max_priority_fee);
    lks_rlp_put_u256(out, &tx->max_fee);
    lks_rlp_put_u64(out, tx->gas_limit);
    lks_rlp_put_bytes(out, tx->to, tx->is_create ? 0 : 20);
    lks_rlp_put_u256(out, &tx->value);
    lks_rlp_put_bytes(out, tx->data, tx->data_len);
    size_t access_list = lks_rlp_list_begin(out);
    lks_rlp_list_end(out, access_list);
    if (signature) {
        lks_u256 r = lks_u256_from_be(signature->r32), s = lks_u256_from_be(signature->s32);
        lks_rlp_put_u64(out, signature->parity);
        lks_rlp_put_u256(out, &r);
        lks_rlp_put_u256(out, &s);
    }
    lks_rlp_list_end(out, list);
}

lks_err lks_tx_digest(uint8_t digest32[32], const lks_tx *tx)
{
    lks_buf unsigned_tx = {0};
    put_tx(&unsigned_tx, tx, NULL);
    lks_err err = lks_buf_error(&unsigned_tx);
    if (!err)
        lks_keccak256(digest32, unsigned_tx.data, unsigned_tx.len);
    lks_buf_free(&unsigned_tx);
    return err;
}

lks_err lks_tx_sign(lks_buf *raw, uint8_t hash32[32], const lks_tx *tx, const lks_signer *signer)
{
    uint8_t digest[32];
    lks_signature signature;
    if (!tx->chain_id)
        return lks_fail(LKS_BADARGS, "a transaction needs a chain id");
    if (lks_u256_cmp(&tx->max_priority_fee, &tx->max_fee) > 0)
        return lks_fail(LKS_BADARGS, "the priority fee is above the fee ceiling");
    lks_err err = lks_tx_digest(digest, tx);
    if (!err)
        err = lks_signer_sign(signer, &signature, digest);
    if (err)
        return err;
    size_t start = raw->len;
    put_tx(raw, tx, &signature);
    err = lks_buf_error(raw);
    if (!err)
        lks_keccak256(hash32, raw->data + start, raw->len - start);
    return err;
}

static lks_err read_destination(lks_rlp_reader *fields, lks_tx *tx)
{
    const uint8_t *to;
    size_t len;
    lks_err err = lks_rlp_read_bytes(fields, &to, &len);
    if (err)
        return err;
    if (len != 0 && len != 20)
        return lks_fail(LKS_CORRUPT, "transaction: a destination of %zu bytes", len);
    tx->is_create = len == 0;
    memcpy(tx->to, to, len);
    return LKS_OK;
}

static lks_err read_fields(lks_rlp_reader *fields, lks_tx *tx)
{
    lks_err err;
    lks_rlp_reader access_list;
    if ((err = lks_rlp_read_u64(fields, &tx->chain_id)) ||
        (err = lks_rlp_read_u64(fields, &tx->nonce)) ||
        (err = lks_rlp_read_u256(fields, &tx->max_priority_fee)) ||
        (err = lks_rlp_read_u256(fields, &tx->max_fee)) ||
        (err = lks_rlp_read_u64(fields, &tx->gas_limit)) || (err = read_destination(fields, tx)) ||
        (err = lks_rlp_read_u256(fields, &tx->value)) ||
        (err = lks_rlp_read_bytes(fields, &tx->data, &tx->data_len)) ||
        (err = lks_rlp_read_list(fields, &access_list)))
        return err;
    return access_list.len ? lks_fail(LKS_REFUSED, "transaction: access lists are not supported")
                           : LKS_OK;
}

static lks_err read_signature(lks_rlp_reader *fields, lks_signature *signature)
{
    lks_err err;
    uint64_t parity;
    lks_u256 r, s;
    if ((err = lks_rlp_read_u64(fields, &parity)) || (err = lks_rlp_read_u256(fields, &r)) ||
        (err = lks_rlp_read_u256(fields, &s)) || (err = lks_rlp_read_end(fields)))
        return err;
    if (parity > 1)
        return lks_fail(LKS_CORRUPT, "transaction: the signature's parity is neither 0 nor 1");
    signature->parity = (uint8_t)parity;
    lks_u256_to_be(signature->r32, &r);
    lks_u256_to_be(signature->s32, &s);
    return LKS_OK;
}

lks_err lks_tx_decode(lks_tx *tx, uint8_t sender20[20], uint8_t hash32[32], const uint8_t *raw,
                      size_t len)
{
    memset(tx, 0, sizeof *tx);
    if (!len || raw[0] != TYPE)
        return lks_fail(LKS_REFUSED, "transaction: only type 2 is supported");
    lks_err err;
    lks_rlp_reader in = {raw + 1, len - 1}, fields;
    lks_signature signature;
    uint8_t digest[32], sender[20];
    if ((err = lks_rlp_read_list(&in, &fields)) || (err = lks_rlp_read_end(&in)) ||
        (err = read_fields(&fields, tx)) || (err = read_signature(&fields, &signature)) ||
        (err = lks_tx_digest(digest, tx)) ||
        (err = lks_recover_address(sender, &signature, digest)))
        return err;
    if (sender20)
        memcpy(sender20, sender, 20);
    if (hash32)
        lks_keccak256(hash32, raw, len);
    return LKS_OK;
}
