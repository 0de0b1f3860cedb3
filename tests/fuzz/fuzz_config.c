/* Any bytes as the plugin's configuration. What is taken keeps the bounds that the header names;
 * what is refused leaves nothing behind. */
#include "plugin/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static bool is_text(const char *text)
{
    return text && *text;
}

static void check_taken(const lks_config *c)
{
    static const uint8_t none[20];
    check(c->chain_id && c->model_count && c->model_count <= LKS_CONFIG_MAX_MODELS);
    for (size_t i = 0; i < c->model_count; i++)
        check(is_text(c->models[i]));
    check(is_text(c->keystore) && is_text(c->password_file) && is_text(c->database));
    check(!c->moves_keystore == !c->moves_password_file && c->spill_folder);
    check(memcmp(c->registry, none, 20) && memcmp(c->bonds, none, 20) &&
          memcmp(c->oracle, none, 20));
    check(c->is_operator || c->is_challenger);
    check(!c->is_challenger || lks_config_has_game(c));
    check(c->is_operator || (!c->policy.accept && !c->policy.drains));
    check(!c->policy.accept || !c->policy.drains);
    check(c->threads <= LKS_CONFIG_MAX_THREADS && c->nice <= LKS_CONFIG_MAX_NICE);
    check(c->check_share <= LKS_SHARE_ALL);
    check(lks_u256_cmp(&c->max_priority_fee, &c->max_fee) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const lks_config nothing;
    lks_config c;
    lks_err err = lks_config_parse(&c, (const char *)data, size);
    if (err) {
        check(err == LKS_CORRUPT || err == LKS_REFUSED || err == LKS_BADARGS);
        check(memcmp(&c, &nothing, sizeof c) == 0);
        return 0;
    }
    check_taken(&c);
    lks_config_free(&c);
    return 0;
}
