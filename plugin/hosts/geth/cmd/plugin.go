// SPDX-License-Identifier: GPL-3.0-or-later

//go:build lockstep_geth

// This file is built together with cmd/geth of the go-ethereum release that go.mod names (see build.sh), whose makeFullNode
// then calls registerPlugin.
package main

import (
	"errors"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/lockstephost/plugin"
	"github.com/ethereum/go-ethereum/node"
	"github.com/urfave/cli/v2"
)

var (
	pluginFlag = &cli.PathFlag{
		Name:      "plugin",
		Usage:     "Lockstep plugin (shared object) to load into this process",
		TakesFile: true,
		Category:  "PLUGIN",
	}
	pluginConfigFlag = &cli.PathFlag{
		Name:      "plugin.config",
		Usage:     "File with the plugin's configuration, a JSON object",
		TakesFile: true,
		Category:  "PLUGIN",
	}
	pluginOptionalFlag = &cli.BoolFlag{
		Name:     "plugin.optional",
		Usage:    "Go on without the plugin when it does not start",
		Category: "PLUGIN",
	}
)

// pluginError is why geth ends before anybody asked it to.
var pluginError atomic.Pointer[error]

func init() { // after the one in main.go, which sets app's fields: Go initialises files in the order of their names
	app.Flags = append(app.Flags, pluginFlag, pluginConfigFlag, pluginOptionalFlag)
	after := app.After
	app.After = func(ctx *cli.Context) error {
		err := after(ctx)
		if failed := pluginError.Load(); failed != nil {
			err = errors.Join(err, *failed)
		}
		return err
	}
}

func registerPlugin(ctx *cli.Context, stack *node.Node, backend *eth.Ethereum, filterSystem *filters.FilterSystem) {
	path := ctx.Path(pluginFlag.Name)
	if path == "" {
		for _, name := range []string{pluginConfigFlag.Name, pluginOptionalFlag.Name} {
			if ctx.IsSet(name) {
				utils.Fatalf("--%s needs --plugin", name)
			}
		}
		return
	}
	failed := func(err error) {
		if ctx.Bool(pluginOptionalFlag.Name) {
			return
		}
		pluginError.Store(&err)
		stack.Close()
	}
	service, err := plugin.NewService(backend, filterSystem, path, ctx.Path(pluginConfigFlag.Name), failed)
	if err != nil {
		utils.Fatalf("%v", err)
	}
	stack.RegisterLifecycle(service)
}
