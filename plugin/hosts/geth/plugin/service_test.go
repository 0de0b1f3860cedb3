// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
)

// A minimal geth in this process: its database in memory, no ports, blocks on demand.
type testNode struct {
	t       *testing.T
	stack   *node.Node
	backend *eth.Ethereum
	filters *filters.FilterSystem
	beacon  *catalyst.SimulatedBeacon
	client  *ethclient.Client
	sends   uint64
}

var sender, _ = crypto.ToECDSA(crypto.Keccak256([]byte("sender")))

func newTestNode(t *testing.T) *testNode {
	rules := *params.AllDevChainProtocolChanges
	rules.BogotaTime = nil
	stack, err := node.New(&node.Config{P2P: p2p.Config{NoDiscovery: true}})
	check(t, err)
	t.Cleanup(func() { stack.Close() })
	config := ethconfig.Defaults
	config.Genesis = &core.Genesis{Config: &rules, GasLimit: 30_000_000, Alloc: types.GenesisAlloc{
		crypto.PubkeyToAddress(sender.PublicKey): {Balance: big.NewInt(params.Ether)},
	}}
	config.SyncMode, config.LogNoHistory = ethconfig.FullSync, true
	backend, err := eth.New(stack, &config)
	check(t, err)
	n := &testNode{t: t, stack: stack, backend: backend, filters: filters.NewFilterSystem(backend.APIBackend, filters.Config{})}
	check(t, stack.Start())
	n.client = ethclient.NewClient(stack.Attach())
	n.beacon, err = catalyst.NewSimulatedBeacon(0, common.Address{}, backend)
	check(t, err)
	return n
}

func (n *testNode) start(so, config string) *Service {
	n.t.Helper()
	s, err := NewService(n.backend, n.filters, so, writeFile(n.t, config), func(err error) { n.t.Errorf("failed: %v", err) })
	check(n.t, err)
	check(n.t, s.Start())
	return s
}

// startFailing starts a service whose plugin does not start, and returns the reason that it tells.
func (n *testNode) startFailing(so, config string) (*Service, error) {
	n.t.Helper()
	failed := make(chan error, 1)
	s, err := NewService(n.backend, n.filters, so, writeFile(n.t, config), func(err error) { failed <- err })
	check(n.t, err)
	check(n.t, s.Start())
	select {
	case err = <-failed:
	case <-time.After(60 * time.Second):
		n.t.Fatal("nobody is told that the plugin did not start")
	}
	return s, err
}

// send makes a transaction that emits one log; the first one creates the contract.
func (n *testNode) send() {
	n.t.Helper()
	to := crypto.CreateAddress(crypto.PubkeyToAddress(sender.PublicKey), 0)
	tx := &types.DynamicFeeTx{ChainID: big.NewInt(1337), Nonce: n.sends, Gas: 200_000, GasTipCap: big.NewInt(1e6), GasFeeCap: big.NewInt(2e9), To: &to}
	if n.sends == 0 { // its runtime is LOG1(0, 0, 42)
		tx.To, tx.Data = nil, common.FromHex("67602a60006000a10060005260086018f3")
	}
	check(n.t, n.client.SendTransaction(context.Background(), types.MustSignNewTx(sender, types.LatestSignerForChainID(tx.ChainID), tx)))
	n.sends++
}

func (n *testNode) commit(blocks int) (last common.Hash) {
	for range blocks {
		last = n.beacon.Commit()
	}
	return last
}

// seen is the journal's blocks and reverts as "+1" and "-1".
func seen(j journal) (events []string) {
	for _, line := range j.lines() {
		var number uint64
		if _, err := fmt.Sscanf(line, "block %d", &number); err == nil {
			events = append(events, fmt.Sprint("+", number))
		} else if _, err := fmt.Sscanf(line, "revert %d", &number); err == nil {
			events = append(events, fmt.Sprint("-", number))
		}
	}
	return events
}

func expectEvents(t *testing.T, j journal, want ...string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if got := seen(j); slices.Equal(got, want) {
			return
		} else if len(got) > len(want) || time.Now().After(end) {
			t.Fatalf("events %v, want %v", got, want)
		}
	}
}

func TestReorg(t *testing.T) {
	n := newTestNode(t)
	j, config := echoConfig(t, nil)
	s := n.start(buildPlugin(t), config)
	n.send()
	base := n.commit(1)
	n.send()
	n.commit(1)
	n.send()
	n.commit(1)
	expectEvents(t, j, "+0", "+1", "+2", "+3")
	check(t, n.beacon.Fork(base)) // the transactions of 2 and 3 go back to the pool
	expectEvents(t, j, "+0", "+1", "+2", "+3", "-3", "-2")
	n.commit(2)
	expectEvents(t, j, "+0", "+1", "+2", "+3", "-3", "-2", "+2", "+3")
	check(t, s.Stop())
	if logs := j.wait(t, "log 0 ", 3); len(logs) < 3 {
		t.Fatalf("%d logs", len(logs))
	}
	if end := j.lines(); !slices.Equal(end[len(end)-2:], []string{"stop", "destroy"}) {
		t.Fatalf("ended with %v", end)
	}
}

// Blocks are imported while the plugin hangs in on_block, and given to it afterwards: every one, once.
func TestSlowPluginDoesNotBlockImport(t *testing.T) {
	n := newTestNode(t)
	hold := filepath.Join(t.TempDir(), "hold")
	check(t, os.WriteFile(hold, nil, 0o600))
	j, config := echoConfig(t, map[string]any{"hold": hold})
	s := n.start(buildPlugin(t), config)
	j.wait(t, "holding", 1) // in block 0, the head when the feed began
	const blocks = 100 // more than any channel on the way holds
	imported := make(chan struct{})
	go func() { n.commit(blocks); close(imported) }()
	select {
	case <-imported:
	case <-time.After(30 * time.Second):
		t.Fatal("the plugin holds up the import")
	}
	if got := seen(j); len(got) != 0 {
		t.Fatalf("the plugin does not hang: %v", got)
	}
	check(t, os.Remove(hold))
	var want []string
	for i := range blocks + 1 {
		want = append(want, fmt.Sprint("+", i))
	}
	expectEvents(t, j, want...)
	check(t, s.Stop())
}

func TestRestartReplays(t *testing.T) {
	n := newTestNode(t)
	n.commit(20)
	so := buildPlugin(t)
	j, config := echoConfig(t, map[string]any{"finished": 17})
	s := n.start(so, config)
	expectEvents(t, j, "+18", "+19", "+20")
	check(t, s.Stop())
	n.commit(2)
	j, config = echoConfig(t, map[string]any{"finished": 20})
	s = n.start(so, config)
	expectEvents(t, j, "+21", "+22")
	check(t, s.Stop())
	j, config = echoConfig(t, nil) // one that has never run
	s = n.start(so, config)
	expectEvents(t, j, "+22")
	check(t, s.Stop())
}

// The methods of the header are served by geth itself; what stands in its eth namespace beside them is not.
func TestRPCInProcess(t *testing.T) {
	n := newTestNode(t)
	n.send()
	n.commit(1)
	hash := common.Hash{1}.Hex()
	address := common.Address{1}.Hex()
	calls := map[string]string{
		"eth_chainId": "[]", "eth_blockNumber": "[]", "eth_gasPrice": "[]", "eth_maxPriorityFeePerGas": "[]",
		"eth_getBlockByNumber": `["latest",false]`, "eth_getBlockByHash": `["` + hash + `",false]`,
		"eth_getLogs": `[{"fromBlock":"0x1","toBlock":"0x1"}]`, "eth_call": `[{"to":"` + address + `"},"latest"]`,
		"eth_getBalance": `["` + address + `","latest"]`, "eth_getTransactionCount": `["` + address + `","latest"]`,
		"eth_estimateGas": `[{"to":"` + address + `"}]`, "eth_feeHistory": `["0x1","latest",[]]`,
		"eth_getTransactionReceipt": `["` + hash + `"]`, "eth_getTransactionByHash": `["` + hash + `"]`,
		"eth_sendRawTransaction": `["0x00"]`,
	}
	if len(calls) != len(allowed) {
		t.Fatalf("%d methods are tried, %d allowed", len(calls), len(allowed))
	}
	var list []string
	for method, params := range calls {
		list = append(list, method+" "+params)
	}
	j, config := echoConfig(t, map[string]any{"calls": append(list, "eth_accounts []", "eth_sign []")})
	s := n.start(buildPlugin(t), config)
	for _, line := range j.wait(t, "reply ", len(list)) {
		fields := strings.SplitN(line, " ", 4)
		if fields[2] == "-32601" {
			t.Errorf("geth does not know %s", fields[1])
		}
		if fields[2] != "0" && !slices.Contains([]string{"eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getTransactionByHash"}, fields[1]) {
			t.Errorf("%s", line)
		}
	}
	j.wait(t, "refused eth_accounts -3", 1)
	j.wait(t, "refused eth_sign -3", 1)
	check(t, s.Stop())
}

// geth closes its database although the plugin hangs; what the plugin asks from then on is refused.
func TestPluginThatHangsIsLeftBehind(t *testing.T) {
	n := newTestNode(t)
	hold := filepath.Join(t.TempDir(), "hold")
	check(t, os.WriteFile(hold, nil, 0o600))
	j, config := echoConfig(t, map[string]any{"hold": hold})
	s := n.start(buildPlugin(t), config)
	n.commit(1)
	j.wait(t, "holding", 1)
	s.patience = 100 * time.Millisecond
	if err := s.Stop(); err == nil {
		t.Fatal("the plugin did not hang")
	}
	if refused, _ := ask(s.host.gate, "eth_chainId", "[]"); refused != rpcRefusedClosed {
		t.Errorf("rpc after the stop: %d", refused)
	}
	if slices.Contains(j.lines(), "destroy") {
		t.Error("the plugin was destroyed while it worked")
	}
	check(t, os.Remove(hold))
	j.wait(t, "destroy", 1)
}

func TestServiceErrors(t *testing.T) {
	n := newTestNode(t)
	if _, err := NewService(n.backend, n.filters, "x.so", writeFile(t, "[]"), nil); err == nil {
		t.Error("a configuration that is no object was accepted")
	}
	s, err := n.startFailing("x.so", "{}")
	if !strings.Contains(err.Error(), "/x.so") {
		t.Errorf("a missing plugin: %v", err)
	}
	check(t, s.Stop())
	s, err = n.startFailing(buildPlugin(t), `{"refuse": true}`)
	if !strings.Contains(err.Error(), "refused to start") {
		t.Errorf("a plugin that refuses: %v", err)
	}
	check(t, s.Stop())
}

// A service starts at once however long its plugin loads, and the blocks of that time are not lost.
func TestLoadsInTheBackground(t *testing.T) {
	n := newTestNode(t)
	load := filepath.Join(t.TempDir(), "load")
	check(t, os.WriteFile(load, nil, 0o600))
	j, config := echoConfig(t, map[string]any{"load": load})
	n.commit(2)
	s := n.start(buildPlugin(t), config)
	j.wait(t, "loading", 1)
	n.commit(3)
	check(t, os.Remove(load))
	expectEvents(t, j, "+2", "+3", "+4", "+5")
	check(t, s.Stop())
	if end := j.lines(); !slices.Equal(end[len(end)-2:], []string{"stop", "destroy"}) {
		t.Fatalf("ended with %v", end)
	}
}

// geth stops while the plugin loads: it does not wait, and nobody is told that the plugin failed.
func TestStopsWhileLoading(t *testing.T) {
	n := newTestNode(t)
	load := filepath.Join(t.TempDir(), "load")
	check(t, os.WriteFile(load, nil, 0o600))
	j, config := echoConfig(t, map[string]any{"load": load, "refuse": true})
	s := n.start(buildPlugin(t), config)
	j.wait(t, "loading", 1)
	stopped := make(chan error)
	go func() { stopped <- s.Stop() }()
	select {
	case err := <-stopped:
		check(t, err)
	case <-time.After(stopPatience - 5*time.Second):
		t.Fatal("the plugin holds up the stop")
	}
	if refused, _ := ask(s.host.gate, "eth_chainId", "[]"); refused != rpcRefusedClosed {
		t.Errorf("rpc after the stop: %d", refused)
	}
	check(t, os.Remove(load))
	<-s.done
}
