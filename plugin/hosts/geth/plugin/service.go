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
	loadPatience = 2 * time.Second  // for one that is still loading, which nobody can ask
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
	failed  func(error)
	quit    chan struct{}
	loaded  chan struct{} // closed when the plugin has loaded, or will not
	done    chan struct{}

	patience time.Duration // of Stop
}

// NewService checks the configuration; the plugin is loaded after Start. configFile may be "". failed is called, on a thread
// of its own, when the plugin does not start.
func NewService(backend *eth.Ethereum, filterSystem *filters.FilterSystem, path, configFile string, failed func(error)) (*Service, error) {
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
	return &Service{backend: backend, path: path, config: config, rpc: server, host: newHost(rpc.DialInProc(server)),
		failed: failed, quit: make(chan struct{}), loaded: make(chan struct{}), done: make(chan struct{}),
		patience: stopPatience}, nil
}

// Start has the plugin load in the background, which takes minutes for large models: geth catches signals only after its
// services have started. On a node in sync, the first block that the plugin is given is that of this moment.
func (s *Service) Start() error {
	log.Info("Plugin loads", "path", s.path)
	go s.run(s.backend.Synced(), s.backend.BlockChain().CurrentBlock().Number.Uint64())
	return nil
}

// Stop ends the feed, then the plugin. A plugin that hangs does not keep geth from closing its database; one that still loads
// hardly does: it has made no promise yet that it must write down.
func (s *Service) Stop() error {
	close(s.quit)
	select {
	case <-s.loaded:
	case <-time.After(loadPatience):
		s.host.gate.close()
		s.host.gate.cancel()
		log.Warn("Plugin is left behind while it loads", "path", s.path)
		return nil
	}
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
// In: whether the node was in sync when the service started, and its head then.
func (s *Service) run(synced bool, head uint64) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and what the plugin left in it
	defer close(s.done)
	err := s.host.load(s.path, s.config)
	close(s.loaded)
	if err != nil {
		err = fmt.Errorf("plugin %s: %w", s.path, err)
		log.Error("Plugin does not start", "err", err)
		if !s.stopping() {
			go s.failed(err)
		}
		return
	}
	name := s.host.name()
	log.Info("Plugin loaded", "path", s.path, "name", name, "version", s.host.version())
	f := &feed{chain: gethChain{s.backend.BlockChain()}, sink: s.host, stopped: s.stopping}
	if synced {
		f.begin(head)
	}
	s.follow(f)
	s.host.close()
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
