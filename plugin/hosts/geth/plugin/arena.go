// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

/*
#include <stdlib.h>
#include "lockstep_plugin.h"
*/
import "C"

import (
	"unsafe"

	"github.com/ethereum/go-ethereum/core/types"
)

// arena is C memory that holds the logs of one block, reused for the next: C memory may point into itself, Go memory that
// is passed to C may not.
type arena struct {
	memory unsafe.Pointer
	size   uintptr
}

// pack copies logs into the arena. The result is valid until the next call.
func (a *arena) pack(logs []*types.Log) *C.lockstep_log {
	if len(logs) == 0 {
		return nil
	}
	offset := uintptr(len(logs)) * unsafe.Sizeof(C.lockstep_log{})
	need := offset
	for _, l := range logs {
		need += uintptr(len(l.Data))
	}
	if need > a.size {
		a.free()
		a.memory, a.size = C.malloc(C.size_t(need)), need // never nil: cgo's malloc ends the process instead
	}
	out := unsafe.Slice((*C.lockstep_log)(a.memory), len(logs))
	for i, l := range logs {
		o := &out[i]
		*o = C.lockstep_log{
			topic_count: C.uint8_t(len(l.Topics)),
			tx_index:    C.uint32_t(l.TxIndex),
			log_index:   C.uint32_t(l.Index),
			data_len:    C.size_t(len(l.Data)),
		}
		*(*[20]byte)(unsafe.Pointer(&o.address)) = l.Address
		*(*[32]byte)(unsafe.Pointer(&o.tx_hash)) = l.TxHash
		for j, topic := range l.Topics { // at most 4: there is no LOG5
			*(*[32]byte)(unsafe.Pointer(&o.topics[j])) = topic
		}
		if n := len(l.Data); n > 0 {
			data := unsafe.Add(a.memory, offset)
			copy(unsafe.Slice((*byte)(data), n), l.Data)
			o.data = (*C.uint8_t)(data)
			offset += uintptr(n)
		}
	}
	return &out[0]
}

func (a *arena) free() {
	C.free(a.memory)
	a.memory, a.size = nil, 0
}
