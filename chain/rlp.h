/* Recursive length prefix encoding. Source: Yellow Paper, appendix B.
 *
 * Writing: items are appended to a buffer; a list is opened, filled and closed.
 * Reading: strict. A reader walks the items of one list (or of one sequence of bytes); only the
 * canonical encoding is accepted: shortest prefixes, single bytes below 0x80 without prefix,
 * integers without leading zeros, nothing after the end. Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_RLP_H
#define LKS_CHAIN_RLP_H

#include "chain/buf.h"
#include "chain/u256.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends a byte string of len bytes at data. */
void lks_rlp_put_bytes(lks_buf *out, const void *data, size_t len);
/* Appends an integer: its big-endian bytes without leading zeros. */
void lks_rlp_put_u64(lks_buf *out, uint64_t value);
void lks_rlp_put_u256(lks_buf *out, const lks_u256 *value);

/* Opens a list. Returns: the mark to close it with. Lists may be nested; the innermost is closed
 * first. */
size_t lks_rlp_list_begin(lks_buf *out);
/* Closes the list that gave mark: puts its prefix in front of what was appended since. */
void lks_rlp_list_end(lks_buf *out, size_t mark);

/* The unread rest of one list. It points into the caller's bytes, which must outlive it. */
typedef struct lks_rlp_reader {
    const uint8_t *data;
    size_t len;
} lks_rlp_reader;

typedef struct lks_rlp_item {
    bool is_list;
    const uint8_t *data; /* payload, without the prefix */
    size_t len;
} lks_rlp_item;

/* Takes the next item off the reader. Returns: LKS_OK; LKS_CORRUPT when none is left or it is not
 * canonical (the payload of a list is not looked into). On failure the reader is unchanged; so for
 * all functions below. */
lks_err lks_rlp_next(lks_rlp_reader *in, lks_rlp_item *item) LKS_MUST_USE;

/* Out: a byte string of any length; *data points into the input. */
lks_err lks_rlp_read_bytes(lks_rlp_reader *in, const uint8_t **data, size_t *len) LKS_MUST_USE;
/* Out: a byte string of exactly len bytes, copied. */
lks_err lks_rlp_read_fixed(lks_rlp_reader *in, uint8_t *out, size_t len) LKS_MUST_USE;
lks_err lks_rlp_read_u64(lks_rlp_reader *in, uint64_t *out) LKS_MUST_USE;
lks_err lks_rlp_read_u256(lks_rlp_reader *in, lks_u256 *out) LKS_MUST_USE;
/* Out: a reader over the items of the list. */
lks_err lks_rlp_read_list(lks_rlp_reader *in, lks_rlp_reader *items) LKS_MUST_USE;
/* Returns: LKS_OK when nothing is left, else LKS_CORRUPT. */
lks_err lks_rlp_read_end(const lks_rlp_reader *in) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
