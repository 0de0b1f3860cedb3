// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// allowed are the methods that lockstep_plugin.h names, and no others: the RPC in process has no authentication, and the
// eth namespace also signs with unlocked accounts.
var allowed = map[string]bool{
	"eth_chainId":               true,
	"eth_blockNumber":           true,
	"eth_getBlockByNumber":      true,
	"eth_getBlockByHash":        true,
	"eth_getLogs":               true,
	"eth_call":                  true,
	"eth_getBalance":            true,
	"eth_getTransactionCount":   true,
	"eth_estimateGas":           true,
	"eth_feeHistory":            true,
	"eth_maxPriorityFeePerGas":  true,
	"eth_gasPrice":              true,
	"eth_getTransactionReceipt": true,
	"eth_getTransactionByHash":  true,
	"eth_sendRawTransaction":    true,
}

const (
	maxCalls    = 64               // under way at once, replies included
	callTimeout = 60 * time.Second // after which a call counts as failed
)

// Codes that rpc returns or replies with, besides 0 and JSON-RPC's own: LOCKSTEP_RPC_* of
// lockstep_plugin.h.
const (
	rpcFailed        int32 = -1
	rpcRefusedBusy   int32 = -2
	rpcRefusedMethod int32 = -3
	rpcRefusedInput  int32 = -4
	rpcRefusedClosed int32 = -5
	rpcTimedOut      int32 = -8
	rpcReserved      int32 = -15    // codes from here to 0 are never the client's
	rpcOther         int32 = -32000 // for a client's code that falls there
)

type caller interface {
	CallContext(ctx context.Context, result any, method string, args ...any) error
}

// gate is what stands between the plugin and the client's RPC.
type gate struct {
	client caller
	ctx    context.Context
	cancel context.CancelFunc
	slots  chan struct{}
	mu     sync.Mutex // orders running.Add before the Wait of drain
	closed bool
	runs   sync.WaitGroup
}

func newGate(client caller) *gate {
	g := &gate{client: client, slots: make(chan struct{}, maxCalls)}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// call takes a call and returns 0, then reply runs once on a goroutine of its own; or it returns why it was refused.
func (g *gate) call(method, params string, reply func(code int32, json []byte)) int32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return rpcRefusedClosed
	}
	if !allowed[method] {
		return rpcRefusedMethod
	}
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(params), &raw); err != nil || raw == nil { // nil: the text "null"
		return rpcRefusedInput
	}
	select {
	case g.slots <- struct{}{}:
	default:
		return rpcRefusedBusy
	}
	g.runs.Add(1)
	go func() {
		defer func() { <-g.slots; g.runs.Done() }()
		reply(g.ask(method, raw))
	}()
	return 0
}

func (g *gate) ask(method string, raw []json.RawMessage) (int32, []byte) {
	args := make([]any, len(raw))
	for i := range raw {
		args[i] = raw[i]
	}
	ctx, cancel := context.WithTimeout(g.ctx, callTimeout)
	defer cancel()
	var result json.RawMessage
	err := g.client.CallContext(ctx, &result, method, args...)
	if err == nil {
		return 0, result
	}
	var answered rpc.Error
	if !errors.As(err, &answered) {
		code := rpcFailed
		if errors.Is(err, context.DeadlineExceeded) {
			code = rpcTimedOut
		}
		return code, encode(map[string]any{"message": err.Error()})
	}
	fields := map[string]any{"code": answered.ErrorCode(), "message": answered.Error()}
	var more rpc.DataError
	if errors.As(err, &more) && more.ErrorData() != nil {
		fields["data"] = more.ErrorData()
	}
	code := int32(answered.ErrorCode())
	if code >= rpcReserved && code <= 0 {
		code = rpcOther
	}
	return code, encode(fields)
}

func encode(fields map[string]any) []byte {
	text, err := json.Marshal(fields)
	if err != nil { // a data field that JSON cannot hold
		delete(fields, "data")
		text, _ = json.Marshal(fields)
	}
	return text
}

// close refuses further calls.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
}

// drain fails the calls under way and waits until their replies have run. The gate must be closed.
func (g *gate) drain() {
	g.cancel()
	g.runs.Wait()
}
