// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"testing"
)

// fakeClient answers every call with what its method's name maps to, after release lets it.
type fakeClient struct {
	release chan struct{} // nil: at once
	result  string
	err     error
}

func (c *fakeClient) CallContext(ctx context.Context, result any, method string, args ...any) error {
	if c.release != nil {
		select {
		case <-c.release:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if c.err != nil {
		return c.err
	}
	return json.Unmarshal([]byte(c.result), result)
}

type answer struct {
	code int32
	json string
}

func ask(g *gate, method, params string) (refused int32, answers chan answer) {
	answers = make(chan answer, 2)
	return g.call(method, params, func(code int32, json []byte) { answers <- answer{code, string(json)} }), answers
}

// The allow-list is what the ABI's header promises, no more and no less.
func TestAllowListIsTheHeaders(t *testing.T) {
	header, err := os.ReadFile("lockstep_plugin.h")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, method := range regexp.MustCompile(`\beth_[A-Za-z]+`).FindAllString(string(header), -1) {
		named[method] = true
	}
	if len(named) == 0 {
		t.Fatal("the header names no method")
	}
	for method := range named {
		if !allowed[method] {
			t.Errorf("%s is in the header and not allowed", method)
		}
	}
	for method := range allowed {
		if !named[method] {
			t.Errorf("%s is allowed and not in the header", method)
		}
	}
}

func TestRefusals(t *testing.T) {
	g := newGate(&fakeClient{result: "1"})
	for _, method := range []string{"", "eth_sendTransaction", "eth_sign", "eth_accounts", "admin_peers", "debug_setHead", "personal_listAccounts", "eth_CHAINID", "eth_chainId "} {
		if refused, _ := ask(g, method, "[]"); refused != rpcRefusedMethod {
			t.Errorf("%q: %d", method, refused)
		}
	}
	for _, params := range []string{"", "{}", "null", "1", `"x"`, "[", "[]]", "[1,]", "[] []"} {
		if refused, _ := ask(g, "eth_chainId", params); refused != rpcRefusedInput {
			t.Errorf("%q: %d", params, refused)
		}
	}
	g.close()
	if refused, _ := ask(g, "eth_chainId", "[]"); refused != rpcRefusedClosed {
		t.Errorf("closed: %d", refused)
	}
}

type rpcFault struct{ data any }

func (rpcFault) Error() string    { return `execution "reverted"` }
func (rpcFault) ErrorCode() int   { return 3 }
func (f rpcFault) ErrorData() any { return f.data }

// odd has a code that the plugin interface keeps for itself.
type odd struct{}

func (odd) Error() string  { return "odd" }
func (odd) ErrorCode() int { return -7 }

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		client fakeClient
		want   answer
	}{
		{fakeClient{result: `{"a":[1]}`}, answer{0, `{"a":[1]}`}},
		{fakeClient{result: `null`}, answer{0, `null`}},
		{fakeClient{err: rpcFault{"0x08"}}, answer{3, `{"code":3,"data":"0x08","message":"execution \"reverted\""}`}},
		{fakeClient{err: rpcFault{}}, answer{3, `{"code":3,"message":"execution \"reverted\""}`}},
		{fakeClient{err: rpcFault{func() {}}}, answer{3, `{"code":3,"message":"execution \"reverted\""}`}},
		{fakeClient{err: errors.New("a\n\"b\"")}, answer{rpcFailed, `{"message":"a\n\"b\""}`}},
		{fakeClient{err: odd{}}, answer{rpcOther, `{"code":-7,"message":"odd"}`}},
		{fakeClient{err: context.DeadlineExceeded}, answer{rpcTimedOut, `{"message":"context deadline exceeded"}`}},
	} {
		refused, answers := ask(newGate(&c.client), "eth_call", "[]")
		if refused != 0 {
			t.Fatal(refused)
		}
		if got := <-answers; got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
}

func TestCallsAreBounded(t *testing.T) {
	client := &fakeClient{release: make(chan struct{}), result: "1"}
	g := newGate(client)
	var taken []chan answer
	for range maxCalls {
		refused, answers := ask(g, "eth_chainId", "[]")
		if refused != 0 {
			t.Fatalf("call %d refused: %d", len(taken), refused)
		}
		taken = append(taken, answers)
	}
	if refused, _ := ask(g, "eth_chainId", "[]"); refused != rpcRefusedBusy {
		t.Fatalf("call %d: %d, want busy", maxCalls, refused)
	}
	close(client.release)
	for _, answers := range taken {
		if got := <-answers; got != (answer{0, "1"}) {
			t.Fatal(got)
		}
	}
	g.runs.Wait()
	refused, answers := ask(g, "eth_chainId", "[]")
	if refused != 0 {
		t.Fatalf("refused after the others ended: %d", refused)
	}
	<-answers
}

// A plugin may be destroyed after drain: every call's reply has run, once.
func TestDrainFailsWhatIsUnderWay(t *testing.T) {
	g := newGate(&fakeClient{release: make(chan struct{})})
	var taken []chan answer
	for range 5 {
		_, answers := ask(g, "eth_chainId", "[]")
		taken = append(taken, answers)
	}
	g.close()
	g.drain()
	for _, answers := range taken {
		if len(answers) != 1 {
			t.Fatalf("%d replies", len(answers))
		}
		if got := <-answers; got.code != rpcFailed {
			t.Fatal(got)
		}
	}
}
