#include "chain/eth_ranges.h"

#define FIRST_PATIENCE 8   /* answers at the limit before more is tried */
#define LAST_PATIENCE 1024 /* doubles up to here each time that fails */

uint64_t lks_eth_ranges_next(lks_eth_ranges *r, uint64_t most)
{
    pthread_mutex_lock(&r->lock);
    uint64_t blocks = r->next && r->next < most ? r->next : most;
    pthread_mutex_unlock(&r->lock);
    return blocks ? blocks : 1;
}

static uint64_t twice(uint64_t blocks)
{
    return blocks > UINT64_MAX / 2 ? UINT64_MAX : 2 * blocks;
}

void lks_eth_ranges_answered(lks_eth_ranges *r, uint64_t blocks)
{
    pthread_mutex_lock(&r->lock);
    r->lost_blocks = 0;
    /* The last piece of a range may be small, which says nothing about what fits. */
    if (r->next && (blocks >= r->next || blocks > r->good)) {
        if (r->bad && blocks >= r->bad) { /* what was once too much is not any more */
            r->bad = 0;
            r->patience = FIRST_PATIENCE;
        }
        r->good = blocks;
        if (!r->bad)
            r->next = twice(blocks);
        else if (r->bad - blocks > 1)
            r->next = blocks + (r->bad - blocks) / 2;
        else if (++r->answers >= r->patience)
            r->next = twice(blocks);
    }
    pthread_mutex_unlock(&r->lock);
}

/* With the lock held. */
static void refuse(lks_eth_ranges *r, uint64_t blocks)
{
    bool tried_again = r->bad && blocks >= r->bad;
    r->answers = 0;
    r->lost_blocks = 0;
    if (tried_again)
        r->patience = r->patience < LAST_PATIENCE ? 2 * r->patience : LAST_PATIENCE;
    else {
        r->bad = blocks;
        r->patience = FIRST_PATIENCE;
    }
    if (r->good >= r->bad)
        r->good = 0; /* these blocks have more logs than those */
    r->next = r->good ? r->good : r->bad > 1 ? r->bad / 2 : 1;
}

void lks_eth_ranges_refused(lks_eth_ranges *r, uint64_t blocks)
{
    pthread_mutex_lock(&r->lock);
    refuse(r, blocks);
    pthread_mutex_unlock(&r->lock);
}

bool lks_eth_ranges_lost(lks_eth_ranges *r, uint64_t from, uint64_t blocks)
{
    pthread_mutex_lock(&r->lock);
    bool again = r->lost_blocks == blocks && r->lost_from == from;
    if (again)
        refuse(r, blocks);
    else {
        r->lost_from = from;
        r->lost_blocks = blocks;
    }
    pthread_mutex_unlock(&r->lock);
    return again;
}
