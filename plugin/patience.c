#include "plugin/patience.h"

#include <stdio.h>
#include <string.h>

/* The method's wait; NULL when there is no room for another. */
static uint32_t *wait_of(lks_patience *p, const char *method)
{
    for (size_t i = 0; i < p->count; i++)
        if (strncmp(p->items[i].method, method, LKS_PATIENCE_NAME - 1) == 0)
            return &p->items[i].wait_ms;
    if (p->count == LKS_PATIENCE_METHODS)
        return NULL;
    snprintf(p->items[p->count].method, LKS_PATIENCE_NAME, "%s", method);
    p->items[p->count].wait_ms = LKS_PATIENCE_FIRST_MS;
    return &p->items[p->count++].wait_ms;
}

uint32_t lks_patience_wait(lks_patience *p, const char *method, uint32_t most_ms)
{
    const uint32_t *wait = wait_of(p, method);
    return wait && *wait < most_ms ? *wait : most_ms;
}

void lks_patience_in_vain(lks_patience *p, const char *method, uint32_t waited_ms)
{
    uint32_t *wait = wait_of(p, method);
    if (wait &&
        *wait == waited_ms) /* else it was the whole time, or somebody else has doubled it */
        *wait *= 2;
}

void lks_patience_early(lks_patience *p, const char *method)
{
    uint32_t *wait = wait_of(p, method);
    if (wait && *wait > LKS_PATIENCE_FIRST_MS)
        *wait /= 2;
}
