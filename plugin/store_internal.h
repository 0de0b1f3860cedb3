/* Shared by the files of the store. */
#ifndef LKS_PLUGIN_STORE_INTERNAL_H
#define LKS_PLUGIN_STORE_INTERNAL_H

#include "plugin/store.h"

#include <sqlite3.h>

/* Kept statements at most: more than the store has. */
#define LKS_STORE_MAX_KEPT 96u

typedef struct lks_store_kept {
    sqlite3_stmt *statement;
    uint64_t hash; /* of its text */
    bool in_use;   /* prepared and not released */
} lks_store_kept;

struct lks_store {
    sqlite3 *db;
    char *path;
    bool unwritable; /* the last write failed for want of space or of the disk */
    int lock;        /* descriptor of the lock file; -1: not open */
    lks_store_identity who;
    lks_store_kept kept[LKS_STORE_MAX_KEPT];
    size_t kept_count;
};

/* Makes a failure of SQLite's last one, with what was being done. */
lks_err lks_store_fail(lks_store *s, const char *what);

/* Prepares a statement, or takes the kept one of that text. Out: *out, to be released; NULL on
 * failure. */
lks_err lks_store_prepare(lks_store *s, sqlite3_stmt **out, const char *sql) LKS_MUST_USE;
/* Steps once. Out: *row: whether there is a row. */
lks_err lks_store_step(lks_store *s, sqlite3_stmt *st, bool *row) LKS_MUST_USE;
/* Steps a statement that gives no row, and releases it. */
lks_err lks_store_run(lks_store *s, sqlite3_stmt *st) LKS_MUST_USE;
/* Ends a use of a statement, which holds no row and no binding afterwards. st may be NULL. */
void lks_store_release(lks_store *s, sqlite3_stmt *st);
/* Finalizes all kept statements, of which none is in use: for closing. */
void lks_store_forget_statements(lks_store *s);
lks_err lks_store_exec(lks_store *s, const char *sql) LKS_MUST_USE;

/* Counts a row whose reading failed with the current error message. */
void lks_store_note_damage(lks_damage *damage);

/* Columns. Unsigned 64-bit values are stored as the signed ones with the same bits. */
void lks_store_bind_u64(sqlite3_stmt *st, int i, uint64_t value);
void lks_store_bind_blob(sqlite3_stmt *st, int i, const void *data, size_t len);
uint64_t lks_store_column_u64(sqlite3_stmt *st, int i);
/* Out: exactly len bytes. Returns: LKS_OK or LKS_CORRUPT. */
lks_err lks_store_fixed(sqlite3_stmt *st, int i, void *out, size_t len) LKS_MUST_USE;

/* Forgets jobs that are over and were last touched before height. */
lks_err lks_store_jobs_prune(lks_store *s, uint64_t height) LKS_MUST_USE;
/* Makes every job's state what its facts add up to: for a schema whose fold was another. */
lks_err lks_store_jobs_refold(lks_store *s) LKS_MUST_USE;
/* Brings a database of an earlier schema, 3 or 4, to the newest. Within a transaction. */
lks_err lks_store_migrate(lks_store *s, unsigned version) LKS_MUST_USE;
/* Makes transactions live again that were included above height. */
lks_err lks_store_txs_revive(lks_store *s, uint64_t height) LKS_MUST_USE;
/* Out: LKS_SENT() of the actions of the job's live transactions. */
lks_err lks_store_txs_sent(lks_store *s, const uint8_t request_id32[32],
                           uint32_t *sent) LKS_MUST_USE;

/* Forgets claims of blocks above height, and what happened to others there. */
lks_err lks_store_claims_rewind(lks_store *s, uint64_t height) LKS_MUST_USE;
/* Makes the secret of a new database, or of one that had none. */
lks_err lks_store_make_secret(lks_store *s) LKS_MUST_USE;

extern const char lks_store_claims_schema[];
extern const char lks_store_jobs_schema[];
extern const char lks_store_measured_schema[];
extern const char lks_store_txs_schema[];

#endif
