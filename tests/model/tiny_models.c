#include "tests/model/tiny_models.h"

#include "chain/contracts.h"

#include <dirent.h>

void tiny_tokens_hash(uint8_t hash32[32], const uint32_t *ids, size_t count)
{
    lks_buf packed = {0};
    lks_tokens_pack(&packed, ids, count);
    assert_int_equal(lks_buf_error(&packed), LKS_OK);
    lks_tokens_hash(hash32, packed.data, packed.len);
    lks_buf_free(&packed);
}

void tiny_open(tiny_model *m, const char *name)
{
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->path, sizeof m->path, "%s/%s.gguf", LKS_TINY_DIR, name);
    lks_err err = lks_model_open(&m->model, m->path);
    if (err)
        fail_msg("%s: %s", name, lks_error_message());
}

void each_tiny_model(void (*fn)(const tiny_model *m))
{
    DIR *folder = opendir(LKS_TEST_DIR "/vectors/models");
    assert_non_null(folder);
    size_t count = 0;
    for (struct dirent *e; (e = readdir(folder));) {
        char name[64];
        size_t len = strlen(e->d_name);
        if (len < 6 || len >= sizeof name || strcmp(e->d_name + len - 5, ".json"))
            continue;
        memcpy(name, e->d_name, len - 5);
        name[len - 5] = 0;
        tiny_model m;
        tiny_open(&m, name);
        fn(&m);
        lks_model_close(&m.model);
        count++;
    }
    closedir(folder);
    assert_true(count > 0);
}

void tiny_vectors(vector_file *f, const tiny_model *m, const char *folder)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s.json", folder, m->name);
    vectors_open(f, name);
}
