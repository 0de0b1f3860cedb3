/* The lines of tests/vectors/contracts, and the values that its make.sh encodes. */
#ifndef LKS_TESTS_ABI_VECTORS_H
#define LKS_TESTS_ABI_VECTORS_H

#include "chain/contracts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct abi_values {
    char *text; /* the file's lines */
    uint8_t model[32], salt[32], block[32], oracle[20], operator_address[20];
    uint8_t prompt[1200], allowed[8], tokens[132];
    lks_request request;
    uint8_t request_id[32], name[32]; /* name: of attempt 2, seat 3 */
    lks_claim_facts facts;
    lks_claim_terms claim;
    lks_model_commitment commitment;
} abi_values;

extern abi_values abi;

/* Reads a file of the folder and fills the values. */
void abi_load(const char *name);
void abi_free(void);

/* The third column of the line "kind name ...". */
const char *abi_find(const char *kind, const char *name, size_t *len);
/* Fails unless it is these bytes. */
void abi_check(const char *kind, const char *name, const void *data, size_t len);
/* Appends its bytes. */
void abi_bytes(lks_buf *out, const char *kind, const char *name);

/* A log vector as topics and data. */
typedef struct abi_log {
    uint8_t topics[4][32];
    size_t topic_count;
    lks_buf data;
} abi_log;

void abi_load_log(abi_log *v, const char *name);

#endif
