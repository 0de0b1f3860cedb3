// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/core/types"
)

const maxLine = 64 << 20 // bytes

// entry is one line of a file of transactions. All fields may be absent. A line with a sender is a
// transaction; what else the line says is done before it.
type entry struct {
	// Of the chain, default 1; only before the first transaction.
	ChainID uint64 `json:"chainId"`
	// Accounts as in a genesis. They replace balance, nonce and code, and add to the storage.
	Alloc types.GenesisAlloc `json:"alloc"`
	// Hashes of blocks, by number.
	BlockHashes map[uint64]common.Hash `json:"blockHashes"`

	// A transaction without a name is executed but not printed.
	Name string `json:"name"`
	// Every sender has 2^100 wei at the beginning.
	From *common.Address `json:"from"`
	// Absent: a creation.
	To *common.Address `json:"to"`
	// What the sender's nonce is set to; a creation's address follows from it.
	Nonce *uint64 `json:"nonce"`
	// The address that a creation must get.
	At    *common.Address       `json:"at"`
	Value *math.HexOrDecimal256 `json:"value"`
	Data  hexutil.Bytes         `json:"data"`
	// Limit; default: the largest that the table allows.
	Gas uint64 `json:"gas"`
	// The block's number and time, never less than before.
	Number  uint64                `json:"number"`
	Time    uint64                `json:"time"`
	BaseFee *math.HexOrDecimal256 `json:"basefee"`
	// Default: the base fee.
	GasPrice  *math.HexOrDecimal256 `json:"gasPrice"`
	MayRevert bool                  `json:"mayRevert"`
	// An account that the transaction must credit its cost, and at most a tenth more.
	Repaid *common.Address `json:"repaid"`
}

// readFile reads the lines of a file of transactions. Empty lines are skipped.
func readFile(r io.Reader) (entries []entry, err error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	for number := 1; scanner.Scan(); number++ {
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		var e entry
		decoder := json.NewDecoder(bytes.NewReader(scanner.Bytes()))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&e)
		if err == nil && decoder.More() {
			err = errors.New("more than one JSON object")
		}
		if err == nil {
			err = e.check()
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		entries = append(entries, e)
	}
	return entries, scanner.Err()
}

func (e *entry) check() error {
	switch {
	case strings.ContainsAny(e.Name, " \t\n"):
		return fmt.Errorf("the name %q has a space", e.Name)
	case e.Name != "" && e.From == nil:
		return fmt.Errorf("the transaction %s has no sender", e.Name)
	case e.At != nil && e.To != nil:
		return errors.New("a transaction with both to and at")
	}
	return nil
}
