#include "oracle/cli/backoff.h"

#include "oracle/cli/progress.h"

#define LONGEST_S 60.0

bool lks_backoff_ready(const lks_backoff *b)
{
    return b->pause == 0 || lks_now() >= b->until;
}

void lks_backoff_fail(lks_backoff *b)
{
    b->pause = b->pause == 0 ? 1 : 2 * b->pause;
    b->pause = b->pause < LONGEST_S ? b->pause : LONGEST_S;
    b->until = lks_now() + b->pause;
}

void lks_backoff_limit(lks_backoff *b, double seconds)
{
    double most = seconds > 1 ? seconds : 1;
    b->pause = b->pause < most ? b->pause : most;
    b->until = lks_now() + b->pause;
}

void lks_backoff_reset(lks_backoff *b)
{
    *b = (lks_backoff){0};
}
