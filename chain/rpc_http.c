/* The HTTP transport, on libcurl: each call is a POST, on connections that are kept for further
 * calls. All of it runs on the service thread, but the waking. */
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "chain/rpc_internal.h"

#define CONNECTIONS 16 /* and so many calls under way */
#define CONNECT_MS 10000L
#define IDLE_SECONDS 30L /* after which a connection is not used again */

struct rpc_http {
    lks_rpc *rpc;
    CURLM *multi; /* keeps the connections */
    CURL *model;  /* with the options of every call; a call has a copy */
    struct curl_slist *headers;
    X509_STORE *authorities; /* whose certificates are good; NULL without TLS */
    int under_way;
};

/* CURLOPT_WRITEFUNCTION. Returns: len; 0, which ends the call with CURLE_WRITE_ERROR, when the
 * answer is too large or memory runs out. */
static size_t take_body(char *body, size_t one, size_t len, void *user)
{
    rpc_call *call = user;
    size_t max = call->http->rpc->max_answer;
    (void)one;
    if (len > max || call->answer.len > max - len)
        return 0;
    lks_buf_put(&call->answer, body, len);
    return call->answer.failed ? 0 : len;
}

/* Stores why a call has no answer. */
static lks_err fail_call(const lks_rpc *rpc, const rpc_call *call, CURLcode result)
{
    const char *node = rpc->url.display;
    long os_error = 0;
    switch (result) {
    case CURLE_WRITE_ERROR: /* of take_body */
        if (call->answer.failed)
            return lks_buf_error(&call->answer);
        return lks_fail(LKS_TOO_LARGE, "an answer of %s is over %zu bytes", node, rpc->max_answer);
    case CURLE_OUT_OF_MEMORY: return lks_fail(LKS_NOMEM, "out of memory for a call to %s", node);
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_error);
        return lks_fail(LKS_IO, "cannot connect to %s: %s", node,
                        os_error ? strerror((int)os_error) : curl_easy_strerror(result));
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return lks_fail(LKS_IO,
                        "cannot connect to %s: the TLS handshake failed; the certificate must name "
                        "this host and come from a known authority",
                        node);
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_OPERATION_TIMEDOUT: /* in connecting: the rest is timed by rpc.c */
        return lks_fail(LKS_IO, "cannot connect to %s: %s", node, curl_easy_strerror(result));
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return lks_fail(LKS_IO, "the connection to %s was closed before the answer came", node);
    default:
        return lks_fail(LKS_CORRUPT, "the answer of %s is not HTTP: %s", node,
                        curl_easy_strerror(result));
    }
}

/* Whether a call is to be made once more: the node ended a kept connection before it answered, or
 * says so with status 408. libcurl makes it again by itself, but not when a long request is half
 * sent, and not beyond five such connections. A call may be made twice. */
static bool is_to_be_repeated(const rpc_call *call, CURLcode result)
{
    long connects = 0, head_size = 0;
    curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(call->easy, CURLINFO_HEADER_SIZE, &head_size);
    bool is_lost = result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR;
    return !connects && !call->repeated && (result ? is_lost && !head_size : call->status == 408);
}

/* Takes the answer to a call, or its failure. */
static void end_call(rpc_http *h, rpc_call *call, CURLcode result)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    call->status = (int)status;
    if (is_to_be_repeated(call, result)) {
        rpc_http_abandon(call);
        rpc_send_again(call);
        call->repeated = true;
        return;
    }
    if (result) {
        rpc_finish(h->rpc, call, fail_call(h->rpc, call, result), 0, NULL);
        return;
    }
    if (retry_after_s < 0) /* a date that has passed */
        retry_after_s = 1;
    call->retry_after_s = retry_after_s < UINT32_MAX ? (uint32_t)retry_after_s : UINT32_MAX;
    rpc_http_abandon(call);
    rpc_http_answer(h->rpc, call);
}

static void start_call(rpc_http *h, rpc_call *call)
{
    rpc_sending(call);
    CURL *easy = curl_easy_duphandle(h->model);
    if (!easy || curl_easy_setopt(easy, CURLOPT_PRIVATE, call) ||
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, call) ||
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)call->repeated) ||
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, (char *)call->body.data + LWS_PRE) ||
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(call->body.len - LWS_PRE)) ||
        curl_multi_add_handle(h->multi, easy)) {
        curl_easy_cleanup(easy);
        rpc_finish(h->rpc, call, fail_call(h->rpc, call, CURLE_OUT_OF_MEMORY), 0, NULL);
        return;
    }
    call->http = h;
    call->easy = easy;
    h->under_way++;
}

void rpc_http_send(rpc_http *h)
{
    rpc_call *call;
    while (h->under_way < CONNECTIONS && (call = rpc_next_unsent(h->rpc)))
        start_call(h, call);
}

void rpc_http_abandon(rpc_call *call)
{
    if (!call->easy)
        return;
    curl_multi_remove_handle(call->http->multi, call->easy);
    curl_easy_cleanup(call->easy);
    call->easy = NULL;
    call->http->under_way--;
}

void rpc_http_wake(rpc_http *h)
{
    curl_multi_wakeup(h->multi);
}

/* Acknowledges at once what came: some nodes send an answer in pieces, and the next piece only when
 * the one before it is acknowledged, which the kernel likes to put off for 40 ms. A socket whose
 * number select() cannot take keeps that delay. */
static void acknowledge(rpc_http *h)
{
    fd_set reads, writes, errors;
    int max = -1;
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&errors);
    curl_multi_fdset(h->multi, &reads, &writes, &errors, &max);
    for (int fd = 0; fd <= max; fd++)
        if (FD_ISSET(fd, &reads))
            setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

int rpc_http_wait(rpc_http *h, int64_t wait_us)
{
    CURLMsg *message;
    rpc_call *call;
    int count;
    if (curl_multi_poll(h->multi, NULL, 0, (int)((wait_us + 999) / 1000), NULL) ||
        curl_multi_perform(h->multi, &count))
        return -1;
    acknowledge(h);
    while ((message = curl_multi_info_read(h->multi, &count)))
        if (!curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call))
            end_call(h, call, message->data.result);
    return 0;
}

/* CURLOPT_SSL_CTX_FUNCTION */
static CURLcode use_authorities(CURL *easy, void *tls, void *authorities)
{
    (void)easy;
    SSL_CTX_set1_cert_store(tls, authorities);
    return CURLE_OK;
}

/* Authorities are those of OpenSSL, so SSL_CERT_FILE and SSL_CERT_DIR count. They are read once:
 * libcurl would read them for each connection, which takes 0.1 s. */
static bool set_authorities(rpc_http *h)
{
    if (!h->rpc->url.tls)
        return true;
    h->authorities = X509_STORE_new();
    return h->authorities && X509_STORE_set_default_paths(h->authorities) &&
           !curl_easy_setopt(h->model, CURLOPT_CAINFO, NULL) &&
           !curl_easy_setopt(h->model, CURLOPT_CAPATH, NULL) &&
           !curl_easy_setopt(h->model, CURLOPT_SSL_CTX_FUNCTION, use_authorities) &&
           !curl_easy_setopt(h->model, CURLOPT_SSL_CTX_DATA, h->authorities);
}

/* Nothing but the URL and these options decides where a call goes: no redirect is followed, and no
 * proxy, .netrc or cookie is used. */
static bool set_options(rpc_http *h, const char *url)
{
    CURL *easy = h->model;
    return !curl_easy_setopt(easy, CURLOPT_URL, url) &&
           !curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, h->rpc->url.tls ? "https" : "http") &&
           !curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           !curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           !curl_easy_setopt(easy, CURLOPT_POST, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_HTTPHEADER, h->headers) &&
           !curl_easy_setopt(easy, CURLOPT_PROXY, "") &&
           !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) && /* do not wait for a name server */
           !curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) &&
           !curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_SECONDS) &&
           !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) && set_authorities(h);
}

static bool add_header(rpc_http *h, const char *line)
{
    struct curl_slist *longer = curl_slist_append(h->headers, line);
    if (longer)
        h->headers = longer;
    return longer != NULL;
}

static bool set_up(rpc_http *h)
{
    const rpc_url *to = &h->rpc->url;
    lks_buf url = {0};
    lks_buf_printf(&url, "%s://%s%s", to->tls ? "https" : "http", to->authority, to->path);
    h->multi = curl_multi_init();
    h->model = curl_easy_init();
    bool good = !url.failed && h->multi && h->model &&
                !curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS) &&
                add_header(h, "Content-Type: application/json") &&
                add_header(h, "Accept: application/json") &&
                add_header(h, "Expect:") && /* no question before a large request */
                set_options(h, lks_buf_text(&url));
    lks_buf_free(&url);
    return good;
}

static CURLcode global_result;

static void init_globally(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

rpc_http *rpc_http_create(lks_rpc *rpc)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (pthread_once(&once, init_globally) || global_result)
        return NULL;
    rpc_http *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->rpc = rpc;
    if (set_up(h))
        return h;
    rpc_http_free(h);
    return NULL;
}

void rpc_http_free(rpc_http *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->model);
    curl_multi_cleanup(h->multi);
    curl_slist_free_all(h->headers);
    X509_STORE_free(h->authorities);
    free(h);
}
