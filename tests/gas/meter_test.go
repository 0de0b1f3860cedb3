// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

const (
	from    = `"from": "0x1100000000000000000000000000000000000000"`
	account = "0x00000000000000000000000000000000000000aa" // has ether
	store   = "0x00000000000000000000000000000000000000bb" // writes its calldata to slot 0
	reverts = "0x00000000000000000000000000000000000000cc"
	hashes  = "0x00000000000000000000000000000000000000dd" // BLOCKHASH(word 0) must be word 1
	empty   = "0x00000000000000000000000000000000000000ee"
	history = "0x0000F90827F1C53a10cb7A02335B175320002935"
	alloc   = `{"chainId": 31337, "alloc": {"` + account + `": {"balance": "1"},
		"` + store + `": {"balance": "0", "code": "0x5f355f5500"},
		"` + reverts + `": {"balance": "0", "code": "0x60aa5f5360015ffd"},
		"` + hashes + `": {"balance": "0", "code": "0x5f354060203514600e5760015ffd5b00"}}}`
)

func word(n byte) string { return common.BytesToHash([]byte{n}).Hex() }

// runMeter runs the meter over one file of the lines and returns what it prints and its status.
func runMeter(t *testing.T, lines ...string) (out, errors string, status int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.jsonl")
	text := strings.ReplaceAll(alloc, "\n", " ") + "\n" + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status = run([]string{file}, &stdout, &stderr)
	return stdout.String(), stderr.String(), status
}

func expect(t *testing.T, want string, wantStatus int, lines ...string) {
	t.Helper()
	out, errors, status := runMeter(t, lines...)
	if out != want || status != wantStatus {
		t.Errorf("status %d, want %d; got\n%swant\n%serrors: %s", status, wantStatus, out, want, errors)
	}
}

// Amsterdam: a base cost of 12,000, 3,000 for the recipient, 6,000 for a payment (EIP-2780).
func TestBaseCost(t *testing.T) {
	expect(t, "pay osaka 21000 amsterdam 21000\ncall osaka 21000 amsterdam 15000\n", 0,
		`{"name": "pay", `+from+`, "to": "`+account+`", "value": "1"}`,
		`{"name": "call", `+from+`, "to": "`+account+`", "basefee": "7", "gasPrice": "0x9"}`)
}

// A new account is 120 bytes of state at 1,530 gas (EIP-8037).
func TestNewAccount(t *testing.T) {
	expect(t, "new osaka 21000 amsterdam 204600\nold osaka 21000 amsterdam 21000\n", 0,
		`{"name": "new", `+from+`, "to": "`+empty+`", "value": "1"}`,
		`{"name": "old", `+from+`, "to": "`+empty+`", "value": "1"}`)
}

// The floor: 10 and 40 gas per zero and other byte (EIP-7623); 64 for each (EIP-7976).
func TestCalldataFloor(t *testing.T) {
	zeros, ones := strings.Repeat("00", 1000), strings.Repeat("01", 1000)
	expect(t, "zeros osaka 31000 amsterdam 79000\nones osaka 61000 amsterdam 79000\n", 0,
		`{"name": "zeros", `+from+`, "to": "`+account+`", "data": "0x`+zeros+`"}`,
		`{"name": "ones", `+from+`, "to": "`+account+`", "data": "0x`+ones+`"}`)
}

// A slot is new, changed, and cleared with a refund, in three transactions: the state lasts.
func TestStorage(t *testing.T) {
	call := func(name string, n byte) string {
		to := `, "to": "` + store + `"`
		return `{"name": "` + name + `", ` + from + to + `, "data": "` + word(n) + `"}`
	}
	want := "new osaka 43247 amsterdam 126067\n" +
		"change osaka 26147 amsterdam 28147\n" +
		"clear osaka 21335 amsterdam 22508\n"
	expect(t, want, 0, call("new", 1), call("change", 2), call("clear", 0))
}

// 256 bytes of code: 200 gas per byte, or 1,530 and 6 per word for its hash; and 53,000 for the
// creation, or 23,000 and the new account.
func TestCreation(t *testing.T) {
	sender := common.HexToAddress("0x1100000000000000000000000000000000000000")
	at := crypto.CreateAddress(sender, 7).Hex()
	want := "create osaka 104299 amsterdam 598427\nexists osaka 21000 amsterdam 15000\n"
	expect(t, want, 0,
		`{"name": "create", `+from+`, "nonce": 7, "at": "`+at+`", "data": "0x6101005ff3"}`,
		`{"name": "exists", `+from+`, "to": "`+at+`"}`)
	_, errors, status := runMeter(t, `{`+from+`, "nonce": 8, "at": "`+at+`"}`)
	if status != 1 || !strings.Contains(errors, "not "+at) {
		t.Errorf("status %d: %s", status, errors)
	}
}

// Osaka alone limits the gas of a transaction to 2^24.
func TestLimit(t *testing.T) {
	_, errors, status := runMeter(t, `{`+from+`, "to": "`+account+`", "gas": 16777217}`)
	if status != 1 || !strings.Contains(errors, "osaka: transaction gas limit too high") {
		t.Errorf("status %d: %s", status, errors)
	}
}

func TestReverts(t *testing.T) {
	call := from + `, "to": "` + reverts + `"`
	const line = "no osaka 21016 reverted amsterdam 15016 reverted\n"
	expect(t, line, 1, `{"name": "no", `+call+`}`)
	expect(t, line, 0, `{"name": "no", `+call+`, "mayRevert": true}`)
	_, errors, _ := runMeter(t, `{"name": "no", `+call+`}`)
	want := "gas-meter: transaction 0 no, osaka: execution reverted, 0xaa\n"
	if !strings.HasPrefix(errors, want) {
		t.Errorf("%q, want %q", errors, want)
	}
}

// BLOCKHASH and EIP-2935's contract answer with the hashes that were given, before the block or
// after it, and with Foundry's for the rest.
func TestBlockHashes(t *testing.T) {
	given := strings.Repeat("12", 32)
	default9 := crypto.Keccak256Hash([]byte("199")).Hex()[2:]
	ask := func(number, hash string) string {
		data := strings.Repeat("00", 31) + number + hash
		return `{` + from + `, "to": "` + hashes + `", "data": "0x` + data + `", "number": 200}`
	}
	old := func(number byte) string {
		return `{` + from + `, "to": "` + history + `", "data": "` + word(number) + `", "number": 8390}`
	}
	_, errors, status := runMeter(t,
		`{"blockHashes": {"198": "0x`+given+`"}}`,
		ask("c6", given), ask("c7", default9), ask("c8", strings.Repeat("00", 32)),
		`{"blockHashes": {"199": "0x`+given+`"}}`, ask("c7", given),
		old(199))
	if status != 0 {
		t.Error(errors)
	}
	if _, _, status := runMeter(t, old(198)); status != 1 {
		t.Error("the contract has a hash that is too old")
	}
	if _, _, status := runMeter(t, ask("c7", given)); status != 1 {
		t.Error("a wrong hash is right")
	}
}

func TestFaults(t *testing.T) {
	call := func(more string) string {
		return `{` + from + `, "to": "` + account + `", ` + more + "}\n"
	}
	for _, c := range []struct {
		line, want string
		status     int
	}{
		{`{"nam": "x"}`, "unknown field", 2},
		{`{"name": "x"}`, "no sender", 2},
		{`{"name": "x y", ` + from + `}`, "space", 2},
		{`{} {}`, "more than one", 2},
		{call(`"at": "` + account + `"`), "both to and at", 2},
		{call(`"basefee": "7", "gasPrice": "6"`), "below the base fee", 1},
		{call(`"number": 9`) + call(`"number": 8`), "block 8 of time 0 after block 9", 1},
		{call(`"number": 9`) + `{"chainId": 5}`, "chain id changes", 1},
	} {
		_, errors, status := runMeter(t, c.line)
		if status != c.status || !strings.Contains(errors, c.want) {
			t.Errorf("%s: status %d, %s", c.line, status, errors)
		}
	}
	var out, errors bytes.Buffer
	if run(nil, &out, &errors) != 2 || run([]string{"/nonexistent"}, &out, &errors) != 2 {
		t.Error("no file was accepted")
	}
}

// A contract that credits its caller what the calldata says: less, enough, and too much of 21,000
// gas and more at a price of 10 wei.
func TestRepaid(t *testing.T) {
	topic := strings.TrimPrefix(creditedTopic.Hex(), "0x")
	// log3(0, 32, topic, caller, 0) of calldata word 0
	code := "0x5f355f525f337f" + topic + "60205fa300"
	pay := "0x00000000000000000000000000000000000000ff"
	setup := `{"alloc": {"` + pay + `": {"balance": "0", "code": "` + code + `"}}}`
	sender := "0x1100000000000000000000000000000000000000"
	call := func(wei string) string {
		return `{"name": "pay", ` + from + `, "to": "` + pay + `", "gasPrice": "10", "data": "` + wei +
			`", "repaid": "` + sender + `"}`
	}
	for _, c := range []struct {
		wei              string
		osaka, amsterdam bool // whether that is the cost, or up to a tenth more, in the table
	}{
		{"01d4c0", false, false}, // 120,000: too little in both
		{"02bf20", false, true},  // 180,000
		{"03a000", true, false},  // 237,568
		{"061a80", false, false}, // 400,000: too much in both
	} {
		_, errors, status := runMeter(t, setup, call("0x"+strings.Repeat("00", 29)+c.wei))
		osaka, amsterdam := !strings.Contains(errors, "osaka"), !strings.Contains(errors, "amsterdam")
		if status != 1 || osaka != c.osaka || amsterdam != c.amsterdam {
			t.Errorf("%s: status %d: %s", c.wei, status, errors)
		}
	}
}
