// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// fakeChain is a canonical chain that a test changes as it likes.
type fakeChain struct {
	blocks []*types.Header // by number; those from length on are left over, as in geth's index in the middle of a re-org
	length int
	pruned uint64 // logs below it are not held
	salt   int64
	during func() // called before every look at a header
}

func newFakeChain(blocks int) *fakeChain {
	c := &fakeChain{}
	c.grow(blocks)
	return c
}

func (c *fakeChain) grow(n int) {
	for range n {
		c.salt++
		h := &types.Header{Number: big.NewInt(int64(c.length)), Extra: big.NewInt(c.salt).Bytes(), Difficulty: new(big.Int)}
		h.Bloom[0] = 1
		if c.length > 0 {
			h.ParentHash = c.head().Hash()
		}
		c.blocks = append(c.blocks[:c.length], h)
		c.length++
	}
}

func (c *fakeChain) cut(n int)           { c.length -= n }
func (c *fakeChain) head() *types.Header { return c.blocks[c.length-1] }
func (c *fakeChain) header(number uint64) *types.Header {
	if c.during != nil {
		c.during()
	}
	if number >= uint64(len(c.blocks)) {
		return nil
	}
	return c.blocks[number]
}
func (c *fakeChain) logs(h *types.Header) ([]*types.Log, error) {
	if h.Number.Uint64() < c.pruned {
		return nil, errors.New("pruned")
	}
	return []*types.Log{{}}, nil
}

// fakeSink checks the ABI's rule of order: each block's parent is the previous one, after the reverts.
type fakeSink struct {
	t      *testing.T
	from   uint64
	given  []link
	events []string
}

func (s *fakeSink) block(h *types.Header, logs []*types.Log) {
	if n := len(s.given); n > 0 && s.given[n-1].hash != h.ParentHash {
		s.t.Fatalf("block %d is no child of the previous one", h.Number)
	}
	if len(logs) != 1 {
		s.t.Fatalf("block %d with %d logs", h.Number, len(logs))
	}
	s.given = append(s.given, link{h.Number.Uint64(), h.Hash()})
	s.events = append(s.events, fmt.Sprint("+", h.Number))
}

func (s *fakeSink) revert(number uint64, hash common.Hash) {
	if n := len(s.given); n == 0 || s.given[n-1] != (link{number, hash}) {
		s.t.Fatalf("revert of %d, which is not the newest", number)
	}
	s.given = s.given[:len(s.given)-1]
	s.events = append(s.events, fmt.Sprint("-", number))
}

func (s *fakeSink) finished() uint64 { return s.from }

func newTestFeed(t *testing.T, c *fakeChain, finished uint64) (*feed, *fakeSink) {
	s := &fakeSink{t: t, from: finished}
	return &feed{chain: c, sink: s, stopped: func() bool { return false }}, s
}

func (s *fakeSink) expect(f *feed, events ...string) {
	s.t.Helper()
	s.events = nil
	if err := f.catchUp(); err != nil {
		s.t.Fatal(err)
	}
	if !slices.Equal(s.events, events) {
		s.t.Fatalf("events %v, want %v", s.events, events)
	}
}

func TestFirstBlock(t *testing.T) {
	for _, c := range []struct{ head, finished, want uint64 }{
		{0, 0, 0}, {100, 0, 100}, {100, 40, 41}, {100, 99, 100}, {100, 100, 100}, {100, 200, 100},
		{maxReplay + 5, 5, 6}, {maxReplay + 6, 5, 7}, {3 * maxReplay, 1, 2*maxReplay + 1}, {100, ^uint64(0), 100},
	} {
		if got := firstBlock(c.head, c.finished); got != c.want {
			t.Errorf("head %d, finished %d: %d, want %d", c.head, c.finished, got, c.want)
		}
	}
}

func TestFeedFollows(t *testing.T) {
	c := newFakeChain(5)
	f, s := newTestFeed(t, c, 0)
	s.expect(f, "+4")
	s.expect(f)
	c.grow(3) // a slow plugin: three heads in one go
	s.expect(f, "+5", "+6", "+7")
	c.cut(2)
	s.expect(f, "-7", "-6") // set back to an ancestor
	c.cut(1)
	c.grow(2)
	s.expect(f, "-5", "+5", "+6")
	c.cut(1)
	c.grow(1) // a sibling of the same number
	s.expect(f, "-6", "+6")
	c.cut(4)
	c.grow(1) // deeper than what was given: the first block again
	s.expect(f, "-6", "-5", "-4", "+3")
}

// Blocks that are imported between the beginning and the first look at the chain are given.
func TestFeedBeginsOnce(t *testing.T) {
	c := newFakeChain(5)
	f, s := newTestFeed(t, c, 0)
	f.begin(f.chain.head().Number.Uint64())
	c.grow(3)
	s.expect(f, "+4", "+5", "+6", "+7")
}

func TestFeedReplays(t *testing.T) {
	f, s := newTestFeed(t, newFakeChain(8), 4)
	s.expect(f, "+5", "+6", "+7")
}

func TestFeedBeginsAfterPrunedHistory(t *testing.T) {
	c := newFakeChain(8)
	c.pruned = 6
	f, s := newTestFeed(t, c, 2)
	s.expect(f, "+6", "+7")
	c.grow(1)
	c.pruned = 9
	if err := f.catchUp(); err == nil {
		t.Fatal("a block whose logs are missing was passed over")
	}
	c.pruned = 0
	s.expect(f, "+8")
}

// While the chain changes under the feed at every step, the order holds and the end is the canonical chain.
func TestFeedUnderChange(t *testing.T) {
	seed := rand.Int63()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewSource(seed))
	c := newFakeChain(50)
	f, s := newTestFeed(t, c, 10)
	changes := 3000
	c.during = func() {
		if changes > 0 && random.Intn(3) == 0 {
			changes--
			c.cut(random.Intn(min(c.length, 7)))
			c.grow(random.Intn(7))
		}
	}
	for changes > 0 {
		if err := f.catchUp(); err != nil {
			t.Fatal(err)
		}
		c.grow(1)
	}
	if err := f.catchUp(); err != nil {
		t.Fatal(err)
	}
	for _, l := range s.given {
		if c.blocks[l.number].Hash() != l.hash {
			t.Fatalf("block %d is not canonical", l.number)
		}
	}
	if tip := s.given[len(s.given)-1]; tip.hash != c.head().Hash() {
		t.Fatal("the head was not given")
	}
}

// A re-org deeper than the memory: what can be named is reverted, and the feed goes on from there.
func TestFeedForgets(t *testing.T) {
	c := newFakeChain(1)
	f, s := newTestFeed(t, c, 0)
	c.grow(5 * maxMemory)
	s.from = 1
	if err := f.catchUp(); err != nil {
		t.Fatal(err)
	}
	if len(f.given) > 2*maxMemory {
		t.Fatalf("remembers %d blocks", len(f.given))
	}
	c.cut(4 * maxMemory)
	s.events = nil
	remembered := len(f.given)
	s.given = s.given[len(s.given)-remembered:]
	if err := f.catchUp(); err != nil {
		t.Fatal(err)
	}
	if len(s.events) != remembered+1 || s.events[remembered] != fmt.Sprint("+", c.head().Number) {
		t.Fatalf("%d events, the last %s", len(s.events), s.events[len(s.events)-1])
	}
}
