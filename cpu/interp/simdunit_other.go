//go:build !amd64

package interp

import "github.com/gov86/gov86/cpu/simd"

// hostSIMD is that of a host which has no such unit.
var hostSIMD = &simd.Pure
