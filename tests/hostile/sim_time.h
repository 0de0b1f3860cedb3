/* Time for programs of one thread that simulate a chain: the clocks of libc show simulated time,
 * and whoever waits for a condition with a limit lets it pass. The program is linked with
 * SIM_TIME_LINK_OPTIONS of tests/hostile/CMakeLists.txt, which put these functions in libc's place
 * for everything in it. */
#ifndef LKS_TESTS_SIM_TIME_H
#define LKS_TESTS_SIM_TIME_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_time {
    uint64_t now_ms;       /* monotonic, simulated */
    uint64_t work_us;      /* beyond that, of the work that runs: see sim_time_work */
    uint64_t unix_seconds; /* of the real-time clock when now_ms is 0 */
    /* Somebody waits until then: lets time pass up to it, or do something that may end the waiting
     * earlier. */
    void (*wait)(void *user, uint64_t until_ms);
    void *user;
} sim_time;

/* The one there is. NULL wait: time passes and nothing happens meanwhile. */
extern sim_time sim_clock;

/* A computation takes so long by the clock of whoever measures it, and no time of the chain. */
void sim_time_work(uint64_t us);

#endif
