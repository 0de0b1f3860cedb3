// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rpc"
)

const (
	stopPatience = 30 * time.Second // for a plugin that is asked to stop
	pollInterval = time.Second      // besides the chain's own events
)

// Service runs one plugin in a geth node; it is a node.Lifecycle. Lifecycles start in the order of registration and stop in
// the reverse: registered after the eth service, it has the chain while it runs.
type Service struct {
	backend *eth.Ethereum
	path    string
	config  string
	rpc     *rpc.Server
	host    *host
	quit    chan struct{}
	done    chan struct{}

	patience time.Duration // of Stop
}

// NewService checks the configuration; the plugin is loaded by Start. configFile may be "".
func NewService(backend *eth.Ethereum, filterSystem *filters.FilterSystem, path, configFile string) (*Service, error) {
	config, err := readConfig(configFile)
	if err != nil {
		return nil, err
	}
	path, err = filepath.Abs(path) // dlopen searches the system's folders for a name without a slash
	if err != nil {
		return nil, err
	}
	// A server of its own: the node's is closed before lifecycles stop, and this one has the eth namespace only.
	server := rpc.NewServer()
	for _, api := range append(backend.APIs(), rpc.API{Namespace: "eth", Service: filters.NewFilterAPI(filterSystem)}) {
		if api.Namespace != "eth" {
			continue
		}
		if err := server.RegisterName(api.Namespace, api.Service); err != nil {
			return nil, err
		}
	}
	return &Service{backend: backend, path: path, config: config, rpc: server, quit: make(chan struct{}), done: make(chan struct{}),
		patience: stopPatience}, nil
}

// Start loads the plugin and begins to feed it: on a node in sync, the first block is fixed before Start returns, so
// that the plugin sees every later one.
func (s *Service) Start() error {
	loaded := make(chan error)
	go s.run(loaded)
	return <-loaded
}

// Stop ends the feed, then the plugin. A plugin that hangs does not keep geth from closing its database.
func (s *Service) Stop() error {
	close(s.quit)
	select {
	case <-s.done:
		s.rpc.Stop()
		return nil
	case <-time.After(s.patience):
		s.host.gate.close()
		s.host.gate.cancel()
		log.Error("Plugin did not stop in time and is left behind", "path", s.path, "waited", s.patience)
		return errors.New("plugin did not stop in time")
	}
}

// run is the one thread that the plugin is called from, from its creation to its end.
func (s *Service) run(loaded chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and what the plugin left in it
	defer close(s.done)
	host, err := load(s.path, s.config, rpc.DialInProc(s.rpc))
	if err != nil {
		loaded <- fmt.Errorf("plugin %s: %w", s.path, err)
		return
	}
	s.host = host
	name := host.name()
	log.Info("Plugin loaded", "path", s.path, "name", name, "version", host.version())
	f := &feed{chain: gethChain{s.backend.BlockChain()}, sink: host, stopped: s.stopping}
	if s.backend.Synced() {
		f.begin()
	}
	loaded <- nil
	s.follow(f)
	host.close()
	log.Info("Plugin stopped", "name", name)
}

// follow feeds the plugin until the service stops. The subscription only wakes it: geth's import waits for every
// subscriber, so a goroutine that does nothing else takes the events at once.
func (s *Service) follow(f *feed) {
	heads := make(chan core.ChainHeadEvent, 16)
	subscription := s.backend.BlockChain().SubscribeChainHeadEvent(heads)
	defer subscription.Unsubscribe()
	wake := make(chan struct{}, 1)
	go func() {
		for {
			select {
			case <-heads:
				select {
				case wake <- struct{}{}:
				default:
				}
			case <-subscription.Err():
				return
			}
		}
	}()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	reported := ""
	for {
		if s.backend.Synced() {
			if err := f.catchUp(); err != nil && err.Error() != reported {
				reported = err.Error()
				log.Warn("Plugin feed waits", "err", err)
			}
		}
		select {
		case <-s.quit:
			return
		case <-wake:
		case <-poll.C:
		}
	}
}

func (s *Service) stopping() bool {
	select {
	case <-s.quit:
		return true
	default:
		return false
	}
}

// gethChain is the chain of the geth in this process.
type gethChain struct{ chain *core.BlockChain }

func (c gethChain) head() *types.Header                { return c.chain.CurrentBlock() }
func (c gethChain) header(number uint64) *types.Header { return c.chain.GetHeaderByNumber(number) }

func (c gethChain) logs(header *types.Header) (logs []*types.Log, err error) {
	receipts := c.chain.GetReceiptsByHash(header.Hash())
	if receipts == nil {
		return nil, errors.New("this node does not hold the block's receipts")
	}
	for _, receipt := range receipts {
		logs = append(logs, receipt.Logs...)
	}
	return logs, nil
}
