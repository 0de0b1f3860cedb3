// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

import (
	"bytes"
	"context"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
)

func TestLoadErrors(t *testing.T) {
	noSymbol := filepath.Join(t.TempDir(), "empty.so")
	if out, err := exec.Command("cc", "-shared", "-o", noSymbol, "-x", "c", "/dev/null").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	noLibrary := filepath.Join(t.TempDir(), "text.so")
	check(t, os.WriteFile(noLibrary, []byte("no ELF file"), 0o600))
	for _, c := range []struct{ name, path, config, want string }{
		{"missing", "/nonexistent/x.so", "{}", "cannot open shared object file"},
		{"not a library", noLibrary, "{}", "file too short"},
		{"no symbol", noSymbol, "{}", "does not export lockstep_plugin_create"},
		{"other ABI", buildPlugin(t, "-DECHO_ABI_VERSION=7"), "{}", "speaks version 7 of the plugin ABI and this host version 1"},
		{"small struct", buildPlugin(t, "-DECHO_STRUCT_SIZE=8"), "{}", "its lockstep_plugin has 8 bytes"},
		{"refuses", buildPlugin(t), `{"refuse": true}`, "refused to start"},
		{"bad configuration", buildPlugin(t), `[]`, "refused to start"},
	} {
		_, err := load(c.path, c.config, &fakeClient{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "not a JSON object",
		"null":                                "not a JSON object",
		"[]":                                  "not a JSON object",
		`{"a":1} x`:                           "not a JSON object",
		`{"a":"` + "\x00" + `"}`:              "not a JSON object",
		strings.Repeat(" ", maxConfig) + "{}": "larger than",
	} {
		if _, err := readConfig(writeFile(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if _, err := readConfig("/nonexistent/x.json"); err == nil {
		t.Error("a missing file was accepted")
	}
	if text, err := readConfig(writeFile(t, ` {"a": {"b": [1]}} `)); err != nil || text != ` {"a": {"b": [1]}} ` {
		t.Errorf("%q %v", text, err)
	}
}

// Every field of a block reaches the plugin, in memory that C may read.
func TestBlockArrivesWhole(t *testing.T) {
	j, config := echoConfig(t, nil)
	h, err := load(buildPlugin(t), config, &fakeClient{})
	check(t, err)
	header := &types.Header{Number: big.NewInt(77), Time: 5, ParentHash: common.HexToHash("0xabcd"), Difficulty: new(big.Int)}
	tx := common.HexToHash("0x1234")
	h.block(header, []*types.Log{
		{TxHash: tx, TxIndex: 3, Index: 0, Data: []byte{1, 2, 3}, Topics: make([]common.Hash, 4)},
		{TxHash: tx, TxIndex: 3, Index: 1},
		{TxHash: tx, TxIndex: 4, Index: 2, Data: bytes.Repeat([]byte{1}, 100_000), Topics: make([]common.Hash, 1)},
	})
	h.block(&types.Header{Number: big.NewInt(78), ParentHash: header.Hash(), Difficulty: new(big.Int)}, nil)
	h.revert(78, common.HexToHash("0xef"))
	if got := h.finished(); got != 78 {
		t.Errorf("finished %d", got)
	}
	h.close()
	got := strings.Join(j.lines(), "\n")
	for _, want := range []string{
		"create\nblock 77 " + short(header.Hash()) + " " + short(header.ParentHash) + " 3\n",
		"log 0 3 " + short(tx) + " topics 4 data 3 sum 6\n",
		"log 1 3 " + short(tx) + " topics 0 data 0 sum 0\n",
		"log 2 4 " + short(tx) + " topics 1 data 100000 sum 100000\nblock 78 ",
		"revert 78 " + short(common.HexToHash("0xef")) + "\nstop\ndestroy",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestRPCOfThePlugin(t *testing.T) {
	j, config := echoConfig(t, map[string]any{"calls": []string{"eth_chainId []", "eth_sign []", "eth_chainId 5"}})
	h, err := load(buildPlugin(t), config, &fakeClient{result: `"0x7cee"`})
	check(t, err)
	j.wait(t, "reply eth_chainId 0 \"0x7cee\"", 1)
	j.wait(t, "refused eth_sign -3", 1)
	j.wait(t, "refused eth_chainId -4", 1)
	h.close()
}

var tiny, one, small = 5e-310, 1.0, 1e-20 // variables, or the compiler would fold the sums

//go:noinline
func spoilt() bool { return tiny*0.5 == 0 || one+small != 1 }

// fpLog notes whether Go code that a plugin's log call runs sees the default floating-point environment.
type fpLog struct {
	slog.Handler
	mu           sync.Mutex
	lines, wrong []string
}

func (l *fpLog) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, r.Message)
	if spoilt() {
		l.wrong = append(l.wrong, r.Message)
	}
	return nil
}

// A plugin that changes the rounding and flushes denormals when it is loaded, and in every function, changes it for itself.
func TestFloatingPointIsKept(t *testing.T) {
	lines := &fpLog{Handler: slog.DiscardHandler}
	handler := struct{ *fpLog }{lines}
	old := log.Root()
	log.SetDefault(log.NewLogger(enabled{handler}))
	defer log.SetDefault(old)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if spoilt() {
		t.Fatal("spoilt before the test")
	}
	step := func(name string, f func()) {
		t.Helper()
		if f(); spoilt() {
			t.Fatalf("%s changed the floating-point environment", name)
		}
	}
	so := buildPlugin(t, "-DECHO_SPOIL_ON_LOAD")
	j, config := echoConfig(t, map[string]any{"spoil_fp": true, "calls": []string{"eth_chainId []"}})
	var h *host
	step("load", func() {
		var err error
		h, err = load(so, config, &fakeClient{result: "1"})
		check(t, err)
	})
	header := &types.Header{Number: big.NewInt(1), Difficulty: new(big.Int)}
	step("block", func() { h.block(header, nil) })
	step("revert", func() { h.revert(1, header.Hash()) })
	step("finished", func() { h.finished() })
	j.wait(t, "reply", 1)
	step("close", h.close)
	if got := len(lines.lines); got < 7 {
		t.Errorf("only %d lines were logged under a spoilt environment: %q", got, lines.lines)
	}
	for _, line := range lines.wrong {
		t.Errorf("Go code ran under a spoilt environment: %s", line)
	}
	var group sync.WaitGroup
	for range 64 {
		group.Add(1)
		go func() {
			defer group.Done()
			runtime.LockOSThread() // and so new threads
			if spoilt() {
				t.Error("another thread is spoilt")
			}
		}()
	}
	group.Wait()
}

// enabled passes every level on.
type enabled struct{ slog.Handler }

func (enabled) Enabled(context.Context, slog.Level) bool { return true }
