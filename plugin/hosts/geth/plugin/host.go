// SPDX-License-Identifier: GPL-3.0-or-later

// Package plugin loads a Lockstep plugin (plugin/lockstep_plugin.h) into the geth that runs it: it tells the plugin of the
// canonical chain and answers its JSON-RPC calls.
package plugin

/*
#cgo CFLAGS: -O2 -Wall -Wextra
#cgo LDFLAGS: -ldl -lm
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"errors"
	"runtime/cgo"
	"strings"
	"unsafe"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
)

const maxLogLine = 4096 // bytes of one line that a plugin writes to geth's log

// host is one loaded plugin.
type host struct {
	gate  *gate
	b     *C.bridge
	arena arena
}

func newHost(client caller) *host { return &host{gate: newGate(client)} }

// load opens the shared object and creates its plugin, which may call rpc at once. The plugin keeps the host's address for
// ever, so the handle is never deleted: calls that come too late are refused by the gate.
func (h *host) load(path, config string) error {
	cPath, cConfig := C.CString(path), C.CString(config)
	defer C.free(unsafe.Pointer(cPath))
	defer C.free(unsafe.Pointer(cConfig))
	var message [512]C.char
	h.b = C.bridge_load(cPath, cConfig, C.uintptr_t(cgo.NewHandle(h)), &message[0], C.size_t(len(message)))
	if h.b == nil {
		h.gate.close()
		return errors.New(C.GoString(&message[0]))
	}
	return nil
}

func (h *host) name() string    { return C.GoString(h.b.plugin.name) }
func (h *host) version() string { return C.GoString(h.b.plugin.version) }

// block gives the plugin a block that became canonical.
func (h *host) block(header *types.Header, logs []*types.Log) {
	var block C.lockstep_block
	block.number = C.uint64_t(header.Number.Uint64())
	block.timestamp = C.uint64_t(header.Time)
	*(*common.Hash)(unsafe.Pointer(&block.hash)) = header.Hash()
	*(*common.Hash)(unsafe.Pointer(&block.parent_hash)) = header.ParentHash
	block.log_count = C.uint64_t(len(logs))
	block.logs = h.arena.pack(logs)
	C.bridge_block(h.b, &block)
}

// revert tells the plugin that the newest block it was given is no longer canonical.
func (h *host) revert(number uint64, hash common.Hash) {
	C.bridge_revert(h.b, C.uint64_t(number), (*C.uint8_t)(unsafe.Pointer(&hash)))
}

func (h *host) finished() uint64 { return uint64(C.bridge_finished(h.b)) }

// close stops and frees the plugin. While it stops it may still call rpc; the calls under way are then failed.
func (h *host) close() {
	C.bridge_stop(h.b)
	h.gate.close()
	h.gate.drain()
	C.bridge_destroy(h.b)
	h.arena.free()
}

//export hostLog
func hostLog(_ C.uintptr_t, level C.int32_t, message *C.char) {
	if message == nil {
		return
	}
	line := C.GoString(message)
	if len(line) > maxLogLine {
		line = line[:maxLogLine] + "..."
	}
	line = strings.ToValidUTF8(line, "?")
	switch level {
	case C.LOCKSTEP_LOG_ERROR:
		log.Error(line)
	case C.LOCKSTEP_LOG_WARN:
		log.Warn(line)
	case C.LOCKSTEP_LOG_INFO:
		log.Info(line)
	default:
		log.Debug(line)
	}
}

//export hostRPC
func hostRPC(handle C.uintptr_t, method, params *C.char, reply C.lockstep_rpc_reply, user unsafe.Pointer) C.int32_t {
	if method == nil || params == nil || reply == nil {
		return C.int32_t(rpcRefusedInput)
	}
	h := cgo.Handle(handle).Value().(*host)
	return C.int32_t(h.gate.call(C.GoString(method), C.GoString(params), func(code int32, json []byte) {
		json = append(json, 0)
		C.bridge_reply(reply, user, C.int32_t(code), (*C.char)(unsafe.Pointer(&json[0])), C.size_t(len(json)-1))
	}))
}
