/* Answers of HTTP/1.1, whole, in pieces of every size, and broken. */
#include "chain/http.h"

#include <stdio.h>

#include "chain/buf.h"
#include "chain_test.h"

/* Reads text in pieces of step bytes, and then the end of the connection. Out: body. Returns:
 * whether it was whole. */
static bool read_in(lks_http_reader *r, lks_buf *body, const char *text, size_t len, size_t step,
                    lks_err *err)
{
    *r = (lks_http_reader){0};
    lks_buf_clear(body);
    *err = LKS_OK;
    for (size_t at = 0; at < len && r->phase != LKS_HTTP_DONE;) {
        size_t piece = len - at < step ? len - at : step, used = 0, body_len = 0;
        const char *part = NULL;
        *err = lks_http_read(r, text + at, piece, &used, &part, &body_len);
        if (*err)
            return false;
        assert_true(used >= 1 && used <= piece && body_len <= used);
        lks_buf_put(body, part, body_len);
        at += used;
    }
    return r->phase == LKS_HTTP_DONE || lks_http_end(r);
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *body;
        int status;
        bool closes;
        uint32_t retry_after_s;
    } CASES[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200, false, 0},
        {"HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", "", 200, false, 0},
        {"HTTP/1.1 200 OK\nContent-Length: 2 \n\nab", "ab", 200, false, 0},
        {"HTTP/1.1 429 Too Many\r\nRetry-After: 17\r\nContent-Length: 1\r\n\r\nx", "x", 429, false,
         17},
        {"HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n", "", 503, true,
         1},
        {"HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\nContent-Length: 1\r\n\r\nx", "x", 200,
         true, 0},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "x", 200, true, 0},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", "x", 200, false,
         0},
        {"HTTP/1.1 200 OK\r\n\r\nto the end", "to the end", 200, true, 0},
        {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, false, 0},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "x", 200,
         false, 0},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;n=v\r\n0123456789\r\n"
         "0\r\nTrailer: x\r\n\r\n",
         "abc0123456789", 200, false, 0},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 7\r\n\r\n1\r\nx\r"
         "\n0\r\n\r\n",
         "x", 200, false, 0},
    };
    lks_http_reader r;
    lks_buf body = {0};
    lks_err err;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (size_t step = 1; step < 100; step++) {
            assert_true(read_in(&r, &body, CASES[i].text, strlen(CASES[i].text), step, &err));
            assert_string_equal(lks_buf_text(&body), CASES[i].body);
            assert_int_equal(r.status, CASES[i].status);
            assert_int_equal(r.closes, CASES[i].closes);
            assert_int_equal(r.retry_after_s, CASES[i].retry_after_s);
        }
    /* What comes after an answer is not of it. */
    static const char TWO[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 500 ";
    assert_true(read_in(&r, &body, TWO, sizeof TWO - 1, 1000, &err));
    assert_string_equal(lks_buf_text(&body), "x");
    lks_buf_free(&body);
}

static void test_broken(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
        "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    };
    static const char *const SHORT[] = {
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
    };
    lks_http_reader r;
    lks_buf body = {0};
    lks_err err;
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        for (size_t step = 1; step < 70; step++) {
            assert_false(read_in(&r, &body, WRONG[i], strlen(WRONG[i]), step, &err));
            assert_int_equal(err, LKS_CORRUPT);
        }
    for (size_t i = 0; i < sizeof SHORT / sizeof *SHORT; i++)
        for (size_t step = 1; step < 70; step++) {
            assert_false(read_in(&r, &body, SHORT[i], strlen(SHORT[i]), step, &err));
            assert_int_equal(err, LKS_OK);
        }
    /* Headers without end, in one line or many. */
    lks_buf endless = {0};
    lks_buf_put_text(&endless, "HTTP/1.1 200 OK\r\nX: ");
    for (int i = 0; i < 7000; i++)
        lks_buf_put_text(&endless, "0123456789");
    assert_false(read_in(&r, &body, lks_buf_text(&endless), endless.len, 1000, &err));
    assert_int_equal(err, LKS_CORRUPT);
    lks_buf_clear(&endless);
    lks_buf_put_text(&endless, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 9000; i++)
        lks_buf_put_text(&endless, "X: y\r\n\t");
    for (int i = 0; i < 3000; i++)
        lks_buf_put_text(&endless, "X: y\r\n");
    assert_false(read_in(&r, &body, lks_buf_text(&endless), endless.len, 1000, &err));
    assert_int_equal(err, LKS_CORRUPT);
    lks_buf_free(&endless);
    lks_buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers),
                                       cmocka_unit_test(test_broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
