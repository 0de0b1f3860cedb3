#include "oracle/cli/case.h"

#include <stdio.h>

int lks_case_judge(lks_case *c, bool hashed)
{
    int code = lks_rerun_open(&c->model, &c->rerun, c->link.command, &c->link.progress);
    if (code == LKS_PARSED) {
        code = lks_rerun_match(&c->model, &c->view.request, c->link.command);
    }
    if (code == LKS_PARSED) {
        code = lks_verdict_make(&c->verdict, &c->link, &c->view, &c->claim, &c->model, &c->rerun,
                                hashed);
    }
    if (code == LKS_PARSED && !c->chain.json) {
        puts(c->verdict.wrong ? "wrong" : "right");
        lks_verdict_print(&c->verdict, &c->view, &c->claim, &c->model);
        fflush(stdout);
    }
    return code;
}

void lks_case_close(lks_case *c)
{
    lks_verdict_free(&c->verdict);
    lks_rerun_close(&c->model);
    lks_claim_view_free(&c->claim);
    lks_request_view_free(&c->view);
    lks_link_close(&c->link);
}
