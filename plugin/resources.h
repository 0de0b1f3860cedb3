/* Resources of the machine: the disk for rows of traces, and memory. */
#ifndef LKS_PLUGIN_RESOURCES_H
#define LKS_PLUGIN_RESOURCES_H

#include "oracle/trace/spill.h"
#include "oracle/trace/trace.h"
#include "plugin/config.h"
#include "plugin/lockstep_plugin.h"

typedef struct lks_resources {
    const lockstep_host *host;
    lks_spill *spill;    /* NULL: rows are computed again */
    bool told_of_rows;   /* that a trace's rows are not kept */
    uint64_t max_memory; /* bytes, for answers and traces together */
} lks_resources;

/* Opens the configured folder for rows, where there is a dispute game; makes it when it is missing.
 * One that cannot be used is a warning, and rows are computed again. Memory is what the
 * configuration allows, or half of what can be had now: the models are loaded. */
void lks_resources_open(lks_resources *r, const lockstep_host *host, const lks_config *config);
void lks_resources_close(lks_resources *r); /* harmless on one that is all zero */

/* Warns, once, when the rows of a trace were to be kept and are not. */
void lks_resources_look_at(lks_resources *r, const lks_trace *trace);

#endif
