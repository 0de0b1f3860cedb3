#include <stdlib.h>
#include <string.h>

#include "chain/rpc_internal.h"

static const struct scheme {
    const char *prefix;
    rpc_transport transport;
    bool tls;
    int port;
} SCHEMES[] = {
    {"ws://", RPC_WS, false, 80},
    {"wss://", RPC_WS, true, 443},
    {"http://", RPC_HTTP, false, 80},
    {"https://", RPC_HTTP, true, 443},
};

static lks_err fail_url(void)
{
    return lks_fail(LKS_BADARGS, "not the URL of a node: write ws://HOST:PORT, http://HOST:PORT, "
                                 "wss:// or https://, or the path of an IPC socket");
}

static lks_err parse_port(int *port, const char *text, size_t len)
{
    int value = 0;
    if (!len || len > 5)
        return fail_url();
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return fail_url();
        value = value * 10 + (text[i] - '0');
    }
    if (!value || value > 65535)
        return fail_url();
    *port = value;
    return LKS_OK;
}

/* HOST, HOST:PORT or [IPv6]:PORT. */
static lks_err parse_authority(rpc_url *out, const char *text, size_t len)
{
    const char *end = text + len, *host = text, *host_end;
    if (memchr(text, '@', len))
        return lks_fail(LKS_REFUSED, "a user name or password in a node's URL is not supported");
    if (len && *text == '[') {
        host++;
        host_end = memchr(text, ']', len);
        if (!host_end)
            return fail_url();
        text = host_end + 1;
    } else {
        host_end = memchr(text, ':', len);
        if (!host_end)
            host_end = end;
        text = host_end;
    }
    if (host_end == host || (text < end && *text != ':'))
        return fail_url();
    out->host = strndup(host, (size_t)(host_end - host));
    return text < end ? parse_port(&out->port, text + 1, (size_t)(end - text - 1)) : LKS_OK;
}

static lks_err parse_network(rpc_url *out, const struct scheme *scheme, const char *rest)
{
    lks_buf display = {0}, path = {0};
    size_t len = strcspn(rest, "/?#");
    out->transport = scheme->transport;
    out->tls = scheme->tls;
    out->port = scheme->port;
    lks_err err = parse_authority(out, rest, len);
    if (err)
        return err;
    if (strchr(rest + len, '#'))
        return fail_url();
    lks_buf_printf(&path, "%s%s", rest[len] == '/' ? "" : "/", rest + len);
    lks_buf_printf(&display, "%s%.*s", scheme->prefix, (int)len, rest);
    out->authority = strndup(rest, len);
    out->path = (char *)path.data;
    out->display = (char *)display.data;
    return LKS_OK;
}

lks_err rpc_url_parse(rpc_url *out, const char *url)
{
    lks_err err = LKS_OK;
    *out = (rpc_url){0};
    /* Nothing that could end a header line or hide in a terminal. */
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f)
            return fail_url();
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++) {
        size_t len = strlen(SCHEMES[i].prefix);
        if (!strncmp(url, SCHEMES[i].prefix, len)) {
            err = parse_network(out, &SCHEMES[i], url + len);
            goto out;
        }
    }
    if (strstr(url, "://")) {
        err = fail_url();
        goto out;
    }
    if (!strncmp(url, "ipc:", 4))
        url += 4;
    else if (!strchr(url, '/'))
        err = fail_url();
    /* sun_path has 108 bytes. */
    if (!err && (!*url || strlen(url) > 107))
        err = lks_fail(LKS_BADARGS, "the path of the IPC socket is empty or over 107 bytes");
    if (err)
        goto out;
    out->transport = RPC_IPC;
    out->host = strdup(url);
    out->authority = strdup("localhost");
    out->path = strdup("/");
    out->display = strdup(url);
out:
    if (!err && (!out->host || !out->authority || !out->path || !out->display))
        err = lks_fail(LKS_NOMEM, "out of memory for a URL");
    if (err)
        rpc_url_free(out);
    return err;
}

void rpc_url_free(rpc_url *url)
{
    free(url->host);
    free(url->authority);
    free(url->path);
    free(url->display);
    *url = (rpc_url){0};
}
