#include "plugin/resources.h"

#include "plugin/log.h"
#include "plugin/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static lks_err open_spill(lks_resources *r, const lks_config *config)
{
    if (mkdir(config->spill_folder, 0700) && errno != EEXIST)
        return lks_fail(LKS_IO, "the folder %s cannot be made: %s", config->spill_folder,
                        strerror(errno));
    return lks_spill_open(&r->spill, config->spill_folder, config->max_spill_bytes);
}

void lks_resources_open(lks_resources *r, const lockstep_host *host, const lks_config *config)
{
    *r = (lks_resources){.host = host, .max_memory = config->max_memory_bytes};
    if (r->max_memory == 0)
        r->max_memory = lks_memory_available() / 2;
    bool keeps = config->spill_folder && config->spill_folder[0];
    if (!keeps || !lks_config_has_game(config))
        return;
    if (open_spill(r, config))
        lks_log(host, LKS_WARN,
                "rows of traces are not kept, so that each answer in a dispute takes a pass: %s; "
                "give spill_folder a folder that can be written",
                lks_error_message());
}

void lks_resources_close(lks_resources *r)
{
    lks_spill_close(r->spill);
    r->spill = NULL;
}

void lks_resources_look_at(lks_resources *r, const lks_trace *trace)
{
    const char *fault = trace ? lks_trace_rows_fault(trace) : NULL;
    if (trace && lks_trace_keeps_rows(trace))
        r->told_of_rows = false;
    if (!fault || r->told_of_rows)
        return;
    r->told_of_rows = true;
    lks_log(
        r->host, LKS_WARN,
        "the rows of a trace are computed again when a dispute asks for them: %s; free the disk,"
        " or raise max_spill_bytes",
        fault);
}
