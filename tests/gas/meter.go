// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
)

// blockGas is far more than a real block's, so that a transaction fits whatever it costs. Osaka
// limits it to params.MaxTxGas; Amsterdam does not limit the part of it that pays for new state.
const blockGas = 1 << 30

// table is a gas table: a fork's rules.
type table struct {
	name   string
	next   bool
	maxGas uint64 // limit of a transaction
}

var tables = []table{
	{name: "osaka", maxGas: params.MaxTxGas},
	{name: "amsterdam", next: true, maxGas: blockGas},
}

func (t table) config(chainID uint64) *params.ChainConfig {
	config := *params.MergedTestChainConfig
	config.ChainID = new(big.Int).SetUint64(chainID)
	if t.next {
		config.AmsterdamTime, config.BogotaTime = new(uint64), new(uint64)
	}
	return &config
}

// meter executes transactions by the rules of one table, on a state of its own in memory.
type meter struct {
	table  table
	config *params.ChainConfig
	state  *state.StateDB
	number uint64 // of the newest block; 0: none yet
	time   uint64
	hashes map[uint64]common.Hash // those that were given
}

// result is what a transaction did.
type result struct {
	gas      uint64   // as charged: with refunds, and not below the floor of its calldata
	reverted error    // nil: it succeeded
	data     []byte   // returned, or with the revert
	credited *big.Int // what Credited events say of the account that must be repaid
	cost     *big.Int // gas times price
}

func newMeter(t table) (*meter, error) {
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		return nil, err
	}
	m := &meter{table: t, config: t.config(1), state: db, hashes: map[uint64]common.Hash{}}
	m.state.SetNonce(params.HistoryStorageAddress, 1, tracing.NonceChangeGenesis)
	m.state.SetCode(params.HistoryStorageAddress, params.HistoryStorageCode, tracing.CodeChangeGenesis)
	return m, nil
}

// replay returns what the transactions among the entries did, in their order.
func replay(t table, entries []entry) (results []result, err error) {
	m, err := newMeter(t)
	if err != nil {
		return nil, err
	}
	m.fund(entries)
	for i := range entries {
		e := &entries[i]
		if err := m.prepare(e); err != nil {
			return nil, err
		}
		if e.From == nil {
			continue
		}
		r, err := m.execute(e)
		if err != nil {
			return nil, fmt.Errorf("transaction %d %s, %s: %w", len(results), e.Name, t.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// fund gives every sender 2^100 wei before the first transaction. A real sender has ether too: a
// payment to it does not create an account.
func (m *meter) fund(entries []entry) {
	for _, e := range entries {
		if e.From != nil {
			ether := new(uint256.Int).Lsh(uint256.NewInt(1), 100)
			m.state.SetBalance(*e.From, ether, tracing.BalanceChangeUnspecified)
		}
	}
	m.state.Finalise(true)
}

// prepare does what an entry says beside its transaction.
func (m *meter) prepare(e *entry) error {
	if e.ChainID != 0 {
		if m.number != 0 {
			return errors.New("the chain id changes after the first transaction")
		}
		m.config = m.table.config(e.ChainID)
	}
	for address, account := range e.Alloc {
		balance, overflow := uint256.FromBig(account.Balance)
		if overflow {
			return fmt.Errorf("the balance of %s has more than 256 bits", address)
		}
		m.state.SetBalance(address, balance, tracing.BalanceIncreaseGenesisBalance)
		m.state.SetNonce(address, account.Nonce, tracing.NonceChangeGenesis)
		m.state.SetCode(address, account.Code, tracing.CodeChangeGenesis)
		for key, value := range account.Storage {
			m.state.SetState(address, key, value)
		}
	}
	for number, hash := range e.BlockHashes {
		m.hashes[number] = hash
		if number < m.number && m.number-number <= params.HistoryServeWindow {
			m.keepHash(number)
		}
	}
	m.state.Finalise(true)
	return nil
}

// hash returns a block's hash: the one that was given, else the one that Foundry's EVM makes up.
func (m *meter) hash(number uint64) common.Hash {
	if hash, ok := m.hashes[number]; ok {
		return hash
	}
	return crypto.Keccak256Hash([]byte(strconv.FormatUint(number, 10)))
}

// keepHash writes a block's hash where EIP-2935's contract looks for it.
func (m *meter) keepHash(number uint64) {
	slot := common.BigToHash(new(big.Int).SetUint64(number % params.HistoryServeWindow))
	m.state.SetState(params.HistoryStorageAddress, slot, m.hash(number))
}

// advance goes on to a block.
func (m *meter) advance(number, time uint64) error {
	if number < m.number || time < m.time {
		return fmt.Errorf("block %d of time %d after block %d of time %d", number, time, m.number, m.time)
	}
	first := m.number
	if number > params.HistoryServeWindow {
		first = max(first, number-params.HistoryServeWindow)
	}
	for n := first; n < number; n++ {
		m.keepHash(n)
	}
	m.number, m.time = number, time
	m.state.Finalise(true)
	return nil
}

func (m *meter) execute(e *entry) (result, error) {
	if err := m.advance(e.Number, e.Time); err != nil {
		return result{}, err
	}
	message, err := m.message(e)
	if err != nil {
		return result{}, err
	}
	context := vm.BlockContext{
		CanTransfer:      core.CanTransfer,
		Transfer:         core.Transfer,
		GetHash:          m.hash, // the EVM asks for the last 256 alone
		BlockNumber:      new(big.Int).SetUint64(e.Number),
		Time:             e.Time,
		Difficulty:       new(big.Int),
		BaseFee:          bigOf(e.BaseFee),
		BlobBaseFee:      big.NewInt(1),
		GasLimit:         blockGas,
		Random:           new(common.Hash), // not nil: after the merge
		CostPerStateByte: params.CostPerStateByte,
	}
	evm := vm.NewEVM(context, m.state, m.config, vm.Config{})
	if e.Nonce != nil {
		m.state.SetNonce(*e.From, *e.Nonce, tracing.NonceChangeUnspecified)
	}
	created := crypto.CreateAddress(*e.From, m.state.GetNonce(*e.From))
	if e.At != nil && created != *e.At {
		return result{}, fmt.Errorf("the contract gets the address %s, not %s", created, *e.At)
	}
	logs := len(m.state.Logs())
	out, err := core.ApplyMessage(evm, message, core.NewGasPool(blockGas))
	if err != nil {
		return result{}, err
	}
	m.state.Finalise(true)
	r := result{gas: out.UsedGas, reverted: out.Err, data: out.ReturnData}
	r.cost = new(big.Int).Mul(new(big.Int).SetUint64(out.UsedGas), message.GasPrice.ToBig())
	if e.Repaid != nil {
		r.credited = m.creditedSince(logs, *e.Repaid)
	}
	return r, nil
}

// creditedTopic is that of the event Credited(account, claim, amount), of the oracle and the game.
var creditedTopic = crypto.Keccak256Hash([]byte("Credited(address,bytes32,uint256)"))

// creditedSince sums what an account was credited in the logs after the first so many.
func (m *meter) creditedSince(logs int, account common.Address) *big.Int {
	sum := new(big.Int)
	for _, l := range m.state.Logs()[logs:] {
		if len(l.Topics) == 3 && l.Topics[0] == creditedTopic &&
			l.Topics[1] == common.BytesToHash(account.Bytes()) {
			sum.Add(sum, new(big.Int).SetBytes(l.Data))
		}
	}
	return sum
}

func (m *meter) message(e *entry) (*core.Message, error) {
	baseFee, price := bigOf(e.BaseFee), bigOf(e.GasPrice)
	if e.GasPrice == nil {
		price = baseFee
	}
	message := &core.Message{
		From:            *e.From,
		To:              e.To,
		GasLimit:        e.Gas,
		Data:            e.Data,
		SkipNonceChecks: true,
	}
	if e.Gas == 0 {
		message.GasLimit = m.table.maxGas
	}
	tip := new(big.Int).Sub(price, baseFee)
	if tip.Sign() < 0 {
		return nil, fmt.Errorf("the gas price %d is below the base fee %d", price, baseFee)
	}
	for _, field := range []struct {
		to   **uint256.Int
		from *big.Int
	}{
		{&message.Value, bigOf(e.Value)},
		{&message.GasPrice, price},
		{&message.GasFeeCap, price},
		{&message.GasTipCap, tip},
	} {
		value, overflow := uint256.FromBig(field.from)
		if overflow {
			return nil, fmt.Errorf("%d has more than 256 bits", field.from)
		}
		*field.to = value
	}
	return message, nil
}

func bigOf(number *math.HexOrDecimal256) *big.Int {
	if number == nil {
		return new(big.Int)
	}
	return (*big.Int)(number)
}
