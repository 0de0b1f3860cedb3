/* What clients say when they refuse. */
#ifndef LKS_TESTS_HOSTILE_WORDS_H
#define LKS_TESTS_HOSTILE_WORDS_H

#include "tests/hostile/hostile.h"

typedef enum hostile_refusal {
    REFUSES_ANY,  /* any call */
    REFUSES_LOGS, /* a range of blocks */
    REFUSES_SEND  /* a transaction */
} hostile_refusal;

/* Refuses a call, in the words of some client. Out: answer, the text of "error". */
lks_err hostile_refuse(chance *c, hostile_refusal what, const char *method, lks_buf *answer);

#endif
