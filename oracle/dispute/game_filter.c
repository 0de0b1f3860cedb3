#include "oracle/dispute/game.h"

#include <string.h>

static void fill(lks_game_filter *f, const uint8_t address20[20], const uint8_t topic32[32])
{
    memset(f, 0, sizeof *f);
    memcpy(f->address[0], address20, 20);
    memcpy(f->topic1, topic32, 32);
    f->filter.addresses = (const uint8_t(*)[20])f->address;
    f->filter.address_count = 1;
    f->filter.topics[0] = f->topic1;
}

static void only(lks_game_filter *f)
{
    f->filter.topics0 = (const uint8_t(*)[32])f->topic0;
    f->filter.topic0_count = 1;
}

void lks_game_filter_claim(lks_game_filter *f, const lks_game_deployment *d,
                           const uint8_t claim_id32[32])
{
    fill(f, d->game, claim_id32);
}

void lks_game_filter_request(lks_game_filter *f, const lks_game_deployment *d,
                             const uint8_t name32[32])
{
    fill(f, d->oracle, name32);
    f->topic1[31] = 0; /* the request id of a claim's name */
}

void lks_game_filter_shapes(lks_game_filter *f, const lks_game_deployment *d,
                            const uint8_t model_id32[32])
{
    fill(f, d->game, model_id32);
    lks_game_event_topic(f->topic0[0], LKS_GAME_SHAPE_RECORDED);
    only(f);
}

void lks_game_filter_model(lks_game_filter *f, const lks_game_deployment *d,
                           const uint8_t model_id32[32])
{
    fill(f, d->registry, model_id32);
    lks_event_topic(f->topic0[0], LKS_EVENT_MODEL_REGISTERED);
    only(f);
}
