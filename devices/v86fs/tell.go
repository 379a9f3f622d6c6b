package v86fs

import (
	"fmt"
	"strings"
	"time"

	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/trace"
)

// bodies make the body of a request of each type, for those that have one.
var bodies = map[wire.Type]func() wire.Message{
	wire.Mount2:      func() wire.Message { return &wire.Mount2Request{} },
	wire.Exports:     func() wire.Message { return &wire.ExportsRequest{} },
	wire.Lookup2:     func() wire.Message { return &wire.Name2Request{} },
	wire.Forget:      func() wire.Message { return &wire.ForgetRequest{} },
	wire.Getattr2:    func() wire.Message { return &wire.HandleRequest{} },
	wire.Setattr2:    func() wire.Message { return &wire.Setattr2Request{} },
	wire.Create2:     func() wire.Message { return &wire.Create2Request{} },
	wire.Open2:       func() wire.Message { return &wire.Open2Request{} },
	wire.Release:     func() wire.Message { return &wire.HandleRequest{} },
	wire.Read2:       func() wire.Message { return &wire.Read2Request{} },
	wire.Write2:      func() wire.Message { return &wire.Write2Request{} },
	wire.Fsync2:      func() wire.Message { return &wire.Fsync2Request{} },
	wire.Fallocate:   func() wire.Message { return &wire.FallocateRequest{} },
	wire.Seek:        func() wire.Message { return &wire.SeekRequest{} },
	wire.CopyRange:   func() wire.Message { return &wire.CopyRangeRequest{} },
	wire.Mknod:       func() wire.Message { return &wire.MknodRequest{} },
	wire.Mkdir2:      func() wire.Message { return &wire.Mkdir2Request{} },
	wire.Symlink2:    func() wire.Message { return &wire.Symlink2Request{} },
	wire.Link:        func() wire.Message { return &wire.LinkRequest{} },
	wire.Unlink2:     func() wire.Message { return &wire.Name2Request{} },
	wire.Rmdir:       func() wire.Message { return &wire.Name2Request{} },
	wire.Rename2:     func() wire.Message { return &wire.Rename2Request{} },
	wire.Tmpfile:     func() wire.Message { return &wire.TmpfileRequest{} },
	wire.Readdir2:    func() wire.Message { return &wire.Readdir2Request{} },
	wire.Getxattr:    func() wire.Message { return &wire.GetxattrRequest{} },
	wire.Setxattr:    func() wire.Message { return &wire.SetxattrRequest{} },
	wire.Listxattr:   func() wire.Message { return &wire.ListxattrRequest{} },
	wire.Removexattr: func() wire.Message { return &wire.Name2Request{} },
	wire.Getlk:       func() wire.Message { return &wire.LockRequest{} },
	wire.Setlk:       func() wire.Message { return &wire.LockRequest{} },
	wire.Interrupt:   func() wire.Message { return &wire.InterruptRequest{} },
}

// trace tells of a request that is answered, in one line.
func (c *call) trace(status Errno, took time.Duration) {
	if !trace.On(trace.V86FS) {
		return
	}
	text := fmt.Sprintf("tag %d mount %d node %d", c.req.Tag, c.req.Mount, c.req.Node)
	if make := bodies[c.req.Type]; make != nil {
		m := make()
		if wire.DecodeBody(c.body, m) == nil {
			text += " " + strings.Trim(fmt.Sprintf("%+v", m), "&{}")
		}
	}
	if n := len(c.data) + c.direct; n > 0 {
		text += fmt.Sprintf(" data %d", n)
	}
	trace.Text(trace.V86FS, c.req.Type.String(), tame(text)+outcome(status, took))
}

// outcome is how a request ended.
func outcome(status Errno, took time.Duration) string {
	if status == 0 {
		return fmt.Sprintf(" ok %d us", took.Microseconds())
	}
	return fmt.Sprintf(" errno %d (%v) %d us", uint32(status), status, took.Microseconds())
}

// tame writes what is no plain text, which may be in names, as a terminal may see
// it.
func tame(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// traceBase tells of a request of the base protocol that was answered.
func traceBase(h wire.Header, reply []byte, took time.Duration) {
	if trace.On(trace.V86FS) {
		r := wire.NewReader(reply[wire.HeaderSize:])
		trace.Text(trace.V86FS, h.Type.String(), fmt.Sprintf("tag %d data %d", h.Tag, len(reply))+outcome(Errno(r.U32()), took))
	}
}
