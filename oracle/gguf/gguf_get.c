/* Look-ups in an open GGUF file. The file has been checked: nothing here can run out of its bounds.
 */
#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/gguf/gguf_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

size_t lks_gguf_type_size(uint32_t type)
{
    switch (type) {
    case LKS_GGUF_U8:
    case LKS_GGUF_I8:
    case LKS_GGUF_BOOL: return 1;
    case LKS_GGUF_U16:
    case LKS_GGUF_I16: return 2;
    case LKS_GGUF_U32:
    case LKS_GGUF_I32:
    case LKS_GGUF_F32: return 4;
    case LKS_GGUF_U64:
    case LKS_GGUF_I64:
    case LKS_GGUF_F64: return 8;
    default: return 0;
    }
}

const uint8_t *lks_gguf_value(const lks_gguf_entry *e)
{
    return e->raw + 8 + e->key.len + 4;
}

size_t lks_gguf_entry_count(const lks_gguf *g)
{
    return g->entry_count;
}

const lks_gguf_entry *lks_gguf_entry_at(const lks_gguf *g, size_t i)
{
    return &g->entries[i];
}

const lks_gguf_entry *lks_gguf_find(const lks_gguf *g, const char *key)
{
    uint32_t i = lks_strtab_get(&g->keys, key, strlen(key));
    return i == LKS_STRTAB_NONE ? NULL : &g->entries[i];
}

static lks_err not_found(const char *key)
{
    return lks_fail(LKS_NOTFOUND, "the file has no key %s", key);
}

/* Out: *value, an integer of any type; *negative: it is below zero. Returns: false for other types.
 */
static bool integer_of(const lks_gguf_entry *e, uint64_t *value, bool *negative)
{
    const uint8_t *p = lks_gguf_value(e);
    int64_t i = 0;
    *negative = false;
    switch (e->type) {
    case LKS_GGUF_U8: *value = p[0]; return true;
    case LKS_GGUF_U16: *value = lks_load_le16(p); return true;
    case LKS_GGUF_U32: *value = lks_load_le32(p); return true;
    case LKS_GGUF_U64: *value = lks_load_le64(p); return true;
    case LKS_GGUF_I8: i = (int8_t)p[0]; break;
    case LKS_GGUF_I16: i = (int16_t)lks_load_le16(p); break;
    case LKS_GGUF_I32: i = (int32_t)lks_load_le32(p); break;
    case LKS_GGUF_I64: i = (int64_t)lks_load_le64(p); break;
    default: return false;
    }
    *value = (uint64_t)i;
    *negative = i < 0;
    return true;
}

lks_err lks_gguf_get_u32(const lks_gguf *g, const char *key, uint32_t *out)
{
    const lks_gguf_entry *e = lks_gguf_find(g, key);
    uint64_t value;
    bool negative;
    if (!e)
        return not_found(key);
    if (!integer_of(e, &value, &negative))
        return lks_fail(LKS_CORRUPT, "key %s is not an integer", key);
    if (negative || value > UINT32_MAX)
        return lks_fail(LKS_CORRUPT, "key %s does not fit 32 bits without sign", key);
    *out = (uint32_t)value;
    return LKS_OK;
}

lks_err lks_gguf_get_f32(const lks_gguf *g, const char *key, float *out)
{
    const lks_gguf_entry *e = lks_gguf_find(g, key);
    if (!e)
        return not_found(key);
    if (e->type == LKS_GGUF_F32) {
        *out = lks_float(lks_load_le32(lks_gguf_value(e)));
        return LKS_OK;
    }
    if (e->type != LKS_GGUF_F64)
        return lks_fail(LKS_CORRUPT, "key %s is not a floating-point number", key);
    uint64_t bits = lks_load_le64(lks_gguf_value(e));
    double value;
    memcpy(&value, &bits, 8);
    if (!isfinite(value) || value > (double)FLT_MAX || value < -(double)FLT_MAX ||
        (double)(float)value != value)
        return lks_fail(LKS_CORRUPT, "key %s is not exactly a 32-bit float", key);
    *out = (float)value;
    return LKS_OK;
}

lks_err lks_gguf_get_bool(const lks_gguf *g, const char *key, bool *out)
{
    const lks_gguf_entry *e = lks_gguf_find(g, key);
    if (!e)
        return not_found(key);
    if (e->type != LKS_GGUF_BOOL)
        return lks_fail(LKS_CORRUPT, "key %s is not a boolean", key);
    *out = *lks_gguf_value(e) != 0;
    return LKS_OK;
}

lks_err lks_gguf_get_string(const lks_gguf *g, const char *key, lks_gguf_string *out)
{
    const lks_gguf_entry *e = lks_gguf_find(g, key);
    if (!e)
        return not_found(key);
    if (e->type != LKS_GGUF_STRING)
        return lks_fail(LKS_CORRUPT, "key %s is not a string", key);
    const uint8_t *cursor = lks_gguf_value(e);
    *out = lks_gguf_next_string(&cursor);
    return LKS_OK;
}

lks_err lks_gguf_get_array(const lks_gguf *g, const char *key, lks_gguf_type type,
                           lks_gguf_array *out)
{
    const lks_gguf_entry *e = lks_gguf_find(g, key);
    if (!e)
        return not_found(key);
    const uint8_t *p = lks_gguf_value(e);
    if (e->type != LKS_GGUF_ARRAY || lks_load_le32(p) != (uint32_t)type)
        return lks_fail(LKS_CORRUPT, "key %s is not an array of the expected type (%d)", key,
                        (int)type);
    *out = (lks_gguf_array){.type = type,
                            .count = lks_load_le64(p + 4),
                            .data = p + 12,
                            .size = (size_t)(e->raw + e->raw_size - (p + 12))};
    return LKS_OK;
}

lks_gguf_string lks_gguf_next_string(const uint8_t **cursor)
{
    lks_gguf_string s = {.data = (const char *)*cursor + 8, .len = (size_t)lks_load_le64(*cursor)};
    *cursor += 8 + s.len;
    return s;
}

size_t lks_gguf_tensor_count(const lks_gguf *g)
{
    return g->tensor_count;
}

const lks_gguf_tensor *lks_gguf_tensor_at(const lks_gguf *g, size_t i)
{
    return &g->tensors[i];
}

const lks_gguf_tensor *lks_gguf_tensor_find(const lks_gguf *g, const char *name)
{
    uint32_t i = lks_strtab_get(&g->names, name, strlen(name));
    return i == LKS_STRTAB_NONE ? NULL : &g->tensors[i];
}

/* Block length and bytes of a block, from ggml's block structs: scales are f16, K types have 256
 * elements. */
typedef struct type_info {
    const char *name;
    uint32_t block, size;
} type_info;

static const type_info *info_of(lks_tensor_type type)
{
    static const type_info infos[31] = {
        [LKS_F32] = {"F32", 1, 4},       [LKS_F16] = {"F16", 1, 2},
        [LKS_BF16] = {"BF16", 1, 2},     [LKS_Q4_0] = {"Q4_0", 32, 18},
        [LKS_Q4_1] = {"Q4_1", 32, 20},   [LKS_Q5_0] = {"Q5_0", 32, 22},
        [LKS_Q5_1] = {"Q5_1", 32, 24},   [LKS_Q8_0] = {"Q8_0", 32, 34},
        [LKS_Q4_K] = {"Q4_K", 256, 144}, [LKS_Q5_K] = {"Q5_K", 256, 176},
        [LKS_Q6_K] = {"Q6_K", 256, 210},
    };
    return (unsigned)type < 31 && infos[type].name ? &infos[type] : NULL;
}

uint32_t lks_tensor_type_block(lks_tensor_type type)
{
    const type_info *i = info_of(type);
    return i ? i->block : 0;
}

uint32_t lks_tensor_type_size(lks_tensor_type type)
{
    const type_info *i = info_of(type);
    return i ? i->size : 0;
}

const char *lks_tensor_type_name(lks_tensor_type type)
{
    const type_info *i = info_of(type);
    return i ? i->name : "?";
}
