package main

import (
	"math/bits"
	"strconv"
	"strings"
)

// errSize says how a size is written.
var errSize = failure{"--memory", "a size is a whole number and K, M or G", "write for example --memory 256M"}

// A size is an amount of memory, as a flag: a number and K, M or G, which count
// in powers of 1024.
type size uint64

var units = map[string]uint64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

// Set implements pflag.Value.
func (s *size) Set(v string) error {
	digits := strings.TrimRight(v, "KkMmGg")
	unit, known := units[strings.ToUpper(v[len(digits):])]
	n, err := strconv.ParseUint(digits, 10, 64)
	hi, lo := bits.Mul64(n, unit)
	if !known || err != nil || hi != 0 {
		return errSize
	}
	*s = size(lo)
	return nil
}

// String implements pflag.Value.
func (s *size) String() string {
	for _, unit := range []string{"G", "M", "K"} {
		if n := uint64(*s); n%units[unit] == 0 {
			return strconv.FormatUint(n/units[unit], 10) + unit
		}
	}
	return strconv.FormatUint(uint64(*s), 10)
}

// Type implements pflag.Value.
func (*size) Type() string { return "SIZE" }
