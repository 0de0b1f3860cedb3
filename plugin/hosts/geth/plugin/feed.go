// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
)

const (
	maxReplay = 10_000 // blocks given again after a restart; the plugin itself fetches what is older
	maxMemory = 1_024  // blocks that can be named in a revert; finality comes after 64
)

// chain is the canonical chain as it is at this moment.
type chain interface {
	head() *types.Header
	header(number uint64) *types.Header // nil when there is none
	logs(header *types.Header) ([]*types.Log, error)
}

// sink is the plugin's side.
type sink interface {
	block(header *types.Header, logs []*types.Log)
	revert(number uint64, hash common.Hash)
	finished() uint64
}

type link struct {
	number uint64
	hash   common.Hash
}

// feed gives the plugin every canonical block once, in order, and takes back what a re-org drops. It is pulled: what happened
// on the chain in between is read from the chain's own index, so that nothing queues up behind a slow plugin.
type feed struct {
	chain   chain
	sink    sink
	begun   bool
	next    uint64 // the number to give when given is empty
	given   []link // the plugin's view, oldest first; the last maxMemory of it
	stopped func() bool
}

// firstBlock is where a plugin begins that needs nothing up to finished any more (0: it has not begun).
func firstBlock(head, finished uint64) uint64 {
	switch {
	case finished == 0 || finished >= head:
		return head
	case head-finished > maxReplay:
		return head - maxReplay + 1
	default:
		return finished + 1
	}
}

// begin fixes the first block to give by the head at one moment: every block that becomes canonical after it is given too.
func (f *feed) begin(head uint64) {
	finished := f.sink.finished()
	f.next, f.begun = firstBlock(head, finished), true
	log.Info("Plugin feed begins", "block", f.next, "head", head, "finished", finished)
}

// catchUp gives the plugin what it lacks up to the head.
func (f *feed) catchUp() error {
	if !f.begun {
		f.begin(f.chain.head().Number.Uint64())
	}
	for !f.stopped() {
		head := f.chain.head().Number.Uint64()
		f.revertStale(head)
		number := f.nextNumber(head)
		if number > head {
			return nil
		}
		header := f.chain.header(number)
		if header == nil || !f.follows(header) {
			return nil // a re-org is being written this moment: the next head wakes us
		}
		logs, err := f.logsOf(header)
		if err != nil {
			if len(f.given) == 0 && number < head {
				f.next = number + 1 // history that this node does not hold: begin after it
				continue
			}
			return err
		}
		f.sink.block(header, logs)
		f.given = append(f.given, link{number, header.Hash()})
		if len(f.given) > 2*maxMemory {
			f.given = append([]link(nil), f.given[len(f.given)-maxMemory:]...)
		}
	}
	return nil
}

// revertStale takes back, newest first, the blocks that are not canonical any more.
func (f *feed) revertStale(head uint64) {
	for len(f.given) > 0 {
		tip := f.given[len(f.given)-1]
		if tip.number <= head {
			if h := f.chain.header(tip.number); h != nil && h.Hash() == tip.hash {
				return
			}
		}
		f.sink.revert(tip.number, tip.hash)
		f.given, f.next = f.given[:len(f.given)-1], tip.number
	}
}

func (f *feed) nextNumber(head uint64) uint64 {
	if len(f.given) > 0 {
		return f.given[len(f.given)-1].number + 1
	}
	return min(f.next, head) // the chain may have been set back further than we remember
}

func (f *feed) follows(header *types.Header) bool {
	return len(f.given) == 0 || f.given[len(f.given)-1].hash == header.ParentHash
}

func (f *feed) logsOf(header *types.Header) ([]*types.Log, error) {
	if header.Bloom == (types.Bloom{}) {
		return nil, nil
	}
	logs, err := f.chain.logs(header)
	if err != nil {
		return nil, fmt.Errorf("logs of block %d: %w", header.Number, err)
	}
	return logs, nil
}
