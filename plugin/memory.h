/* How much memory the machine, or the control group that we run in, has left for us. */
#ifndef LKS_PLUGIN_MEMORY_H
#define LKS_PLUGIN_MEMORY_H

#include <stdint.h>

/* Bytes that can be had without swapping, now: what the system calls available, or what is left to
 * the control group, whichever is less. UINT64_MAX when neither can be read. */
uint64_t lks_memory_available(void);

/* The parts. In: text, of /proc/meminfo. Returns: MemAvailable in bytes; UINT64_MAX when it does
 * not say. */
uint64_t lks_memory_of_system(const char *text);
/* In: texts of memory.max and memory.current of a control group; current may be NULL. Returns: what
 * is left; UINT64_MAX without a limit. */
uint64_t lks_memory_of_group(const char *max, const char *current);

#endif
