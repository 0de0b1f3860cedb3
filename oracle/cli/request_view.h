/* A request as the chain shows it: its state, its terms and its events, which `ask`, `status` and
 * `finalize` read. */
#ifndef LKS_CLI_REQUEST_VIEW_H
#define LKS_CLI_REQUEST_VIEW_H

#include "chain/json.h"
#include "oracle/cli/link.h"
#include "oracle/text/tokenizer.h"

typedef struct lks_request_event {
    lks_event e; /* points into log */
    const lks_eth_log *log;
    uint64_t gas_used; /* of its transaction; 0: not looked up */
} lks_request_event;

typedef struct lks_request_view {
    uint8_t id[32];
    lks_request_state state;
    lks_request request;       /* checked: the id is its hash */
    lks_eth_logs logs;         /* of the request, in chain order */
    lks_request_event *events; /* of the logs that are events of ours */
    size_t event_count;
    uint64_t first_block; /* of its Requested event */
    uint64_t time;        /* of the newest block, Unix seconds */
    lks_u256 credit;      /* wei that its requester can withdraw (creditOf) */
    /* The claim that is final, or the newest of the round under way that is not convicted. NULL:
     * none. */
    const lks_event *claim; /* points into events */
} lks_request_view;

/* "open", "accepted", ...; "undecided" where claims disagreed to the end; "unknown" for none. */
const char *lks_request_status_word(lks_request_status status);

/* Reads 0x and 64 digits. Returns: LKS_PARSED, or the exit code after telling. */
int lks_request_parse_id(uint8_t id32[32], const char *command, const char *text);

/* Reads the command line of a command that sends something about one request, "[OPTIONS]
 * REQUEST-ID", and connects with the account. In: about, what the command does, for --help. Out:
 * *s, to be closed; *chain, its options; id32. Returns: LKS_PARSED, or the exit code after telling.
 */
int lks_request_open(lks_link *s, lks_chain_args *chain, uint8_t id32[32], const char *about,
                     int argc, char **argv);

/* Whether the request is over: final, refunded or undecided. */
bool lks_request_is_settled(lks_request_status status);

/* Reads everything of a request. In: from, its block or an earlier one; 0: not known. Out: *v, to
 * be freed in either case.
 * Returns: LKS_OK; LKS_NOTFOUND (no such request); LKS_CORRUPT (the node's events contradict the
 * state); what the node's calls return. */
LKS_MUST_USE
lks_err lks_request_view_get(lks_request_view *v, lks_link *s, const uint8_t id32[32],
                             uint64_t from);
/* Its part that finds v->claim among the events. */
void lks_request_view_find_claim(lks_request_view *v);
/* Looks up the gas of the events' transactions; what the node does not know stays 0. */
void lks_request_view_gas(lks_request_view *v, lks_link *s);
void lks_request_view_free(lks_request_view *v);

/* One line about an event, for people: "accepted by 0x..., to claim by ...". Out: text,
 * zero-terminated, cut at size. */
void lks_event_line(char *text, size_t size, const lks_event *e);

/* Prints the answer of v->claim: text with a tokenizer, else ids, and a newline. */
void lks_answer_print(const lks_request_view *v, const lks_tokenizer *t);
/* Members of an object: "tokens", and with a tokenizer "text". */
void lks_answer_json(lks_json_writer *w, const lks_request_view *v, const lks_tokenizer *t);
/* Members of an object: everything else of the request. */
void lks_request_json(lks_json_writer *w, const lks_request_view *v);

#endif
