#include "tests/hostile/party.h"

#include "chain/rpc.h"
#include "tests/hostile/sim_time.h"
#include "tests/plugin/puppet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Turns of the operator after each look at the chain. */
#define TURNS 4

/* ---- the host ---- */

static void add_line(party *p, int level, const char *message)
{
    static const char *const levels[] = {"ERROR", "WARN", "INFO", "DEBUG"};
    lks_buf_printf(&p->log, "%s %s\n", levels[level & 3], message);
}

static void take_line(void *context, int32_t level, const char *message)
{
    add_line(context, level, message);
}

/* Of plugin/hosts/runner/follow.c. */
void runner_log(const runner_host *host, int level, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    add_line(host->api.context, level, line);
}

static int32_t take_call(void *context, const char *method, const char *params,
                         lockstep_rpc_reply reply, void *user)
{
    party *p = context;
    if (p->call_count == PARTY_CALLS)
        return LOCKSTEP_RPC_REFUSED_BUSY;
    party_call *c = &p->calls[p->call_count++];
    *c = (party_call){strdup(method), strdup(params), reply, user};
    assert_true(c->method && c->params);
    return 0;
}

static void free_call(party_call *c)
{
    free(c->method);
    free(c->params);
}

/* The answer of the node to a call, whatever it says. Returns: false when there is none. */
static bool reply(party *p, const party_call *c)
{
    lks_buf text = {0};
    static const char none[] = "{\"message\":\"no answer\"}";
    int32_t code = LOCKSTEP_RPC_FAILED;
    lks_err err = p->node.call(p->node.context, c->method, c->params, &text);
    if (err == LKS_BUSY)
        code = LOCKSTEP_RPC_LIMITED;
    else if (err == LKS_TOO_LARGE)
        code = LOCKSTEP_RPC_TOO_LARGE;
    if (err == LKS_OK)
        c->reply(c->user, 0, lks_buf_text(&text), text.len);
    else if (err == LKS_REMOTE)
        c->reply(c->user, -32000, lks_buf_text(&text), text.len);
    else if (err != LKS_TIMEOUT)
        c->reply(c->user, code, none, sizeof none - 1);
    lks_buf_free(&text);
    return err != LKS_TIMEOUT;
}

bool party_answer(party *p)
{
    if (p->call_count == 0)
        return false;
    party_call c = p->calls[0];
    memmove(p->calls, p->calls + 1, --p->call_count * sizeof c);
    if (reply(p, &c))
        free_call(&c);
    else if (p->hung_count < PARTY_CALLS)
        p->hung[p->hung_count++] = c;
    return true;
}

/* Answers what nobody waits for any more: too late. */
static void answer_late(party_call *calls, size_t *count)
{
    static const char late[] = "{\"message\":\"too late\"}";
    for (size_t i = 0; i < *count; i++) {
        calls[i].reply(calls[i].user, LOCKSTEP_RPC_FAILED, late, sizeof late - 1);
        free_call(&calls[i]);
    }
    *count = 0;
}

/* The runner's own calls: an answer that does not come takes the time of one. */
static lks_err call_of_runner(void *context, const char *method, const char *params,
                              lks_buf *answer)
{
    party *p = context;
    lks_err err = p->node.call(p->node.context, method, params, answer);
    if (err == LKS_TIMEOUT)
        sim_clock.wait(sim_clock.user, sim_clock.now_ms + p->timeout_ms);
    return err;
}

/* ---- the plugin ---- */

static void on_block(lockstep_plugin *self, const lockstep_block *block)
{
    party *p = (party *)((char *)self - offsetof(party, plugin));
    lks_inbox_put_block(p->inbox, block, p->config.oracle);
}

static void on_revert(lockstep_plugin *self, uint64_t number, const uint8_t hash[32])
{
    party *p = (party *)((char *)self - offsetof(party, plugin));
    lks_inbox_put_revert(p->inbox, number, hash);
}

static uint64_t finished_height(lockstep_plugin *self)
{
    party *p = (party *)((char *)self - offsetof(party, plugin));
    return atomic_load(&p->op.finished);
}

static bool never(void)
{
    return false;
}

void party_begin(party *p, const uint8_t key32[32])
{
    DO(lks_signer_new(&p->signer, key32));
    p->config.database = p->database;
    p->host = (lockstep_host){.abi_version = LOCKSTEP_PLUGIN_ABI_VERSION,
                              .struct_size = sizeof p->host,
                              .context = p,
                              .log = take_line,
                              .rpc = take_call};
    p->plugin = (lockstep_plugin){.abi_version = LOCKSTEP_PLUGIN_ABI_VERSION,
                                  .struct_size = sizeof p->plugin,
                                  .on_block = on_block,
                                  .on_revert = on_revert,
                                  .finished_height = finished_height};
    p->runner.api = p->host;
}

void party_start(party *p)
{
    DO(lks_inbox_new(&p->inbox, LKS_INBOX_ITEMS, LKS_INBOX_BYTES));
    DO(lks_node_new(&p->rpc, &p->host, p->timeout_ms));
    DO(lks_operator_open(&p->op, &p->host, &p->config, p->models, p->inbox, p->rpc, p->signer));
    memset(&p->follow, 0, sizeof p->follow);
    p->follow.node = (lks_eth){call_of_runner, p, NULL};
    p->follow.filter.addresses = (const uint8_t(*)[20])p->config.oracle;
    p->follow.filter.address_count = 1;
    p->follow.plugin = &p->plugin;
    p->follow.host = &p->runner;
    p->follow.stopping = never;
    p->follow.now_ms = lks_now_ms;
    p->open = true;
}

void party_halt(party *p)
{
    if (!p->open)
        return;
    lks_inbox_stop(p->inbox);
    lks_worker_stop(p->op.worker);
    lks_lanes_stop(&p->op.lanes);
    lks_node_close(p->rpc);
    lks_operator_close(&p->op);
    answer_late(p->hung, &p->hung_count);
    answer_late(p->calls, &p->call_count);
    lks_node_free(p->rpc);
    lks_inbox_free(p->inbox);
    p->open = false;
}

void party_end(party *p)
{
    party_halt(p);
    lks_signer_free(p->signer);
    lks_buf_free(&p->log);
}

void party_work(party *p)
{
    if (!p->open || p->inside)
        return;
    p->inside = true;
    answer_late(p->hung, &p->hung_count);
    lks_err err = runner_follow_step(&p->follow);
    if (err)
        runner_log(&p->runner, LOCKSTEP_LOG_DEBUG, "no new blocks: %s", lks_error_message());
    for (int i = 0; i < TURNS; i++)
        assert_true(lks_operator_turn(&p->op, 0));
    p->inside = false;
}
