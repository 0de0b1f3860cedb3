// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test, console} from "forge-std/Test.sol";
import {StepVerifier} from "../../src/StepVerifier.sol";
import {StepVerifierExtension} from "../../src/StepVerifierExtension.sol";
import {IStepVerifier, UnitKind} from "../../src/interfaces/IStepVerifier.sol";
import {Op, Program} from "../../src/verifier/Program.sol";
import {WeightRow} from "../../src/verifier/WeightRow.sol";
import {Rows} from "./Rows.sol";
import {Scene, Scenes} from "./Scene.sol";

/// A model of the Llama family.
struct Shape {
    string name;
    uint256 width;
    uint256 feedForward;
    uint256 heads;
    uint256 kvHeads;
    uint256 headWidth;
    uint256 layers;
    uint256 vocabulary;
}

/// Steps that the tables have rows for.
enum Step {
    Embed,
    RmsSegment,
    RmsRoot,
    NormQ,
    Quant,
    Linear,
    LinearQ,
    LinearRopeQ,
    LinearRopeQOfKeys,
    LinearSiluMulQ,
    LinearAddAttention,
    LinearAddFeedForward,
    RopeQ,
    SiluMulQ,
    AttentionChunk,
    AttentionMaximum,
    AttentionRunning,
    AttentionFinal,
    SampleRow,
    Token,
    Unlisted
}

/// Gas and calldata of one step of every operation, at the last position, for the shapes of real
/// models: a call of the verifier as a transaction of its own. What the dispute game adds does not
/// grow with the step, but for a copy of the witness. snapshots/step-gas.md holds the tables; a
/// difference fails the test. `tools/step-gas --update` writes them anew.
contract StepTableTest is Test {
    using Scenes for Scene;

    string internal constant FILE = "snapshots/step-gas.md";
    uint256 internal constant LIMIT_1B = 1_500_000;
    uint256 internal constant LIMIT_70B = 5_000_000;
    uint256 internal constant CAP = 16_777_216; // EIP-7825
    uint256 internal constant COLD_ACCOUNT = 2600;
    uint256 internal constant WARM_ACCOUNT = 100;
    uint256 internal constant WITNESS_LIMIT = 120_000;
    uint256 internal constant SAMPLED = 128;
    uint256 internal constant TEMPERATURE = 0x3f4ccccd;
    uint256 internal constant MIN_P = 0x3d4ccccd;

    StepVerifier internal verifier = new StepVerifier(address(new StepVerifierExtension()));

    function test_gas_steps_areThoseOfTheSnapshot() public {
        string memory text =
            "Gas of one step as a transaction, and bytes of its calldata. Made by contracts/tools/step-gas.\n";
        uint256[3] memory positions = [uint256(512), 8192, 32_768];
        for (uint256 i; i < 3; ++i) {
            text = string.concat(text, table(positions[i]));
        }
        if (vm.envOr("FORGE_SNAPSHOT_EMIT", false)) vm.writeFile(FILE, text);
        require(vm.exists(FILE), "snapshots/step-gas.md is missing: run tools/step-gas --update");
        assertEq(
            keccak256(bytes(vm.readFile(FILE))),
            keccak256(bytes(text)),
            "run tools/step-gas --update, and look at the difference"
        );
    }

    function table(uint256 positions) private returns (string memory text) {
        Shape[4] memory shapes = shapesOf();
        text = string.concat("\n## ", vm.toString(positions), " positions\n\n| step |");
        for (uint256 m; m < 4; ++m) {
            text = string.concat(text, " ", shapes[m].name, " |");
        }
        text = string.concat(text, "\n|---|---|---|---|---|\n");
        for (uint256 step; step <= uint256(type(Step).max); ++step) {
            if (!hasMatrix(Step(step))) {
                text = string.concat(text, line(Step(step), 0, positions));
            } else if (Step(step) == Step.SampleRow || Step(step) == Step.Token) {
                text = string.concat(text, line(Step(step), WeightRow.Q8_0, positions));
            } else {
                text = string.concat(text, line(Step(step), WeightRow.Q4_1, positions));
                text = string.concat(text, line(Step(step), WeightRow.Q6_K, positions));
            }
        }
    }

    function line(Step step, uint256 kind, uint256 positions) private returns (string memory text) {
        Shape[4] memory shapes = shapesOf();
        text = string.concat(
            "| ", nameOf(step), kind == 0 ? "" : string.concat(", ", typeOf(kind)), " |"
        );
        for (uint256 m; m < 4; ++m) {
            (uint256 gas, uint256 size) = this.measure(shapes[m], step, kind, positions);
            text = string.concat(text, " ", vm.toString(gas), ", ", vm.toString(size), " |");
            assertLt(gas, CAP);
            assertLt(size, WITNESS_LIMIT);
            if (m <= 1) assertLe(gas, LIMIT_1B, nameOf(step));
            assertLe(gas, LIMIT_70B, nameOf(step));
        }
        text = string.concat(text, "\n");
    }

    /// Gas of the transaction and bytes of its calldata. In a call of its own, which gives its
    /// memory back.
    function measure(Shape memory m, Step step, uint256 kind, uint256 positions)
        external
        view
        returns (uint256 gas, uint256 size)
    {
        (Scene memory s, bytes memory partials) = build(m, step, kind, positions);
        s.finish();
        bytes memory call = abi.encodeCall(
            IStepVerifier.isWrong, (s.facts, s.traceRoot, s.model, s.witness, partials)
        );
        size = call.length;
        // Here the extension is warm from now on; in a transaction it is cold (EIP-2929).
        require(verifier.extension().code.length != 0);
        bool asksExtension = s.witness.kind != UnitKind.Output || s.witness.op == s.model.samplerOp;
        uint256 left = gasleft();
        (bool ok,) = address(verifier).staticcall(call);
        left -= gasleft();
        if (asksExtension) left += COLD_ACCOUNT - WARM_ACCOUNT;
        require(ok, nameOf(step));
        uint256 zeros;
        for (uint256 i; i < size; ++i) {
            if (call[i] == 0) ++zeros;
        }
        // EIP-7623
        uint256 tokens = zeros + 4 * (size - zeros);
        gas = 21_000 + (left + 4 * tokens > 10 * tokens ? left + 4 * tokens : 10 * tokens);
    }

    /* STEPS */

    /// The operation in dispute is number 20; its inputs are 18, 17 and 16.
    uint256 internal constant OP = 20;
    uint256 internal constant X = 18;

    struct Place {
        uint256 positions;
        uint256 rowBits;
        uint256 row;
    }

    function build(Shape memory m, Step step, uint256 kind, uint256 positions)
        private
        pure
        returns (Scene memory s, bytes memory partials)
    {
        s = Scenes.create(12 * m.layers + 4, 9 * m.layers + 3, positions - SAMPLED + 1, SAMPLED);
        s.model.vocabSize = uint32(m.vocabulary);
        Place memory p = Place(positions, Scenes.log2(positions), positions - 1);
        if (step == Step.Embed) {
            embed(s, m, kind, p);
        } else if (step == Step.RmsSegment || step == Step.RmsRoot) {
            rms(s, m, step, p);
        } else if (step == Step.NormQ) {
            normQ(s, m, p);
        } else if (step == Step.Quant) {
            quant(s, m, p);
        } else if (step == Step.Linear) {
            linear(s, m.feedForward, m.width, kind, false, p);
        } else if (step == Step.LinearAddFeedForward) {
            linear(s, m.feedForward, m.width, kind, true, p);
        } else if (step == Step.LinearAddAttention) {
            linear(s, m.heads * m.headWidth, m.width, kind, true, p);
        } else if (step == Step.LinearQ) {
            projection(s, m, Program.LINEAR_Q, Program.KIND_KV, kind, p);
        } else if (step == Step.LinearRopeQ) {
            projection(s, m, Program.LINEAR_ROPE_Q, Program.KIND_ALL, kind, p);
        } else if (step == Step.LinearRopeQOfKeys) {
            projection(s, m, Program.LINEAR_ROPE_Q, Program.KIND_KV, kind, p);
        } else if (step == Step.RopeQ) {
            projection(s, m, Program.ROPE_Q, Program.KIND_ALL, 0, p);
        } else if (step == Step.LinearSiluMulQ || step == Step.SiluMulQ) {
            gated(s, m, kind, p);
        } else if (step == Step.SampleRow || step == Step.Token) {
            sample(s, m, step == Step.Token, kind, p);
        } else if (step == Step.Unlisted) {
            unlisted(s);
        } else {
            partials = attention(s, m, step, p);
        }
    }

    function trace(
        Scene memory s,
        uint256 item,
        Place memory p,
        bytes memory row,
        uint256 lo,
        uint256 hi
    ) private pure {
        s.bytesOf(Scenes.TRACE, item, p.rowBits, p.row, row, lo, hi);
    }

    function element(Scene memory s, uint256 item, Place memory p, uint256 width, uint256 e)
        private
        pure
    {
        trace(s, item, p, Rows.floats(width, item), 4 * e, 4 * e + 4);
    }

    /// The whole A8 row that LINEAR reads.
    function inputRow(Scene memory s, Place memory p, uint256 columns) private pure {
        bytes memory x = Rows.quantised(columns, blocksOf(columns), X);
        trace(s, X, p, x, 0, x.length);
    }

    function weight(Scene memory s, Op memory op, uint256 k, uint256 row) private pure {
        (uint256 elements, uint256 size) = WeightRow.blockOf(op.weights[k].kind);
        bytes memory data = Rows.weights(op.weights[k].kind, op.weights[k].columns, row);
        require(data.length == op.weights[k].columns / elements * size);
        uint256 bits = Scenes.log2(op.weights[k].rows);
        s.bytesOf(Scenes.WEIGHTS, op.weights[k].tensor, bits, row, data, 0, data.length);
    }

    function setMatrix(
        Op memory op,
        uint256 k,
        uint256 tensor,
        uint256 kind,
        uint256 rows,
        uint256 columns
    ) private pure {
        (op.weights[k].tensor, op.weights[k].kind) = (tensor, kind);
        (op.weights[k].rows, op.weights[k].columns) = (rows, columns);
    }

    /// Element `width - 1` of a row of float32 is disputed: its chunk.
    function disputeFloat(Scene memory s, Place memory p, uint256 width) private pure {
        uint256 bits = Scenes.log2((4 * width + 1023) / 1024);
        s.unit(UnitKind.Output, OP, (p.row << bits) + (4 * width - 4) / 1024, width - 1, 0);
        trace(s, OP, p, Rows.floats(width, OP), 4 * width - 4, 4 * width);
    }

    /// The last value of an A8 row is disputed: its chunk, and the entry where it lies in another
    /// one.
    function disputeValue(Scene memory s, Place memory p, uint256 width, uint256 blocks)
        private
        pure
    {
        bytes memory row = Rows.quantised(width, blocks, OP);
        uint256 last = row.length - 1;
        uint256 bits = Scenes.log2((row.length + 1023) / 1024);
        s.unit(UnitKind.Output, OP, (p.row << bits) + last / 1024, width - 1, 0);
        trace(s, OP, p, row, last, last + 1);
        if ((8 * blocks - 8) / 1024 != last / 1024 || (8 * blocks - 8) % 1024 > 1016) {
            trace(s, OP, p, row, 8 * blocks - 8, 8 * blocks);
        }
    }

    function blocksOf(uint256 width) private pure returns (uint256) {
        return (width + 63) / 64;
    }

    function activations(uint256 width) private pure returns (Op memory) {
        return Scenes.plain(Program.QUANT, 0, Program.FORM_A8, width, 64);
    }

    function floats(uint256 width) private pure returns (Op memory) {
        return Scenes.plain(Program.LINEAR_ADD, 0, Program.FORM_F32, width, 0);
    }

    function embed(Scene memory s, Shape memory m, uint256 kind, Place memory p) private pure {
        Op memory op = Scenes.plain(Program.EMBED, 0, Program.FORM_F32, m.width, 0);
        uint256 columns = m.width / 256 * 256;
        if (kind == WeightRow.Q6_K) op.width = columns;
        setMatrix(op, 0, 0, kind, m.vocabulary, op.width);
        op.vocabulary = m.vocabulary;
        s.descriptor(OP, op);
        disputeFloat(s, p, op.width);
        bytes memory list = new bytes(4 * SAMPLED);
        Scenes.put32(list, 4 * (SAMPLED - 2), 7);
        s.facts.tokensHash = s.token(list, SAMPLED - 2);
        storedBlock(s, op, 7);
    }

    /// The stored block of the last element of a row of the operation's matrix.
    function storedBlock(Scene memory s, Op memory op, uint256 row) private pure {
        (uint256 elements, uint256 size) = WeightRow.blockOf(op.weights[0].kind);
        bytes memory data = Rows.weights(op.weights[0].kind, op.width, row);
        uint256 lo = (op.width / elements - 1) * size;
        s.bytesOf(Scenes.WEIGHTS, 0, Scenes.log2(op.weights[0].rows), row, data, lo, lo + size);
    }

    function rms(Scene memory s, Shape memory m, Step step, Place memory p) private pure {
        uint256 segments = (m.width + 255) / 256;
        Op memory op = Scenes.plain(Program.RMS, 0, Program.FORM_RMS, segments + 1, 0);
        (op.inputs[0], op.scalar) = (X, 0x3727c5ac);
        s.descriptor(OP, op);
        s.descriptor(X, floats(m.width));
        s.unit(UnitKind.Output, OP, p.row, step == Step.RmsRoot ? segments : 0, 0);
        trace(s, OP, p, Rows.floats(segments + 1, OP), 0, 4 * segments + 4);
        if (step == Step.RmsSegment) trace(s, X, p, Rows.floats(m.width, X), 0, 1024);
    }

    function normQ(Scene memory s, Shape memory m, Place memory p) private pure {
        uint256 segments = (m.width + 255) / 256;
        Op memory op = Scenes.plain(Program.NORM_Q, 0, Program.FORM_A8, m.width, 64);
        (op.inputs[0], op.inputs[1]) = (X, X + 1);
        setMatrix(op, 0, 5, WeightRow.F32, 1, m.width);
        s.descriptor(OP, op);
        s.descriptor(X, floats(m.width));
        s.descriptor(X + 1, Scenes.plain(Program.RMS, 0, Program.FORM_RMS, segments + 1, 0));
        disputeValue(s, p, m.width, blocksOf(m.width));
        element(s, X, p, m.width, m.width - 1);
        element(s, X + 1, p, segments + 1, segments);
        bytes memory gain = Rows.floats(m.width, 5);
        s.bytesOf(Scenes.WEIGHTS, 5, 0, 0, gain, 4 * m.width - 4, 4 * m.width);
    }

    function quant(Scene memory s, Shape memory m, Place memory p) private pure {
        uint256 width = m.heads * m.headWidth;
        Op memory op = activations(width);
        op.inputs[0] = X;
        s.descriptor(OP, op);
        s.descriptor(X, floats(width));
        disputeValue(s, p, width, blocksOf(width));
        element(s, X, p, width, width - 1);
    }

    function linear(
        Scene memory s,
        uint256 columns,
        uint256 width,
        uint256 kind,
        bool adds,
        Place memory p
    ) private pure {
        uint256 code = adds ? Program.LINEAR_ADD : Program.LINEAR;
        Op memory op = Scenes.plain(code, 0, Program.FORM_F32, width, 0);
        op.inputs[0] = X;
        if (kind == WeightRow.Q6_K) columns = columns / 256 * 256;
        setMatrix(op, 0, 5, kind, width, columns);
        if (adds) op.inputs[1] = X - 1;
        s.descriptor(OP, op);
        s.descriptor(X, activations(columns));
        if (adds) s.descriptor(X - 1, floats(width));
        disputeFloat(s, p, width);
        if (adds) element(s, X - 1, p, width, width - 1);
        inputRow(s, p, columns);
        weight(s, op, 0, width - 1);
    }

    function projection(
        Scene memory s,
        Shape memory m,
        uint256 code,
        uint256 rows,
        uint256 kind,
        Place memory p
    ) private pure {
        uint256 heads = rows == Program.KIND_KV ? m.kvHeads : m.heads;
        uint256 all = heads * m.headWidth;
        uint256 width = rows == Program.KIND_KV ? m.headWidth : all;
        uint256 columns = kind == WeightRow.Q6_K ? m.width / 256 * 256 : m.width;
        Op memory op =
            Scenes.plain(code, rows, Program.FORM_A8, width, m.headWidth < 128 ? m.headWidth : 128);
        (op.heads, op.kvHeads, op.headWidth, op.inputs[0]) = (m.heads, m.kvHeads, m.headWidth, X);
        if (code != Program.LINEAR_Q) (op.rotary, op.pairing) = (m.headWidth, 1);
        if (kind != 0) setMatrix(op, 0, 5, kind, all, columns);
        s.descriptor(OP, op);
        s.descriptor(X, kind == 0 ? floats(all) : activations(columns));
        Place memory own = Place(p.positions, p.rowBits, p.row);
        if (rows == Program.KIND_KV) {
            own.row = ((heads - 1) << p.rowBits) + p.row;
            own.rowBits = p.rowBits + Scenes.log2(heads);
        }
        disputeValue(s, own, width, width / op.blockLength);
        if (kind == 0) {
            element(s, X, p, all, all - 2);
            element(s, X, p, all, all - 1);
        } else {
            inputRow(s, p, columns);
            if (code != Program.LINEAR_Q) weight(s, op, 0, all - 2);
            weight(s, op, 0, all - 1);
        }
        if (code == Program.LINEAR_Q) return;
        rope(s, 4 * m.headWidth, p.positions - 1);
    }

    /// The last pair of a row of the RoPE table.
    function rope(Scene memory s, uint256 size, uint256 position) private pure {
        s.bytesOf(Scenes.ROPE, 0, 15, position, Rows.floats(size / 4, 1), size - 8, size);
    }

    function gated(Scene memory s, Shape memory m, uint256 kind, Place memory p) private pure {
        uint256 code = kind == 0 ? Program.SILU_MUL_Q : Program.LINEAR_SILU_MUL_Q;
        uint256 columns = kind == WeightRow.Q6_K ? m.width / 256 * 256 : m.width;
        Op memory op = Scenes.plain(code, 0, Program.FORM_A8, m.feedForward, 64);
        op.inputs[0] = X;
        if (kind == 0) {
            op.inputs[1] = X - 1;
        } else {
            setMatrix(op, 0, 5, kind, m.feedForward, columns);
            setMatrix(op, 2, 6, kind, m.feedForward, columns);
        }
        s.descriptor(OP, op);
        s.descriptor(X, kind == 0 ? floats(m.feedForward) : activations(columns));
        if (kind == 0) s.descriptor(X - 1, floats(m.feedForward));
        disputeValue(s, p, m.feedForward, blocksOf(m.feedForward));
        if (kind == 0) {
            element(s, X, p, m.feedForward, m.feedForward - 1);
            element(s, X - 1, p, m.feedForward, m.feedForward - 1);
        } else {
            inputRow(s, p, columns);
            weight(s, op, 0, m.feedForward - 1);
            weight(s, op, 2, m.feedForward - 1);
        }
    }

    /// A logit against SAMPLE's row; a token of the answer against another one, whose score is made
    /// greater. Between two pieces of the longest list.
    function unlisted(Scene memory s) private pure {
        uint256 count = 16_384;
        bytes memory list = new bytes(4 * count);
        for (uint256 i; i < count; ++i) {
            Scenes.put32(list, 4 * i, 0x1000 + 2 * i);
        }
        bytes memory answer = Rows.fill(4 * SAMPLED, 1, type(uint256).max, 0);
        Scenes.put32(answer, 4 * SAMPLED - 4, 0x1000 + 2 * 256 - 1);
        s.unit(UnitKind.Unlisted, s.model.samplerOp, SAMPLED - 1, 0, 256);
        s.facts.tokensHash = s.token(answer, SAMPLED - 1);
        s.facts.allowedHash = s.token(list, 255);
        s.token(list, 256);
        s.facts.allowedCount = uint32(count);
    }

    function sample(Scene memory s, Shape memory m, bool isToken, uint256 kind, Place memory p)
        private
        pure
    {
        uint256 index = s.model.samplerOp;
        Op memory op = Scenes.plain(Program.SAMPLE, 1, Program.FORM_SAMPLE, 2, 0);
        (op.inputs[0], op.vocabulary) = (X, m.vocabulary);
        setMatrix(op, 0, 5, kind, m.vocabulary, m.width);
        s.descriptor(index, op);
        Op memory x = activations(m.width);
        (x.code, x.kind) = (Program.NORM_Q, 1);
        s.descriptor(X, x);
        (p.row, p.rowBits) = (SAMPLED - 1, Scenes.log2(SAMPLED));
        bytes memory list = new bytes(4 * SAMPLED);
        Scenes.put32(list, 4 * SAMPLED - 4, 9);
        s.unit(isToken ? UnitKind.Token : UnitKind.Output, index, SAMPLED - 1, m.vocabulary - 1, 0);
        if (isToken) s.facts.tokensHash = s.token(list, SAMPLED - 1);
        // A maximum so low that every token passes min-p.
        bytes memory row = hex"286b6ece09000000";
        trace(s, index, p, row, 0, 8);
        (s.facts.temperature, s.facts.minP) = (uint32(TEMPERATURE), uint32(MIN_P));
        inputRow(s, p, m.width);
        if (isToken) weight(s, op, 0, 9);
        weight(s, op, 0, m.vocabulary - 1);
    }

    function attention(Scene memory s, Shape memory m, Step step, Place memory p)
        private
        pure
        returns (bytes memory partials)
    {
        uint256 width = m.heads * m.headWidth;
        attentionDescriptors(s, m);
        uint256 n = (p.row / 32) + 1;
        partials = Rows.floats(3 * n + 2 + 2 * ((n + 31) / 32), 3);
        Scenes.put32(partials, 12 * n + 4, 0);
        uint256 leaf = (p.row << Scenes.log2((4 * width + 1023) / 1024)) + (4 * width - 4) / 1024;
        uint256 last = step == Step.AttentionRunning ? 0 : n - 1;
        UnitKind kind =
            UnitKind(uint256(UnitKind.PartialChunk) + uint256(step) - uint256(Step.AttentionChunk));
        s.unit(kind, OP, leaf, width - 1, last);
        if (step == Step.AttentionFinal) {
            trace(s, OP, p, Rows.floats(width, OP), 4 * width - 4, 4 * width);
        }
        if (step != Step.AttentionChunk) return partials;
        attentionChunk(s, m, p, n - 1);
    }

    function attentionChunk(Scene memory s, Shape memory m, Place memory p, uint256 chunk)
        private
        pure
    {
        bytes memory q = Rows.heads(m.heads, m.headWidth, 1);
        trace(s, X, p, q, 8 * m.heads - 8, 8 * m.heads);
        trace(s, X, p, q, q.length - m.headWidth, q.length);
        uint256 bits = p.rowBits + Scenes.log2(m.kvHeads);
        uint256 row = ((m.kvHeads - 1) << p.rowBits) + 32 * chunk;
        for (uint256 k = 1; k <= 2; ++k) {
            bytes memory rows;
            for (uint256 i; i < 32; ++i) {
                rows = bytes.concat(rows, Rows.heads(1, m.headWidth, 100 * k + i));
            }
            s.rowsOf(X - k, bits, row, 8 + m.headWidth, rows);
        }
    }

    function attentionDescriptors(Scene memory s, Shape memory m) private pure {
        Op memory op = Scenes.plain(Program.ATTN, 0, Program.FORM_F32, m.heads * m.headWidth, 0);
        (op.heads, op.kvHeads, op.headWidth, op.scalar) =
        (m.heads, m.kvHeads, m.headWidth, 0x3e000000);
        (op.inputs[0], op.inputs[1], op.inputs[2]) = (X, X - 1, X - 2);
        s.descriptor(OP, op);
        for (uint256 k; k < 3; ++k) {
            Op memory x = Scenes.plain(
                Program.LINEAR_ROPE_Q,
                k == 0 ? 0 : 2,
                Program.FORM_A8,
                k == 0 ? op.width : m.headWidth,
                m.headWidth
            );
            (x.heads, x.kvHeads, x.headWidth) = (m.heads, m.kvHeads, m.headWidth);
            s.descriptor(X - k, x);
        }
    }

    /* NAMES */

    function shapesOf() private pure returns (Shape[4] memory) {
        return [
            Shape("SmolLM2-135M", 576, 1536, 9, 3, 64, 30, 49_152),
            Shape("TinyLlama-1.1B", 2048, 5632, 32, 4, 64, 22, 32_000),
            Shape("8B", 4096, 14_336, 32, 8, 128, 32, 128_256),
            Shape("70B", 8192, 28_672, 64, 8, 128, 80, 128_256)
        ];
    }

    function hasMatrix(Step step) private pure returns (bool) {
        if (
            step == Step.Linear || step == Step.LinearAddAttention
                || step == Step.LinearAddFeedForward
        ) return true;
        if (step == Step.LinearQ || step == Step.LinearRopeQ || step == Step.LinearRopeQOfKeys) {
            return true;
        }
        return step == Step.Embed || step == Step.LinearSiluMulQ || step == Step.SampleRow
            || step == Step.Token;
    }

    function typeOf(uint256 kind) private pure returns (string memory) {
        return kind == WeightRow.Q4_1 ? "Q4_1" : kind == WeightRow.Q6_K ? "Q6_K" : "Q8_0";
    }

    function nameOf(Step step) private pure returns (string memory) {
        string[21] memory names = [
            "EMBED",
            "RMS, a segment",
            "RMS, r",
            "NORM_Q",
            "QUANT",
            "LINEAR, feed-forward inputs",
            "LINEAR_Q, V",
            "LINEAR_ROPE_Q, Q",
            "LINEAR_ROPE_Q, K",
            "LINEAR_SILU_MUL_Q",
            "LINEAR_ADD, attention output",
            "LINEAR_ADD, feed-forward down",
            "ROPE_Q",
            "SILU_MUL_Q",
            "ATTN, a chunk",
            "ATTN, the maximum",
            "ATTN, a running sum",
            "ATTN, the division",
            "SAMPLE, a logit",
            "SAMPLE, a token",
            "SAMPLE, a token outside a list of 16,384"
        ];
        return names[uint256(step)];
    }
}
