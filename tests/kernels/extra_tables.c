#include "tests/kernels/extra_tables.h"

#include <string.h>

#if defined(__x86_64__)
#include "kernels/scalar/scalar.h"

LKS_DECLARE_LINEAR(avxvnni_evex)
LKS_DECLARE_LINEAR(amx_emulated)

static const struct {
    const char *name, *base;
    void (*linear)(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first,
                   uint32_t last, const lks_a8 *x, size_t rows);
} extras[] = {{"avxvnni_evex", "avx2", lks_avxvnni_evex_linear},
              {"amx_emulated", "avx512", lks_amx_emulated_linear}};

bool extra_table(lks_kernels *table, size_t index)
{
    const lks_kernels *base = NULL, *avx512 = NULL;
    if (index >= sizeof extras / sizeof *extras)
        return false;
    for (size_t i = 0; lks_kernels_at(i); i++) {
        if (strcmp(lks_kernels_at(i)->name, extras[index].base) == 0)
            base = lks_kernels_at(i);
        if (strcmp(lks_kernels_at(i)->name, "avx512") == 0)
            avx512 = lks_kernels_at(i);
    }
    if (!base || !avx512)
        return false;
    *table = *base;
    table->name = extras[index].name;
    table->linear = extras[index].linear;
    return true;
}
#else
bool extra_table(lks_kernels *table, size_t index)
{
    (void)table, (void)index;
    return false;
}
#endif
