// SPDX-License-Identifier: Apache-2.0

// gas-meter says what transactions cost in today's gas table and in that of the next fork.
package main

import (
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
)

const usage = `usage: gas-meter FILE...

Each FILE has transactions, one JSON object per line (tests/gas/README.md). They are executed in
their order by the rules of Osaka and, from the beginning again, by those of Amsterdam with Bogota.
For each it prints

    NAME osaka GAS amsterdam GAS

with "repaid PERCENT" after the gas where the line names an account that is to be repaid, and
"reverted" where the transaction reverted. Exit status: 1 when a transaction reverted whose line does
not say "mayRevert", could not be executed at all, or was repaid less than its cost or more than a
tenth above it; 2 for a file that cannot be read.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, errors io.Writer) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		fmt.Fprint(errors, usage)
		return 2
	}
	status := 0
	for _, name := range args {
		entries, err := open(name)
		if err != nil {
			fmt.Fprintf(errors, "gas-meter: %s: %v\n", name, err)
			return 2
		}
		if good, err := measure(entries, out, errors); err != nil {
			fmt.Fprintf(errors, "gas-meter: %s: %v\n", name, err)
			status = 1
		} else if !good {
			status = 1
		}
	}
	return status
}

func open(name string) ([]entry, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readFile(file)
}

// repaidPercent returns what was credited, in hundredths of the cost.
func repaidPercent(r result) float64 {
	percent, _ := new(big.Rat).SetFrac(r.credited, r.cost).Float64()
	return 100 * percent
}

// measure prints what the transactions cost. Returns: whether none reverted that must not.
func measure(entries []entry, out, errors io.Writer) (good bool, err error) {
	results := make([][]result, len(tables))
	for i, t := range tables {
		if results[i], err = replay(t, entries); err != nil {
			return false, err
		}
	}
	good = true
	transaction := 0
	for _, e := range entries {
		if e.From == nil {
			continue
		}
		line := e.Name
		for i, t := range tables {
			r := results[i][transaction]
			line += fmt.Sprintf(" %s %d", t.name, r.gas)
			if r.credited != nil {
				percent := repaidPercent(r)
				line += fmt.Sprintf(" repaid %.1f%%", percent)
				if r.credited.Cmp(r.cost) < 0 || percent > 110 {
					good = false
					fmt.Fprintf(errors, "gas-meter: transaction %d %s, %s: %d wei were repaid of %d\n",
						transaction, e.Name, t.name, r.credited, r.cost)
				}
			}
			if r.reverted == nil {
				continue
			}
			line += " reverted"
			if !e.MayRevert {
				good = false
				fmt.Fprintf(errors, "gas-meter: transaction %d %s, %s: %v, 0x%x\n",
					transaction, e.Name, t.name, r.reverted, r.data)
			}
		}
		if e.Name != "" {
			fmt.Fprintln(out, line)
		}
		transaction++
	}
	return good, nil
}
