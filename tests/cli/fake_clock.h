/* A clock that goes on by what is slept, linked with --wrap=nanosleep,--wrap=lks_now. */
#ifndef LKS_TESTS_FAKE_CLOCK_H
#define LKS_TESTS_FAKE_CLOCK_H

/* Seconds since the program began, as lks_now says. */
extern double fake_clock_now;
/* Called after each sleep; may be NULL. */
extern void (*fake_clock_tick)(void);

#endif
