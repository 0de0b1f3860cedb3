#include "oracle/model/model.h"

#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

static lks_err make_rope_table(lks_model *m)
{
    const lks_program *p = &m->program;
    size_t rows = p->max_positions, width = p->rope_width;
    double *frequencies = malloc(width / 2 * sizeof *frequencies);
    m->rope = malloc(rows * width * sizeof *m->rope);
    lks_err err =
        frequencies && m->rope ? LKS_OK : lks_fail(LKS_NOMEM, "out of memory for the RoPE table");
    if (!err) {
        lks_rope_frequencies(frequencies, p->rope_base, p->rope_width, p->rope_factors);
        for (uint32_t i = 0; i < rows; i++)
            lks_rope_row(m->rope + i * width, i, frequencies, p->rope_width);
    }
    free(frequencies);
    return err;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static lks_err make_vectors(lks_model *m)
{
    return (void)m, LKS_OK;
}
static void free_vectors(lks_model *m)
{
    (void)m;
}

/* As they lie in the file: GGUF aligns tensors to at least 8. */
const float *lks_model_vector(const lks_model *m, uint32_t tensor)
{
    return (const float *)(const void *)m->program.tensors[tensor]->data;
}
#else
static lks_err make_vectors(lks_model *m)
{
    const lks_program *p = &m->program;
    m->vectors = calloc(p->tensor_count, sizeof *m->vectors);
    for (uint32_t i = 0; m->vectors && i < p->tensor_count; i++) {
        const lks_gguf_tensor *t = p->tensors[i];
        if (t->type != LKS_F32)
            continue;
        if (!(m->vectors[i] = malloc(t->size)))
            return lks_fail(LKS_NOMEM, "out of memory for %zu bytes of a tensor", (size_t)t->size);
        for (size_t k = 0; k < t->size / 4; k++)
            m->vectors[i][k] = lks_float(lks_load_le32(t->data + 4 * k));
    }
    return m->vectors ? LKS_OK : lks_fail(LKS_NOMEM, "out of memory");
}

static void free_vectors(lks_model *m)
{
    for (uint32_t i = 0; m->vectors && i < m->program.tensor_count; i++)
        free(m->vectors[i]);
    free(m->vectors);
}

const float *lks_model_vector(const lks_model *m, uint32_t tensor)
{
    return m->vectors[tensor];
}
#endif

typedef lks_err (*file_opener)(lks_gguf **out, const char *path);

static lks_err open_with(lks_model *out, const char *path, file_opener open_file)
{
    memset(out, 0, sizeof *out);
    const char *fault = lks_kernels_check();
    if (fault)
        return lks_fail(LKS_REFUSED, "%s", fault);
    lks_err err = open_file(&out->file, path);
    if (!err)
        err = lks_program_derive(&out->program, out->file);
    if (!err)
        err = lks_tokenizer_open(&out->tokenizer, out->file);
    if (!err && lks_tokenizer_vocab_size(out->tokenizer) != out->program.vocab_size)
        err = lks_fail(LKS_CORRUPT, "the tokenizer has %u tokens and the embedding %u rows",
                       lks_tokenizer_vocab_size(out->tokenizer), out->program.vocab_size);
    if (!err)
        err = make_rope_table(out);
    if (!err)
        err = make_vectors(out);
    if (!err)
        err = lks_packed_new(&out->packed, &out->program);
    if (err) {
        if (out->file) /* lks_gguf_open names the file itself */
            lks_fail_in(err, "%s", path);
        lks_model_close(out);
    }
    return err;
}

lks_err lks_model_open(lks_model *out, const char *path)
{
    return open_with(out, path, lks_gguf_open);
}

lks_err lks_model_load(lks_model *out, const char *path)
{
    return open_with(out, path, lks_gguf_load);
}

lks_err lks_model_settle(lks_model *m, unsigned threads)
{
    lks_pool *pool = NULL;
    uint32_t lanes = lks_kernels_best()->lanes;
    if (lanes == 0) /* they read the stored form */
        return LKS_OK;
    lks_err err = lks_pool_open(&pool, threads);
    if (!err)
        err = lks_packed_replace(m->packed, &m->program, lanes, pool, m->file);
    lks_pool_close(pool);
    return err;
}

lks_err lks_model_check_file(const lks_model *m)
{
    return lks_gguf_check(m->file);
}

void lks_model_close(lks_model *m)
{
    lks_tokenizer_close(m->tokenizer);
    lks_packed_free(m->packed);
    free_vectors(m);
    lks_program_free(&m->program);
    lks_gguf_close(m->file);
    free(m->rope);
    memset(m, 0, sizeof *m);
}
