#include "oracle/model/packed.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    ALIGN = 64,
    ROWS_A_UNIT = 64
}; /* a multiple of all lanes */

struct lks_packed {
    pthread_mutex_t lock;
    uint32_t lanes;    /* 0: not made yet */
    bool is_only_form; /* of the matrices: what was stored was given back */
    uint32_t count;
    uint8_t **tensors;
};

lks_err lks_packed_new(lks_packed **out, const lks_program *p)
{
    lks_packed *packed = *out = calloc(1, sizeof *packed);
    if (!packed)
        return lks_fail(LKS_NOMEM, "out of memory");
    pthread_mutex_init(&packed->lock, NULL);
    packed->count = p->tensor_count;
    packed->tensors = calloc(p->tensor_count, sizeof *packed->tensors);
    if (packed->tensors)
        return LKS_OK;
    lks_packed_free(packed);
    *out = NULL;
    return lks_fail(LKS_NOMEM, "out of memory");
}

void lks_packed_free(lks_packed *packed)
{
    if (!packed)
        return;
    for (uint32_t i = 0; packed->tensors && i < packed->count; i++)
        free(packed->tensors[i]);
    free(packed->tensors);
    pthread_mutex_destroy(&packed->lock);
    free(packed);
}

typedef struct job {
    lks_matrix matrix;
    uint8_t *out;
    uint32_t lanes;
} job;

static void pack_unit(void *context, size_t unit, unsigned thread)
{
    (void)thread;
    const job *j = context;
    uint32_t first = (uint32_t)unit * ROWS_A_UNIT,
             last = first + ROWS_A_UNIT < j->matrix.rows ? first + ROWS_A_UNIT : j->matrix.rows;
    lks_pack(j->out, &j->matrix, j->lanes, first, last);
}

static lks_err pack_tensor(lks_packed *packed, const lks_program *p, const lks_weight_ref *w,
                           uint32_t lanes, lks_pool *pool)
{
    if (w->tensor == LKS_NONE || w->type == LKS_F32 || packed->tensors[w->tensor])
        return LKS_OK;
    const lks_gguf_tensor *t = p->tensors[w->tensor];
    job j = {{.type = t->type,
              .rows = w->rows,
              .cols = w->cols,
              .data = t->data,
              .row_size = t->row_size},
             NULL,
             lanes};
    size_t size = (lks_packed_size(&j.matrix, lanes) + ALIGN - 1) / ALIGN * ALIGN;
    j.out = packed->tensors[w->tensor] = aligned_alloc(ALIGN, size);
    if (!j.out)
        return lks_fail(LKS_NOMEM, "out of memory for %zu bytes of packed weights", size);
    lks_pool_run(pool, (w->rows + ROWS_A_UNIT - 1) / ROWS_A_UNIT, pack_unit, &j);
    return LKS_OK;
}

/* Rows of an embedding are read as they are stored. */
static bool is_embedding(const lks_program *p, uint32_t tensor)
{
    for (uint32_t i = 0; i < p->op_count; i++)
        if (p->ops[i].code == LKS_OP_EMBED && p->ops[i].weights[0].tensor == tensor)
            return true;
    return false;
}

/* file: NULL where the stored form stays. */
static lks_err make(lks_packed *packed, const lks_program *p, uint32_t lanes, lks_pool *pool,
                    lks_gguf *file)
{
    lks_err err = LKS_OK;
    for (uint32_t i = 0; !err && i < p->op_count; i++)
        for (int k = 0; !err && k < 4; k++) {
            const lks_weight_ref *w = &p->ops[i].weights[k];
            if (p->ops[i].code == LKS_OP_EMBED)
                continue;
            err = pack_tensor(packed, p, w, lanes, pool);
            bool packed_now = !err && w->tensor != LKS_NONE && packed->tensors[w->tensor];
            if (file && packed_now && !is_embedding(p, w->tensor))
                lks_gguf_release(file, p->tensors[w->tensor]);
        }
    if (!err)
        packed->lanes = lanes;
    return err;
}

lks_err lks_packed_make(lks_packed *packed, const lks_program *p, uint32_t lanes, lks_pool *pool)
{
    lks_err err = LKS_OK;
    pthread_mutex_lock(&packed->lock);
    if (lanes && packed->lanes == 0)
        err = make(packed, p, lanes, pool, NULL);
    pthread_mutex_unlock(&packed->lock);
    return err;
}

lks_err lks_packed_replace(lks_packed *packed, const lks_program *p, uint32_t lanes, lks_pool *pool,
                           lks_gguf *file)
{
    pthread_mutex_lock(&packed->lock);
    packed->is_only_form = true;
    lks_err err = make(packed, p, lanes, pool, file);
    pthread_mutex_unlock(&packed->lock);
    return err;
}

bool lks_packed_serves(const lks_packed *packed, uint32_t lanes)
{
    return !packed->is_only_form || packed->lanes == lanes;
}

void lks_packed_find(lks_matrix *w, const lks_packed *packed, uint32_t tensor)
{
    w->packed = packed->lanes ? packed->tensors[tensor] : NULL;
    w->lanes = packed->lanes;
}
