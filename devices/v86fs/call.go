package v86fs

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/devices/virtio"
)

const (
	// inflightLimit bounds the requests whose work is under way.
	inflightLimit = 64
	// messageLimit bounds a request without its data: the longest are two names or
	// a name and a target, and a FORGET.
	messageLimit = 8192
)

// A Host works for the device beside the machine.
type Host interface {
	// Go runs work, on another goroutine if need be, and afterwards done on the
	// machine's. Both may have run when it returns. Work of one class takes about
	// as long.
	Go(class uint8, work, done func())
	// Wait is Go for work that takes as long as somebody else wants; Drain does
	// not wait for it.
	Wait(work, done func())
	// Drain returns when all that was given to Go is done.
	Drain()
}

// A call is a request of the extended protocol under way.
type call struct {
	s       *session
	queue   int
	chain   virtio.Chain
	length  uint32 // of the message, as its prefix has it
	buf     []byte // the message
	req     wire.Request
	body    []byte
	op      *operation
	version uint64
	began   time.Time

	mount *mount
	x     *Export
	node  *node

	// What the response has beside its message: flags, and data that is to be
	// copied, or that lies in the guest's memory already.
	flags  uint8
	data   []byte
	direct int

	// cancel ends the wait for a lock of the handle waits.
	cancel func()
	waits  uint64
}

// A plan is how a request goes on when it was found to be in order. work calls
// the backend and touches nothing of the device; finish runs on the machine
// goroutine when work has succeeded, and returns the response.
type plan struct {
	work   func() error
	finish func() (wire.Message, error)
	// failed runs on the machine goroutine when work has failed, and returns the
	// error to answer with. It may be nil.
	failed func(error) error
}

// An operation is what the device has for a type of request.
type operation struct {
	size    int // of the response's message
	mount   bool
	node    bool
	changes bool
	plan    func(*session, *call) (plan, error)
}

// errLater says that a request waits, and who wakes it answers it.
var errLater = errors.New("later")

// take takes requests of the extended protocol off a chain. It reports false
// for what is none.
func (s *session) take(q int, chain *virtio.Chain) bool {
	var head [wire.RequestSize]byte
	in := chain.Reader()
	if n, err := in.Read(head[:]); err != nil || n < len(head) {
		return false
	}
	var r wire.Request
	r.Decode(head[:]) // the body is looked at later
	t := r.Type
	if s.d.features&wire.FeatureExtended == 0 || t < wire.FirstExtended || t > wire.LastReserved {
		return false
	}
	c := &call{s: s, queue: q, chain: *chain, req: r, length: binary.LittleEndian.Uint32(head[:]), op: &operations[t], version: s.d.version, began: time.Now()}
	*chain = virtio.Chain{}
	s.outstanding[q]++
	if err := c.read(); err != nil {
		c.fail(err)
		return true
	}
	if s.inflight >= inflightLimit && c.op.mount {
		s.waiting = append(s.waiting, c)
		return true
	}
	c.begin()
	return true
}

// full reports whether a queue has as many requests under way as it has room
// for: a driver that keeps to the rules has no more.
func (s *session) full(q int) bool {
	s.stalled[q] = s.outstanding[q] >= int(queueSizes[q])
	return s.stalled[q]
}

// read copies the message, without data, out of the guest.
func (c *call) read() error {
	if c.chain.Writable() < wire.ReplySize && c.req.Type != wire.Forget {
		return EINVAL
	}
	if c.op.plan == nil {
		return ENOSYS
	}
	if c.length > messageLimit || int(c.length) > c.chain.Readable() || c.chain.Writable() < c.op.size {
		return EINVAL
	}
	c.buf = make([]byte, c.length)
	in := c.chain.Reader()
	if _, err := in.Read(c.buf); err != nil {
		return EFAULT
	}
	var err error
	if c.body, err = c.req.Decode(c.buf); err != nil {
		return EINVAL
	}
	return nil
}

// decode takes the body apart.
func (c *call) decode(m wire.Message) error {
	if wire.DecodeBody(c.body, m) != nil {
		return EINVAL
	}
	return nil
}

// begin starts the work of a request.
func (c *call) begin() {
	p, err := c.prepare()
	if err != nil {
		c.fail(err)
		return
	}
	c.run(p)
}

// run carries a plan out, beside the machine if all that are concerned allow it.
func (c *call) run(p plan) {
	if p.work == nil {
		c.finish(p, nil)
		return
	}
	d := c.s.d
	if d.host == nil || d.features&wire.FeatureAsync == 0 || c.x == nil || !c.x.Backend.Traits().Concurrent {
		c.finish(p, p.work())
		return
	}
	c.s.inflight++
	var err error
	d.host.Go(uint8(c.req.Type), func() { err = p.work() }, func() {
		c.s.inflight--
		c.finish(p, err)
		c.s.resume()
	})
}

// resume starts what waited for a place, and looks for more in the queues.
func (s *session) resume() {
	for len(s.waiting) > 0 && s.inflight < inflightLimit {
		c := s.waiting[0]
		s.waiting = s.waiting[1:]
		c.begin()
	}
	for q, was := range s.stalled {
		if was && s.d.session == s {
			s.stalled[q] = false
			s.d.Notify(q)
		}
	}
}

// prepare finds what the prefix names.
func (c *call) prepare() (plan, error) {
	if c.op.mount {
		if c.mount = c.s.mounts[c.req.Mount]; c.mount == nil {
			return plan{}, ESTALE
		}
		c.x = c.mount.x
	}
	if c.op.node {
		if c.node = c.mount.nodes[c.req.Node]; c.node == nil {
			return plan{}, ESTALE
		}
	}
	if c.op.changes && c.mount.readOnly {
		return plan{}, EROFS
	}
	return c.op.plan(c.s, c)
}

// handle is the open file of a request, nil for none.
func (c *call) handle(id uint64, n *node) (*opened, error) {
	if id == 0 {
		return nil, nil
	}
	h := c.s.handles[id]
	if h == nil || h.mount != c.mount || h.node != n {
		return nil, EBADF
	}
	return h, nil
}

// writer is handle for a request that changes the file's content.
func (c *call) writer(id uint64, n *node) error {
	h, err := c.handle(id, n)
	if err == nil && h != nil && !h.writable {
		err = EBADF
	}
	return err
}

func (c *call) finish(p plan, err error) {
	var m wire.Message
	switch {
	case err == nil && p.finish != nil:
		m, err = p.finish()
	case err != nil && p.failed != nil:
		err = p.failed(err)
	}
	if err != nil {
		c.fail(err)
		return
	}
	c.answer(0, m)
}

// fail answers with an error alone, but for what LOOKUP2 says of a name that
// is not there.
func (c *call) fail(err error) {
	if err == errLater {
		return
	}
	c.data, c.direct, c.flags = nil, 0, 0
	e := errnoOf(err)
	if c.req.Type == wire.Lookup2 && e == ENOENT && c.node != nil {
		c.answer(e, &wire.Attr{EntryValid: c.s.valid(c.node)})
		return
	}
	c.answer(e, nil)
}

// answer gives the chain back.
func (c *call) answer(status Errno, m wire.Message) {
	s := c.s
	s.outstanding[c.queue]--
	if s.d.q == nil || s.d.session != s {
		return // the device was reset in the meantime
	}
	written := 0
	if c.req.Type != wire.Forget && c.chain.Writable() >= wire.ReplySize {
		r := wire.Reply{Type: c.req.Type | wire.Response, Tag: c.req.Tag, Flags: c.flags, Status: uint32(status),
			Data: uint32(len(c.data) + c.direct), Version: c.version}
		s.reply = r.Append(s.reply[:0], m)
		out := c.chain.Writer()
		written, _ = out.Write(s.reply)
		if len(c.data) > 0 {
			n, _ := out.Write(c.data)
			written += n
		}
		written += c.direct
	}
	c.trace(status, s.d.measure(c.req.Type, c.x, c.began))
	s.d.q[c.queue].Push(&c.chain, written)
}
