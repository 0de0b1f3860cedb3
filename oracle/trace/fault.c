#include "oracle/trace/fault.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FAULTS 16u
#define MAX_TEXT 512u

typedef struct flip {
    uint32_t op, row, byte, bit;
} flip;

static struct {
    bool good;
    uint32_t tokens[MAX_FAULTS];
    size_t token_count;
    flip flips[MAX_FAULTS];
    size_t flip_count;
    bool silent[LKS_FAULT_PARTIALS + 1];
    bool accuses;
    char hold[MAX_TEXT]; /* file; empty: none */
} faults;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool read_one(const char *text)
{
    static const char *const moves[] = {"silent:trace", "silent:reveal", "silent:leaf",
                                        "silent:partials"};
    uint32_t token;
    flip f;
    char rest;
    if (sscanf(text, "token:%u%c", &token, &rest) == 1) {
        faults.tokens[faults.token_count++] = token;
        return true;
    }
    if (sscanf(text, "bit:%u:%u:%u:%u%c", &f.op, &f.row, &f.byte, &f.bit, &rest) == 4 &&
        f.bit < 8) {
        faults.flips[faults.flip_count++] = f;
        return true;
    }
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        if (strcmp(text, moves[i]) == 0)
            return faults.silent[i] = true;
    if (strncmp(text, "hold:", 5) == 0) {
        strcpy(faults.hold, text + 5);
        return faults.hold[0] != 0;
    }
    return strcmp(text, "accuse") == 0 && (faults.accuses = true);
}

static void read_all(void)
{
    char text[MAX_TEXT], *state = NULL;
    const char *value = getenv("LOCKSTEP_FAULT");
    faults.good = !value || strlen(value) < sizeof text;
    if (!value || !faults.good)
        return;
    strcpy(text, value);
    size_t count = 0;
    for (char *one = strtok_r(text, ",", &state); one && faults.good;
         one = strtok_r(NULL, ",", &state))
        faults.good = ++count <= MAX_FAULTS && read_one(one);
}

lks_err lks_fault_check(void)
{
    pthread_once(&once, read_all);
    if (faults.good)
        return LKS_OK;
    return lks_fail(LKS_BADARGS,
                    "LOCKSTEP_FAULT: must be token:I, bit:OP:ROW:BYTE:BIT, silent:MOVE, "
                    "accuse or hold:FILE, joined by commas");
}

void lks_fault_row(uint32_t op, uint32_t row, uint8_t *bytes, size_t size)
{
    pthread_once(&once, read_all);
    for (size_t i = 0; i < faults.flip_count; i++) {
        const flip *f = &faults.flips[i];
        if (f->op == op && f->row == row && f->byte < size)
            bytes[f->byte] ^= (uint8_t)(1u << f->bit);
    }
}

void lks_fault_answer(uint32_t *tokens, uint32_t count, uint32_t max_tokens, uint32_t vocab_size,
                      const uint32_t *allowed, size_t allowed_count)
{
    pthread_once(&once, read_all);
    for (size_t i = 0; i < faults.token_count; i++) {
        uint32_t at = faults.tokens[i] < count ? faults.tokens[i] : count - 1;
        /* The end of an answer that ends early must stay, or the contract refuses the claim. */
        if (at == count - 1 && count < max_tokens && count > 1)
            at--;
        uint32_t wrong = (tokens[at] + 1) % vocab_size;
        for (size_t k = 0; k < allowed_count; k++)
            if (allowed[k] != tokens[at])
                wrong = allowed[k];
        tokens[at] = wrong;
    }
}

bool lks_fault_is_silent(lks_fault_move move)
{
    pthread_once(&once, read_all);
    return faults.silent[move];
}

bool lks_fault_accuses(void)
{
    pthread_once(&once, read_all);
    return faults.accuses;
}

bool lks_fault_holds(void)
{
    pthread_once(&once, read_all);
    return faults.hold[0] && access(faults.hold, F_OK) == 0;
}
