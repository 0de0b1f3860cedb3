/* Which models are in service: those whose files are still what their ids were derived from. What
 * runs is in memory and stays right, but a claim must be defended after a restart too. */
#include "plugin/operator.h"

#include "plugin/log.h"

static size_t index_of(const lks_operator *op, const lks_served *served)
{
    return (size_t)(served - op->models->items);
}

bool lks_service_has(const lks_operator *op, const lks_served *served)
{
    return !op->out_of_service[index_of(op, served)];
}

void lks_service_end(lks_operator *op, const lks_served *served, const char *why)
{
    if (!lks_service_has(op, served))
        return;
    op->out_of_service[index_of(op, served)] = true;
    lks_log(op->host, LKS_ERROR,
            "%s: its model is out of service: nothing is accepted for it or claimed from it; open"
            " claims are defended. Put the file back and start the plugin again",
            why);
}

void lks_service_look(lks_operator *op)
{
    for (size_t i = 0; i < op->models->count; i++) {
        const lks_served *served = &op->models->items[i];
        if (lks_service_has(op, served) && lks_served_check(served))
            lks_service_end(op, served, lks_error_message());
    }
}
