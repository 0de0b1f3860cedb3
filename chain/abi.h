/* The contract ABI: function calls, return values, events, custom errors. Source: Solidity
 * documentation, "Contract ABI Specification".
 *
 * Writing. A tuple (also: the arguments of a call) is a head of 32-byte words, one or more for a
 * static member and one, the offset, for a dynamic member, followed by the dynamic members. The
 * caller says how many head words a tuple has, then puts its members in order; dynamic members open
 * frames that are closed with lks_abi_end. For f(uint256, bytes, (address, uint256[])):
 *
 *     lks_abi_begin_call(&e, &out, "f(uint256,bytes,(address,uint256[]))", 3);
 *     lks_abi_put_u64(&e, 7);
 *     lks_abi_put_bytes(&e, data, len);
 *     lks_abi_begin_tuple(&e, 2);
 *         lks_abi_put_address(&e, addr20);
 *         lks_abi_begin_array(&e, 2, 1);
 *             lks_abi_put_u64(&e, 1); lks_abi_put_u64(&e, 2);
 *         lks_abi_end(&e);
 *     lks_abi_end(&e);
 *     err = lks_abi_finish(&e);
 *
 * A static struct or fixed-size array of static elements has no frame: its words count in the
 * surrounding head. Misuse (too many or too few members, a frame left open) and lack of memory are
 * sticky and show in lks_abi_finish.
 *
 * Reading. A reader walks the head of one tuple; offsets are taken relative to that tuple. Strict:
 * every offset and length is checked against the data before use; offsets are multiples of 32;
 * unused high bytes of u64, address and bool, and the padding after bytes, must be zero. Data is
 * not copied: what a reader gives points into the caller's bytes. Failures are LKS_CORRUPT. Thread
 * rule: no shared state.
 */
#ifndef LKS_CHAIN_ABI_H
#define LKS_CHAIN_ABI_H

#include "chain/buf.h"
#include "chain/u256.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LKS_ABI_MAX_DEPTH 16

typedef struct lks_abi_writer {
    lks_buf *out;
    struct {
        size_t start; /* in out: offsets count from here */
        size_t next;  /* head words written */
        size_t words; /* head words in all */
    } frame[LKS_ABI_MAX_DEPTH];
    size_t depth;
    bool misused;
} lks_abi_writer;

/* Starts a sequence of members with head_words words of head at the end of out. out must outlive
 * the writer. */
void lks_abi_begin(lks_abi_writer *e, lks_buf *out, size_t head_words);
/* The same after the 4-byte selector of signature, for example "transfer(address,uint256)". */
void lks_abi_begin_call(lks_abi_writer *e, lks_buf *out, const char *signature, size_t head_words);

/* Static members, one head word each. Unsigned integers are padded left, bytesN right. */
void lks_abi_put_word(lks_abi_writer *e, const uint8_t word32[32]);
void lks_abi_put_u64(lks_abi_writer *e, uint64_t value);
void lks_abi_put_u256(lks_abi_writer *e, const lks_u256 *value);
void lks_abi_put_address(lks_abi_writer *e, const uint8_t address20[20]);
void lks_abi_put_bool(lks_abi_writer *e, bool value);
/* bytesN: In: len bytes at data, 1 to 32. */
void lks_abi_put_fixed(lks_abi_writer *e, const void *data, size_t len);

/* Dynamic members: bytes or string. */
void lks_abi_put_bytes(lks_abi_writer *e, const void *data, size_t len);
/* Dynamic members: a dynamic tuple with head_words words of head; T[] with count elements of
 * element_words head words each (1 for elementary and for dynamic T). Their members follow, then
 * lks_abi_end. */
void lks_abi_begin_tuple(lks_abi_writer *e, size_t head_words);
void lks_abi_begin_array(lks_abi_writer *e, size_t count, size_t element_words);
void lks_abi_end(lks_abi_writer *e);

/* Returns: LKS_OK; LKS_INTERNAL on misuse; LKS_NOMEM. */
lks_err lks_abi_finish(lks_abi_writer *e) LKS_MUST_USE;

typedef struct lks_abi_reader {
    const uint8_t *data; /* of the tuple: offsets count from here */
    size_t len;          /* to the end of all data */
    size_t at;           /* the next head word, in bytes */
} lks_abi_reader;

/* Reads data of len bytes as a sequence of members. For return values, an event's data, or call
 * arguments after the selector. */
void lks_abi_read(lks_abi_reader *r, const void *data, size_t len);

/* The next head word, unchecked. */
lks_err lks_abi_read_word(lks_abi_reader *r, uint8_t word32[32]) LKS_MUST_USE;
/* Rejects values of 2^64, or 2^32, and more. */
lks_err lks_abi_read_u64(lks_abi_reader *r, uint64_t *out) LKS_MUST_USE;
lks_err lks_abi_read_u32(lks_abi_reader *r, uint32_t *out) LKS_MUST_USE;
lks_err lks_abi_read_u256(lks_abi_reader *r, lks_u256 *out) LKS_MUST_USE;
lks_err lks_abi_read_address(lks_abi_reader *r, uint8_t address20[20]) LKS_MUST_USE;
lks_err lks_abi_read_bool(lks_abi_reader *r, bool *out) LKS_MUST_USE;
/* bytesN of len bytes, 1 to 32; the rest of the word must be zero. */
lks_err lks_abi_read_fixed(lks_abi_reader *r, void *out, size_t len) LKS_MUST_USE;

/* bytes or string. Out: *data, *len: inside the reader's data (not zero-terminated). */
lks_err lks_abi_read_bytes(lks_abi_reader *r, const uint8_t **data, size_t *len) LKS_MUST_USE;
/* A dynamic tuple. Out: tuple, a reader over its members. */
lks_err lks_abi_read_tuple(lks_abi_reader *r, lks_abi_reader *tuple) LKS_MUST_USE;
/* T[] with element_words (1 or more) head words an element. Out: elements, a reader over them, and
 * *count; all heads are known to lie inside the data. */
lks_err lks_abi_read_array(lks_abi_reader *r, size_t element_words, lks_abi_reader *elements,
                           size_t *count) LKS_MUST_USE;

/* Out: the first 4 bytes of Keccak-256 of the signature: of a function or a custom error. */
void lks_abi_selector(uint8_t selector4[4], const char *signature);
/* Out: Keccak-256 of the signature: topic 0 of an event. */
void lks_abi_topic(uint8_t topic32[32], const char *signature);

/* One line about the data of a revert: the text of Error(string), the code of Panic(uint256), or
 * the name and static arguments of a custom error, for example "BondTooSmall(1000, 2000)". Out:
 * text, zero-terminated, cut at size. In: len bytes at data; errors, NULL or a NULL-terminated
 * array of custom error signatures; an error that is not among them is shown by its selector. */
void lks_abi_revert_text(char *text, size_t size, const uint8_t *data, size_t len,
                         const char *const *errors);

#ifdef __cplusplus
}
#endif
#endif
