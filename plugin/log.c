#include "plugin/log.h"

#include <stdarg.h>
#include <stdio.h>

void lks_log(const lockstep_host *host, int level, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *c = line; *c; c++) /* one line, whatever a node put into its message */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    host->log(host->context, level, line);
}
