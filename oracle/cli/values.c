#include "oracle/cli/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

lks_err lks_parse_u64(uint64_t *out, const char *text)
{
    uint64_t value = 0;
    if (*text == '\0') {
        return lks_fail(LKS_BADARGS, "a whole number is missing");
    }
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9') {
            return lks_fail(LKS_BADARGS, "'%s' is not a whole number", text);
        }
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return lks_fail(LKS_BADARGS, "'%s' is too large", text);
        }
        value = value * 10 + digit;
    }
    *out = value;
    return LKS_OK;
}

lks_err lks_parse_u32(uint32_t *out, const char *text)
{
    uint64_t value;
    lks_err err = lks_parse_u64(&value, text);
    if (err != LKS_OK) {
        return err;
    }
    if (value > UINT32_MAX) {
        return lks_fail(LKS_BADARGS, "'%s' is too large", text);
    }
    *out = (uint32_t)value;
    return LKS_OK;
}

lks_err lks_parse_f32(uint32_t *bits, const char *text)
{
    char *end;
    size_t len = strlen(text);
    /* Only the characters of decimals: strtof by itself also takes "inf", "nan", "0x1p3" and
     * leading spaces. The program never calls setlocale, so the decimal point is a point. */
    if (len == 0 || strspn(text, "0123456789.eE+-") != len) {
        return lks_fail(LKS_BADARGS, "'%s' is not a decimal number", text);
    }
    errno = 0;
    float value = strtof(text, &end);
    if (end != text + len) {
        return lks_fail(LKS_BADARGS, "'%s' is not a decimal number", text);
    }
    if (value > 3.4028235e38f || value < -3.4028235e38f) {
        return lks_fail(LKS_BADARGS, "'%s' is too large", text);
    }
    memcpy(bits, &value, sizeof value);
    return LKS_OK;
}

lks_err lks_parse_duration(uint32_t *seconds, const char *text)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char digits[24];
    size_t len = strlen(text);
    uint64_t value;
    if (len >= 2 && len < sizeof digits) {
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            if (text[len - 1] != units[i].unit) {
                continue;
            }
            memcpy(digits, text, len - 1);
            digits[len - 1] = '\0';
            lks_err err = lks_parse_u64(&value, digits);
            if (err != LKS_OK) {
                return err;
            }
            if (value > UINT32_MAX / units[i].seconds) {
                return lks_fail(LKS_BADARGS, "'%s' is too long", text);
            }
            *seconds = (uint32_t)value * units[i].seconds;
            return LKS_OK;
        }
    }
    return lks_fail(LKS_BADARGS, "'%s' is not a duration such as 20s, 10m, 24h or 7d", text);
}

lks_err lks_parse_amount(lks_u256 *wei, const char *text)
{
    size_t len = strlen(text);
    char last = len > 0 ? text[len - 1] : '\0';
    /* lks_wei_parse takes a bare number as ether: too easily a mistake by eighteen digits. */
    if ((last >= '0' && last <= '9') || last == '.') {
        return lks_fail(LKS_BADARGS,
                        "'%s' has no unit; write it as ether, gwei or wei, for example %sether",
                        text, text);
    }
    return lks_wei_parse(wei, text);
}

lks_err lks_parse_id_list(lks_tokens *out, const char *text)
{
    enum {
        LONGEST = 10
    };
    for (const char *word = text;; word++) {
        char digits[LONGEST + 1];
        size_t len = strcspn(word, ",");
        uint32_t id;
        if (len > LONGEST) {
            return lks_fail(LKS_BADARGS, "'%.20s' is not a list of token ids", word);
        }
        memcpy(digits, word, len);
        digits[len] = '\0';
        lks_err err = lks_parse_u32(&id, digits);
        err = err == LKS_OK ? lks_tokens_push(out, id) : err;
        word += len;
        if (err != LKS_OK || *word == '\0') {
            return err;
        }
    }
}
