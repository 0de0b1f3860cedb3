/* The error values of every Lockstep library, and the one-line explanation that goes with a
 * failure.
 *
 * A function that can fail returns lks_err and leaves its reason, a single line of text without a
 * newline, in thread-local storage: `return lks_fail(LKS_CORRUPT, "tensor %s lies outside the
 * file", name);` The caller that finally gives up shows lks_error_message(). Libraries never print,
 * exit or abort. No message ever contains a secret (key, password, salt).
 */
#ifndef LKS_CHAIN_ERR_H
#define LKS_CHAIN_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lks_err {
    LKS_OK = 0,
    LKS_BADARGS, /* the caller's input is wrong: a bug, or a value a person typed */
    LKS_CORRUPT, /* outside bytes (file, node, database) that do not follow their format */
    LKS_REFUSED, /* well-formed, and something this version or this configuration does not accept */
    LKS_NOTFOUND, /* the named thing does not exist */
    LKS_AUTH,     /* wrong password, wrong key, wrong chain */
    LKS_NOMEM,    /* out of memory */
    LKS_IO,       /* the operating system or the network failed */
    LKS_REMOTE,   /* the node answered with an error */
    LKS_TIMEOUT,  /* no answer in time */
    LKS_INTERNAL, /* our bug, or a machine that computes wrongly */
    LKS_BUSY,     /* the other side asks to be called less often: try again later */
    LKS_TOO_LARGE /* the answer is larger than this side takes: ask for less */
} lks_err;

#define LKS_MUST_USE __attribute__((warn_unused_result))

/* lks_fail(err, format, ...): stores the formatted reason for this thread (truncated to 511 bytes;
 * control characters become '?') and gives err, so that a failure is one statement.
 * lks_fail_in(err, format, ...): puts "context: " in front of the stored reason and gives err. For
 * a caller that knows more (a file name). A macro, so that the compiler sees which value comes back
 * and can tell what is initialised after a success. */
#define lks_fail(err, ...) lks_fail_value((lks_fail_store(__VA_ARGS__), (err)))
#define lks_fail_in(err, ...) lks_fail_value((lks_fail_store_in(__VA_ARGS__), (err)))

/* The parts of the two macros. */
void lks_fail_store(const char *format, ...) __attribute__((format(printf, 1, 2)));
void lks_fail_store_in(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline lks_err lks_fail_value(lks_err err)
{
    return err;
}

/* Returns: the reason of this thread's last failure, never NULL. Valid until the thread's next
 * failure. */
const char *lks_error_message(void);

/* Returns: a static word for the value ("corrupt"), never NULL. */
const char *lks_err_name(lks_err err);

#ifdef __cplusplus
}
#endif
#endif
