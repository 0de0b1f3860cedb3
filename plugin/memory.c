#include "plugin/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where control groups of version 2 are mounted. */
#define GROUPS_FOLDER "/sys/fs/cgroup"

uint64_t lks_memory_of_system(const char *text)
{
    static const char key[] = "MemAvailable:";
    const char *line = strstr(text, key);
    unsigned long long kib;
    if (!line || sscanf(line + sizeof key - 1, "%llu kB", &kib) != 1 || kib > UINT64_MAX / 1024)
        return UINT64_MAX;
    return (uint64_t)kib * 1024;
}

uint64_t lks_memory_of_group(const char *max, const char *current)
{
    unsigned long long limit, used = 0;
    if (sscanf(max, "%llu", &limit) != 1) /* "max" */
        return UINT64_MAX;
    if (current && sscanf(current, "%llu", &used) != 1)
        used = 0;
    return limit > used ? limit - used : 0;
}

/* Out: text, what a small file says. */
static bool read_text(char *text, size_t size, const char *path)
{
    FILE *f = fopen(path, "re");
    size_t len = f ? fread(text, 1, size - 1, f) : 0;
    if (f)
        fclose(f);
    text[len] = 0;
    return len > 0;
}

static uint64_t left_in_group(const char *folder)
{
    char path[4300], max[64], current[64];
    snprintf(path, sizeof path, "%s/memory.max", folder);
    if (!read_text(max, sizeof max, path))
        return UINT64_MAX;
    snprintf(path, sizeof path, "%s/memory.current", folder);
    bool known = read_text(current, sizeof current, path);
    return lks_memory_of_group(max, known ? current : NULL);
}

/* Our group and all above it. */
static uint64_t left_in_groups(void)
{
    char text[4096], folder[4200];
    uint64_t least = left_in_group(GROUPS_FOLDER); /* in a container ours is the root */
    char *own = read_text(text, sizeof text, "/proc/self/cgroup") ? strstr(text, "0::/") : NULL;
    if (!own)
        return least;
    own += 3;
    own[strcspn(own, "\n")] = 0;
    for (char *slash; (slash = strrchr(own, '/')); *slash = 0) {
        snprintf(folder, sizeof folder, "%s%s", GROUPS_FOLDER, own);
        uint64_t left = left_in_group(folder);
        least = left < least ? left : least;
    }
    return least;
}

uint64_t lks_memory_available(void)
{
    char text[4096];
    uint64_t system = UINT64_MAX, group = left_in_groups();
    if (read_text(text, sizeof text, "/proc/meminfo"))
        system = lks_memory_of_system(text);
    return system < group ? system : group;
}
