package virtio

import (
	"io"

	"github.com/gov86/gov86/mem"
)

// Readables lends n bytes of the readable part from skip on, as pieces of RAM,
// for the length of one host call. Memory that is no RAM, or a chain that is
// shorter, is an error.
func (c *Chain) Readables(skip, n int) ([][]byte, error) {
	return c.borrow(c.readable, skip, n, false)
}

// Writables lends n bytes of the writable part from skip on in the same way.
// Code that was decoded from them is dropped. Who has them filled while the guest
// runs calls it again when they are full.
func (c *Chain) Writables(skip, n int) ([][]byte, error) {
	return c.borrow(c.writable, skip, n, true)
}

func (c *Chain) borrow(spans []span, skip, n int, write bool) ([][]byte, error) {
	var all [][]byte
	for _, s := range spans {
		if n == 0 {
			break
		}
		if skip >= int(s.n) {
			skip -= int(s.n)
			continue
		}
		k := min(int(s.n)-skip, n)
		b, err := c.dma.Borrow(s.at+mem.Addr(skip), k, write)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
		n -= k
		skip = 0
	}
	if n > 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return all, nil
}
