//go:build !amd64

package interp

// hostX87 is that of a host which has no such unit.
var hostX87 = pureX87
