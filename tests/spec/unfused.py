"""A model of the same files whose program is made of the operations that the Llama family does not use: LINEAR, ROPE_Q, SILU_MUL_Q, LINEAR_Q of
queries, half-split pairs. Only units of proof meet it."""

from lockstep_spec import model as m


class Unfused(m.Model):
    def _derive(self):
        d, width, add = self.d, self.width, self._add
        heads = [self.heads, self.kv_heads, width]
        roped = heads + [self.rot, 2]
        table = self._tensor("token_embd.weight")
        x = add(m.EMBED, m.POSITION, m.FORM_F32, d, weights=[table], vocab=table.rows)
        for layer in range(self.layers):
            p = "blk.%d." % layer
            n = self._norm(x, p + "attn_norm.weight")
            parts = []
            for name, count, kind in (("attn_q", self.heads, m.POSITION), ("attn_k", self.kv_heads, m.KV)):
                weights, out = self._weights(p + name), (count * width if kind == m.POSITION else width)
                if layer % 2:  # no rotation in every second layer
                    parts.append(add(m.LINEAR_Q, kind, m.FORM_A8, out, self.block, [n], weights, heads))
                    continue
                y = add(m.LINEAR, m.POSITION, m.FORM_F32, count * width, 0, [n], weights)
                parts.append(add(m.ROPE_Q, kind, m.FORM_A8, out, self.block, [y], geometry=roped))
            parts.append(add(m.LINEAR_Q, m.KV, m.FORM_A8, width, self.block, [n], self._weights(p + "attn_v"), heads))
            a = add(m.ATTN, m.POSITION, m.FORM_F32, self.heads * width, 0, parts, geometry=heads, scalar=self.scale)
            a = add(m.QUANT, m.POSITION, m.FORM_A8, self.heads * width, 64, [a])
            x = add(m.LINEAR_ADD, m.POSITION, m.FORM_F32, d, 0, [a, x], self._weights(p + "attn_output"))
            n = self._norm(x, p + "ffn_norm.weight")
            gate, up = (add(m.LINEAR, m.POSITION, m.FORM_F32, self.ffn, 0, [n], self._weights(p + w)) for w in ("ffn_gate", "ffn_up"))
            f = add(m.SILU_MUL_Q, m.POSITION, m.FORM_A8, self.ffn, 64, [gate, up])
            x = add(m.LINEAR_ADD, m.POSITION, m.FORM_F32, d, 0, [f, x], self._weights(p + "ffn_down"))
        n = self._norm(x, "output_norm.weight", m.SAMPLED)
        out = self._tensor("output.weight", optional=True) or table
        add(m.SAMPLE, m.SAMPLED, m.FORM_SAMPLE, 2, inputs=[n], weights=[out], vocab=table.rows)
