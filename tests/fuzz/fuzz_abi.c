/* Any bytes as types and data: the first bytes, up to a 0xff, say what is read next, the rest is
 * the data. Whatever a reader gives lies inside the data, and a failure leaves it where it was. */
#include "chain/abi.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_DEPTH 8

static volatile unsigned sink;

static void check(bool good)
{
    if (!good)
        abort();
}

/* Reads each byte, so that the sanitizer sees what lies outside. */
static void touch(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sink += p[i];
}

static lks_err read_static(lks_abi_reader *r, uint8_t kind)
{
    uint8_t word[32];
    uint64_t u64;
    uint32_t u32;
    lks_u256 wide;
    bool yes;
    switch (kind % 8) {
    case 0: return lks_abi_read_word(r, word);
    case 1: return lks_abi_read_u64(r, &u64);
    case 2: return lks_abi_read_u32(r, &u32);
    case 3: return lks_abi_read_u256(r, &wide);
    case 4: return lks_abi_read_address(r, word);
    case 5: return lks_abi_read_bool(r, &yes);
    default: return lks_abi_read_fixed(r, word, (size_t)kind % 33);
    }
}

/* Reads one dynamic member; a tuple or array is pushed. */
static lks_err read_dynamic(lks_abi_reader *r, uint8_t kind, lks_abi_reader *inner, bool *entered)
{
    const uint8_t *bytes;
    size_t len, words = (size_t)kind / 16 % 4 + 1;
    lks_err err;
    *entered = kind % 3 != 0;
    if (kind % 3 == 0) {
        if (!(err = lks_abi_read_bytes(r, &bytes, &len))) {
            check(bytes >= r->data && len <= r->len && bytes + len <= r->data + r->len);
            touch(bytes, len);
        }
        return err;
    }
    if (kind % 3 == 1)
        return lks_abi_read_tuple(r, inner);
    if (!(err = lks_abi_read_array(r, words, inner, &len)))
        check(len <= inner->len / 32 / words);
    return err;
}

static void read_all(const uint8_t *types, size_t type_count, const uint8_t *data, size_t size)
{
    lks_abi_reader stack[MAX_DEPTH];
    size_t depth = 1;
    lks_abi_read(&stack[0], data, size);
    for (size_t i = 0; i < type_count && depth; i++) {
        lks_abi_reader *r = &stack[depth - 1], before = *r, inner;
        bool entered = false;
        lks_err err = types[i] < 128    ? read_static(r, types[i])
                      : types[i] == 128 ? LKS_OK
                                        : read_dynamic(r, types[i], &inner, &entered);
        if (types[i] == 128)
            depth--;
        else if (err)
            check(!memcmp(&before.at, &r->at, sizeof r->at));
        else if (entered && depth < MAX_DEPTH) {
            check(inner.data >= data && inner.data + inner.len <= data + size);
            stack[depth++] = inner;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ERRORS[] = {"A(uint256,address,bool,bytes32,string)", "B()",
                                         "C(bytes4[],uint8)", NULL};
    char text[128];
    size_t types = 0;
    while (types < size && types < 64 && data[types] != 0xff)
        types++;
    size_t start = types < size ? types + 1 : size;
    uint8_t *copy = malloc(size - start ? size - start : 1);
    if (!copy)
        return 0;
    if (size > start)
        memcpy(copy, data + start, size - start);
    read_all(data, types, copy, size - start);
    lks_abi_revert_text(text, sizeof text, copy, size - start, ERRORS);
    check(strlen(text) < sizeof text);
    free(copy);
    return 0;
}
