package snapshottest

import (
	"reflect"
	"unsafe"
)

// settable makes an unexported field writable.
func settable(v reflect.Value) reflect.Value {
	// SAFETY: the address is that of an addressable value of the same type.
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}
