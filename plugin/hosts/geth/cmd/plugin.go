// SPDX-License-Identifier: GPL-3.0-or-later

//go:build lockstep_geth

// This file is built together with cmd/geth of the go-ethereum release that go.mod names (see build.sh), whose makeFullNode
// then calls registerPlugin.
package main

import (
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
)

func init() { // after the one in main.go, which sets app.Flags: Go initialises files in the order of their names
	app.Flags = append(app.Flags, pluginFlag, pluginConfigFlag)
}

func registerPlugin(ctx *cli.Context, stack *node.Node, backend *eth.Ethereum, filterSystem *filters.FilterSystem) {
	path := ctx.Path(pluginFlag.Name)
	if path == "" {
		if ctx.IsSet(pluginConfigFlag.Name) {
			utils.Fatalf("--plugin.config needs --plugin")
		}
		return
	}
	service, err := plugin.NewService(backend, filterSystem, path, ctx.Path(pluginConfigFlag.Name))
	if err != nil {
		utils.Fatalf("%v", err)
	}
	stack.RegisterLifecycle(service)
}
