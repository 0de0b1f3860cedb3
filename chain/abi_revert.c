#include "chain/abi.h"

#include <inttypes.h>
#include <string.h>

#include "chain/address.h"
#include "chain/hex.h"

/* Codes that solc's checks put into Panic(uint256). Source: Solidity documentation, "Panic via
 * assert and Error via require". */
static const char *panic_name(uint64_t code)
{
    switch (code) {
    case 0x01: return "assertion failed";
    case 0x11: return "arithmetic overflow";
    case 0x12: return "division by zero";
    case 0x21: return "no such enum value";
    case 0x22: return "corrupt storage byte array";
    case 0x31: return "pop from an empty array";
    case 0x32: return "array index out of bounds";
    case 0x41: return "out of memory";
    case 0x51: return "call of an uninitialised function";
    }
    return "unknown code";
}

static const char *find_error(const uint8_t selector[4], const char *const *errors)
{
    for (; errors && *errors; errors++) {
        uint8_t candidate[4];
        lks_abi_selector(candidate, *errors);
        if (!memcmp(candidate, selector, 4))
            return *errors;
    }
    return NULL;
}

/* Appends the next argument by its type, which ends at end. Returns: whether the type is one that
 * is shown and the data fits it. */
static bool put_argument(lks_buf *line, lks_abi_reader *r, const char *type, const char *end)
{
    size_t len = (size_t)(end - type);
    uint8_t word[32];
    if (len && end[-1] == ']')
        return false;
    if (len >= 4 && !memcmp(type, "uint", 4)) {
        lks_u256 value;
        char text[LKS_U256_DECIMAL_SIZE];
        if (lks_abi_read_u256(r, &value))
            return false;
        lks_u256_to_decimal(text, &value);
        lks_buf_put_text(line, text);
        return true;
    }
    if (len == 7 && !memcmp(type, "address", 7)) {
        char text[LKS_ADDRESS_SIZE];
        if (lks_abi_read_address(r, word))
            return false;
        lks_address_format(text, word);
        lks_buf_put_text(line, text);
        return true;
    }
    if (len == 4 && !memcmp(type, "bool", 4)) {
        bool value;
        if (lks_abi_read_bool(r, &value))
            return false;
        lks_buf_put_text(line, value ? "true" : "false");
        return true;
    }
    if (len > 5 && !memcmp(type, "bytes", 5) && !lks_abi_read_word(r, word)) {
        lks_hex_append(line, word, 32);
        return true;
    }
    return false;
}

/* "Name(value, value)"; stops with "..." at the first argument of a type that is not shown. */
static void put_custom(lks_buf *line, const char *signature, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    const char *type = strchr(signature, '(');
    lks_abi_read(&r, data, len);
    if (!type) {
        lks_buf_put_text(line, signature);
        return;
    }
    lks_buf_put(line, signature, (size_t)(++type - signature));
    while (*type && *type != ')') {
        const char *end = type + strcspn(type, ",)");
        if (!put_argument(line, &r, type, end)) {
            lks_buf_put_text(line, "...");
            break;
        }
        if (*end == ',') {
            lks_buf_put_text(line, ", ");
            end++;
        }
        type = end;
    }
    lks_buf_put_text(line, ")");
}

static void put_line(lks_buf *line, const uint8_t *data, size_t len, const char *const *errors)
{
    static const uint8_t ERROR_STRING[4] = {0x08, 0xc3, 0x79, 0xa0},
                         PANIC[4] = {0x4e, 0x48, 0x7b, 0x71};
    lks_abi_reader r;
    const uint8_t *text;
    size_t text_len;
    uint64_t code;
    if (!len) {
        lks_buf_put_text(line, "reverted without a reason");
        return;
    }
    if (len < 4) {
        lks_hex_append(line, data, len);
        return;
    }
    const char *signature = find_error(data, errors);
    lks_abi_read(&r, data + 4, len - 4);
    if (!memcmp(data, ERROR_STRING, 4) && !lks_abi_read_bytes(&r, &text, &text_len))
        lks_buf_put(line, text, text_len);
    else if (!memcmp(data, PANIC, 4) && !lks_abi_read_u64(&r, &code))
        lks_buf_printf(line, "panic 0x%02" PRIx64 " (%s)", code, panic_name(code));
    else if (signature)
        put_custom(line, signature, data + 4, len - 4);
    else {
        lks_buf_put_text(line, "custom error ");
        lks_hex_append(line, data, 4);
    }
}

void lks_abi_revert_text(char *text, size_t size, const uint8_t *data, size_t len,
                         const char *const *errors)
{
    lks_buf line = {0};
    if (!size)
        return;
    put_line(&line, data, len, errors);
    size_t count = line.failed ? 0 : line.len < size - 1 ? line.len : size - 1;
    if (count)
        memcpy(text, line.data, count);
    text[count] = 0;
    /* The text of Error(string) is the contract's: no control characters may reach a terminal or a
     * log. */
    for (size_t i = 0; i < count; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
    lks_buf_free(&line);
}
