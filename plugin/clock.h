/* The clock by which the plugin waits, pauses and measures. In a file of its own, so that a test
 * can put another clock in its place. */
#ifndef LKS_PLUGIN_CLOCK_H
#define LKS_PLUGIN_CLOCK_H

#include <stdint.h>

/* Milliseconds, microseconds of the monotonic clock. Any thread. */
uint64_t lks_now_ms(void);
uint64_t lks_now_us(void);
/* Unix seconds by the machine's clock, which somebody may set. Any thread. */
uint64_t lks_wall_seconds(void);

#endif
