/* SAMPLE's row against one or two logits, and a token of the answer against the row that it was
 * chosen from and against the allowed list. */
#include "kernels/bytes.h"
#include "kernels/math32.h"
#include "oracle/proof/step_internal.h"

/* ---- The allowed list ---- */

/* Whether the allowed list lacks the token, which the elements on both sides of `place` show. */
static lks_err is_not_allowed(lks_step *s, bool *wrong, uint32_t token)
{
    uint32_t place = s->unit.place, below, above;
    lks_err err = LKS_OK;
    if (place > s->facts->allowed_count)
        return lks_step_bad_unit(s);
    if (place > 0 && !(err = lks_step_token(s, &below, LKS_LIST_ALLOWED, place - 1)) &&
        below >= token)
        err = lks_step_bad_unit(s);
    if (!err && place < s->facts->allowed_count &&
        !(err = lks_step_token(s, &above, LKS_LIST_ALLOWED, place)) && above <= token)
        err = lks_step_bad_unit(s);
    *wrong = !err;
    return err;
}

/* Token w must be allowed: element `place` of the list, where there is one. */
static lks_err must_be_allowed(lks_step *s, uint32_t w)
{
    uint32_t id;
    if (s->facts->allowed_count == 0)
        return LKS_OK;
    if (s->unit.place >= s->facts->allowed_count)
        return lks_step_bad_unit(s);
    lks_err err = lks_step_token(s, &id, LKS_LIST_ALLOWED, s->unit.place);
    if (!err && id != w)
        err = lks_step_bad_unit(s);
    return err;
}

/* ---- SAMPLE's row ---- */

static lks_err logit(lks_step *s, float *y, const lks_step_row *x, uint32_t token)
{
    lks_err err = lks_step_linear(s, y, x, 0, token, false);
    *y = err ? 0.0f : lks_canonical(*y);
    return err;
}

lks_err lks_step_sample(lks_step *s, bool *wrong)
{
    float max = lks_step_f32(s->x), y;
    uint32_t index = lks_load_le32(s->x + 4), w = s->unit.unit;
    bool about_index = w == LKS_UNIT_INDEX;
    if (index >= s->facts->vocab_size) {
        *wrong = true;
        return LKS_OK;
    }
    if (!about_index && w >= s->facts->vocab_size)
        return lks_step_bad_unit(s);
    if (about_index && s->facts->allowed_count && s->unit.place != LKS_UNIT_INDEX)
        return is_not_allowed(s, wrong, index);
    lks_step_row x;
    lks_err err = about_index ? LKS_OK : must_be_allowed(s, w);
    if (!err)
        err = lks_step_activations(s, &x, 0);
    if (!err)
        err = logit(s, &y, &x, about_index ? index : w);
    if (err)
        return err;
    if (about_index)
        *wrong = lks_bits(y) != lks_bits(max);
    else
        *wrong = lks_order_key(y) > lks_order_key(lks_canonical(max)) ||
                 (lks_bits(y) == lks_bits(max) && w < index);
    return LKS_OK;
}

/* ---- Tokens ---- */

static bool passes(const lks_facts *f, float y, float max)
{
    float below = lks_canonical((y - max) * (1.0f / f->temperature));
    return lks_order_key(below) >= lks_order_key(lks_log32(f->min_p));
}

/* As section 7, with token j of the answer at position P + j. */
static float score(const lks_facts *f, float y, uint32_t token, uint32_t position)
{
    const uint32_t counter[4] = {token >> 2, position, 0, 0},
                   key[2] = {(uint32_t)f->seed, (uint32_t)(f->seed >> 32)};
    uint32_t words[4];
    lks_philox(words, counter, key);
    float u = (float)(words[token & 3] >> 8 | 1) * 0x1p-24f, noise = -lks_log32(-lks_log32(u));
    return lks_canonical((y * (1.0f / f->temperature)) + noise);
}

static lks_err check_sampled(lks_step *s, bool *wrong, uint32_t c, float max)
{
    const lks_facts *f = s->facts;
    uint32_t w = s->unit.unit;
    float of_c, of_w;
    lks_step_row x;
    lks_err err = w == c ? LKS_OK : must_be_allowed(s, w);
    if (!err)
        err = lks_step_activations(s, &x, 0);
    if (!err)
        err = logit(s, &of_c, &x, c);
    if (err)
        return err;
    if (w == c) {
        *wrong = !passes(f, of_c, max);
        return LKS_OK;
    }
    if ((err = logit(s, &of_w, &x, w)))
        return err;
    if (!passes(f, of_w, max))
        return lks_fail(LKS_BADARGS, "token %u does not pass min-p, so it proves nothing", w);
    uint32_t position = f->prompt_count + s->unit.leaf;
    float score_c = score(f, of_c, c, position), score_w = score(f, of_w, w, position);
    *wrong = lks_order_key(score_w) > lks_order_key(score_c) ||
             (lks_bits(score_w) == lks_bits(score_c) && w < c);
    return LKS_OK;
}

lks_err lks_step_chosen(lks_step *s, bool *wrong)
{
    const uint8_t *row;
    uint32_t c;
    if (s->op.code != LKS_OP_SAMPLE || s->unit.unit >= s->facts->vocab_size)
        return lks_step_bad_unit(s);
    lks_err err = lks_step_token(s, &c, LKS_LIST_ANSWER, s->unit.leaf);
    if (!err)
        err = lks_step_own(s, &row, 0, 8);
    if (err)
        return err;
    if (s->facts->temperature == 0.0f) {
        if (s->unit.unit != 0)
            return lks_step_bad_unit(s);
        *wrong = c != lks_load_le32(row + 4);
        return LKS_OK;
    }
    if (c >= s->facts->vocab_size)
        return lks_step_bad_unit(s);
    return check_sampled(s, wrong, c, lks_step_f32(row));
}

lks_err lks_step_unlisted(lks_step *s, bool *wrong)
{
    const lks_facts *f = s->facts;
    uint32_t token;
    if (s->unit.op != f->sampler_op || s->unit.unit != 0 || f->allowed_count == 0 ||
        s->unit.leaf >= f->answer_count)
        return lks_step_bad_unit(s);
    lks_err err = lks_step_token(s, &token, LKS_LIST_ANSWER, s->unit.leaf);
    return err ? err : is_not_allowed(s, wrong, token);
}
