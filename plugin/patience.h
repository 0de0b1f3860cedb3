/* How long an answer of a node is waited for, method by method. A call that the node loses should
 * cost seconds, not the time in which a slow one may still be answered: the first wait is short,
 * each that was in vain doubles the next one for that method, and answers that come early halve it.
 * Thread rule: no lock of its own. */
#ifndef LKS_PLUGIN_PATIENCE_H
#define LKS_PLUGIN_PATIENCE_H

#include <stddef.h>
#include <stdint.h>

#define LKS_PATIENCE_FIRST_MS 6000u
#define LKS_PATIENCE_METHODS 32u /* that are told apart; others have the whole time */
#define LKS_PATIENCE_NAME 48u    /* bytes of a method's name that count, with a zero */

typedef struct lks_patience {
    struct {
        char method[LKS_PATIENCE_NAME];
        uint32_t wait_ms;
    } items[LKS_PATIENCE_METHODS];
    size_t count;
} lks_patience;

/* Returns: for how long to wait, at most most_ms. A zeroed lks_patience begins. */
uint32_t lks_patience_wait(lks_patience *p, const char *method, uint32_t most_ms);
/* No answer came within that wait. */
void lks_patience_in_vain(lks_patience *p, const char *method, uint32_t waited_ms);
/* An answer came before half of the wait was over. */
void lks_patience_early(lks_patience *p, const char *method);

#endif
