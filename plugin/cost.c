#include "plugin/cost.h"

#include <math.h>
#include <string.h>

/* A batch reads each weight once for many positions, which attention cannot do with its keys and
 * values: its products take so many times as long as those of the weights. Measured with SmolLM2,
 * 2.7 at 2,001 and 7,001 positions; 0.7 with one token at a time, where it is taken as 1. */
#define BATCH_PENALTY 3.0
/* The shape's growth times this is what a run hardly exceeds before the growth is measured. */
#define UNFITTED_MARGIN 2.0
/* The same of a slope that was fitted to runs of other lengths. */
#define FITTED_MARGIN 1.25
/* Shorter runs (of x below this) cost the reading of the weights rather than the products. */
#define LEAST_X 8.0
#define LEAST_LENGTHS 3u
#define LEAST_SPREAD 4.0
/* A cell is forgotten after so many runs of other lengths. */
#define MEMORY 64u
/* A position adds at most that much of the base, whatever a fit says. */
#define MOST_GROWTH 1.0

lks_growth lks_cost_growth(const lks_program *p)
{
    double weights = 0, attention = 0;
    for (uint32_t i = 0; p && i < p->op_count; i++) {
        const lks_op *op = &p->ops[i];
        if (op->code == LKS_OP_ATTN)
            attention += 2.0 * op->heads * op->head_width;
        for (int k = 0; k < 4 && op->code != LKS_OP_EMBED; k++)
            if (op->weights[k].tensor != LKS_NONE)
                weights += (double)op->weights[k].rows * op->weights[k].cols;
    }
    double token = weights > 0 ? attention / weights : 0;
    return (lks_growth){BATCH_PENALTY * token, token};
}

/* ---- measured runs ---- */

static bool is_kept(const lks_measured *m, const lks_cost_cell *c)
{
    return c->us > 0 && m->runs - c->run < MEMORY;
}

static size_t cell_of(double x)
{
    size_t k = x >= 2 ? (size_t)ilogb(x) : 0;
    return k < LKS_COST_CELLS ? k : LKS_COST_CELLS - 1;
}

static double middle(uint64_t before, uint64_t count)
{
    return (double)before + (double)count / 2;
}

bool lks_cost_has(const lks_measured *m, uint64_t before, uint64_t count)
{
    return is_kept(m, &m->cells[cell_of(middle(before, count))]);
}

void lks_cost_note(lks_measured *m, uint64_t before, uint64_t count, uint64_t us)
{
    if (count == 0 || us == 0)
        return;
    double x = middle(before, count), each = (double)us / (double)count;
    lks_cost_cell *c = &m->cells[cell_of(x)];
    /* Slower than before is believed sooner than faster. */
    double part = !is_kept(m, c) ? 1 : each > c->us ? 0.5 : 0.25;
    c->x += part * (x - c->x);
    c->us += part * (each - c->us);
    c->run = ++m->runs;
}

/* ---- lines ---- */

typedef struct points {
    lks_cost_cell at[LKS_COST_CELLS]; /* the shortest first */
    size_t count;
} points;

/* The cells that say something; of short runs alone, those. */
static points points_of(const lks_measured *m)
{
    points p = {.count = 0}, few = {.count = 0};
    for (size_t k = 0; k < LKS_COST_CELLS; k++) {
        const lks_cost_cell *c = &m->cells[k];
        points *to = c->x >= LEAST_X ? &p : &few;
        if (is_kept(m, c))
            to->at[to->count++] = *c;
    }
    return p.count ? p : few;
}

static bool is_enough(const points *p)
{
    return p->count >= LEAST_LENGTHS && p->at[0].x >= LEAST_X &&
           p->at[p->count - 1].x >= LEAST_SPREAD * p->at[0].x;
}

double lks_cost_reach(const lks_measured *m)
{
    points p = points_of(m);
    return p.count ? p.at[p.count - 1].x : 0;
}

bool lks_cost_is_fitted(const lks_measured *m)
{
    points p = points_of(m);
    return is_enough(&p);
}

/* The least squares of relative errors. Neither number is below 0. */
static lks_line fit(const points *p)
{
    double uu = 0, uv = 0, vv = 0, u = 0, v = 0;
    for (size_t i = 0; i < p->count; i++) {
        double one = 1 / p->at[i].us, x = p->at[i].x / p->at[i].us;
        uu += one * one;
        uv += one * x;
        vv += x * x;
        u += one;
        v += x;
    }
    double determinant = uu * vv - uv * uv;
    lks_line line = {.base = (u * vv - v * uv) / determinant,
                     .slope = (uu * v - uv * u) / determinant};
    if (!(line.slope >= 0))
        line = (lks_line){.base = u / uu};
    else if (!(line.base >= 0))
        line = (lks_line){.slope = v / vv};
    line.end = p->at[p->count - 1].x;
    line.beyond = line.slope;
    return line;
}

/* The longest run, and the growth before it. */
static lks_line from_longest(const points *p, double growth)
{
    const lks_cost_cell *last = &p->at[p->count - 1];
    double base = last->us / (1 + growth * last->x);
    return (lks_line){base, base * growth, last->x, base * growth};
}

lks_line lks_cost_likely(const lks_measured *m, double growth)
{
    points p = points_of(m);
    if (p.count == 0)
        return (lks_line){0};
    return is_enough(&p) ? fit(&p) : from_longest(&p, growth);
}

lks_line lks_cost_safe(const lks_measured *m, double growth)
{
    points p = points_of(m);
    if (p.count == 0)
        return (lks_line){0};
    bool fitted = is_enough(&p);
    lks_line line = fitted ? fit(&p) : from_longest(&p, growth);
    line.beyond *= fitted ? FITTED_MARGIN : UNFITTED_MARGIN;
    if (!fitted) {
        line.base += line.slope * line.end; /* shorter runs may cost as much as the longest */
        line.slope = 0;
    }
    double most = 1;
    for (size_t i = 0; i < p.count; i++)
        most = fmax(most, p.at[i].us / (line.base + line.slope * p.at[i].x));
    line.base *= most;
    line.slope *= most;
    line.beyond = fmax(line.beyond * most, line.base * growth);
    return line;
}

double lks_cost_fitted_growth(const lks_measured *m, double growth)
{
    points p = points_of(m);
    if (!is_enough(&p))
        return growth;
    lks_line line = fit(&p);
    double fitted = line.slope < MOST_GROWTH * line.base ? line.slope / line.base : MOST_GROWTH;
    return fmax(growth, fitted);
}

static uint64_t round_up(double us)
{
    if (us >= 1e15)
        return UINT64_C(1000000000000000);
    return us < 1 ? 1 : (uint64_t)us + 1;
}

uint64_t lks_cost_us(const lks_line *line, uint64_t before, uint64_t count)
{
    double n = (double)count, x = middle(before, count);
    double to = fmin(x, line->end), each = line->base + line->slope * to + line->beyond * (x - to);
    return line->base + line->slope > 0 ? round_up(n * each) : 0;
}
