// Package v86fs is the v86fs device: directories of the host, or of memory,
// as file systems of the guest, by a protocol of small messages over virtio
// (docs/v86fs-protocol.md).
//
// Requests of the base protocol are answered inside the notification that
// announced them: its first Linux driver is only safe if answers do not arrive
// while it adds requests. For the same reason what the device says unasked (an
// invalidation, a mount) waits for a safe point; see Deliver. A driver that
// acknowledged FeatureAsync is ready for both at any time: then a Host works on
// requests beside the machine. The device itself stays on the machine goroutine.
package v86fs

import (
	"log/slog"
	"time"

	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/devices/virtio"
)

const (
	deviceID = 63

	queueHigh    = 0
	queueRequest = 1
	queueNotify  = 2

	// requestLimit bounds a request: the largest WRITE, and room to spare.
	requestLimit = 1<<20 + 4096
	// readLimit bounds the data of one READ, whatever the guest's buffer.
	readLimit = 1 << 20
	// nodeLimit and handleLimit bound what a guest can make the device remember.
	nodeLimit   = 1 << 22
	handleLimit = 1 << 16
	// firstHandle is above every inode: READ takes either.
	firstHandle = 1 << 32
	// readdirLimit bounds the listing of one directory in bytes.
	readdirLimit = 16 << 20
)

// queueSizes are the largest sizes: a chain with 1 MiB of pages fits into the
// queue of the requests.
var queueSizes = [3]uint16{queueHigh: 128, queueRequest: 512, queueNotify: 128}

// An Export is a backend under the name that a mount asks for. The first
// export also answers the empty name.
type Export struct {
	Name     string
	Backend  Backend
	ReadOnly bool

	gone bool // it was removed; its number is not used again
}

// An inode is what the guest knows by one number: a node of an export.
type inode struct {
	export uint32
	node   Node
}

// A handle is one open of a file.
type handle struct{ inode uint32 }

// A Device is the v86fs device.
type Device struct {
	exports []Export
	log     *slog.Logger
	q       []*virtio.Queue
	chain   virtio.Chain
	request []byte
	data    []byte
	reply   wire.Writer

	// inodes by number less one; numbers are never reused.
	inodes []inode
	number map[inode]uint32
	// lost are the inodes that were loaded and not found, and where they were.
	lost    map[uint32]*Place
	handles map[uint64]handle
	next    uint64

	notices notices
	// listening is set by the driver's first kick of the notification queue:
	// before it the driver is not ready for what it would find there.
	listening bool
	// latencies are by type of request; warned is when the user was last told that
	// the host is slow.
	latencies [256]*Latency
	warned    time.Time
	// crowded is set once a listing was cut and told of.
	crowded bool

	// The extended protocol. version grows with each of its notices.
	features uint64
	session  *session
	host     Host
	post     func(func()) // of Watch, nil before
	version  uint64
	config   []byte
}

// New returns a device with the given exports; there may be none.
func New(exports []Export, log *slog.Logger) *Device {
	d := &Device{
		exports: exports, log: log, number: map[inode]uint32{}, handles: map[uint64]handle{}, next: firstHandle,
		request: make([]byte, 4096),
	}
	d.session = newSession(d)
	d.configure()
	return d
}

// SetHost has a host work on requests beside the machine. Without one all is
// done inside the notification, which a driver cannot tell from a quick host.
func (d *Device) SetHost(h Host) { d.host = h }

// Drain returns when no work is under way on the host, but for waits for locks.
func (d *Device) Drain() {
	if d.host != nil {
		d.host.Drain()
	}
}

// Watch starts the watching of all exports. post runs a function on the
// machine goroutine; any goroutine may call it.
func (d *Device) Watch(post func(func())) {
	d.post = post
	for i := range d.exports {
		if !d.exports[i].gone {
			d.watch(i, post)
		}
	}
}

// watch starts the watching of an export.
func (d *Device) watch(i int, post func(func())) {
	if err := d.exports[i].Backend.Watch(&notifier{d, uint32(i), nil}, post); err != nil {
		d.log.Warn("changes on the host will be seen late", "export", d.exports[i].Name, "err", err)
	}
}

// Shut ends the use of all backends.
func (d *Device) Shut() {
	d.Drain()
	for _, x := range d.exports {
		if x.gone {
			continue
		}
		if err := x.Backend.Shut(); err != nil {
			d.log.Warn("close export", "export", x.Name, "err", err)
		}
	}
}

// ID implements virtio.Device.
func (d *Device) ID() uint16 { return deviceID }

// Features implements virtio.Device. A driver of the base protocol acknowledges
// none of the device's own.
func (d *Device) Features() uint64 {
	return virtio.FeatureVersion1 | virtio.FeatureIndirectDesc | virtio.FeatureEventIdx |
		wire.FeatureExtended | wire.FeatureAsync | wire.FeatureEvents
}

// QueueSizes implements virtio.Device.
func (d *Device) QueueSizes() []uint16 { return queueSizes[:] }

// Config implements virtio.Device.
func (d *Device) Config() []byte { return d.config }

// Start implements virtio.Device.
func (d *Device) Start(accepted uint64, q []*virtio.Queue) { d.features, d.q = accepted, q }

// Reset implements hw.Device: handles and notices go, inode numbers stay, for
// they must never come to mean something else.
func (d *Device) Reset() {
	d.q = nil
	d.forgetAll()
	d.listening = false
	d.features = 0
}

// forgetAll ends everything but inode numbers.
func (d *Device) forgetAll() {
	d.session.waiting = nil
	d.Drain()
	d.session.end()
	d.session = newSession(d)
	for h := range d.handles {
		d.closeHandle(h)
	}
	d.notices = notices{}
}

// Notify implements virtio.Device.
func (d *Device) Notify(q int) {
	if q == queueNotify {
		d.listening = true
		if d.features&wire.FeatureAsync != 0 {
			d.Deliver()
		}
		return
	}
	for d.q != nil && !d.session.full(q) && d.q[q].Pop(&d.chain) {
		if !d.session.take(q, &d.chain) {
			d.q[q].Push(&d.chain, d.serve())
		}
	}
}

// serve answers the request in d.chain and returns how much it wrote. What does
// not parse is given back unanswered: drivers take that for an error.
func (d *Device) serve() int {
	n := d.chain.Readable()
	if n < wire.HeaderSize || n > requestLimit {
		return 0
	}
	if n > len(d.request) {
		d.request = make([]byte, n)
	}
	in := d.chain.Reader()
	if got, err := in.Read(d.request[:n]); err != nil || got != n {
		return 0
	}
	r := wire.NewReader(d.request[:n])
	h := r.Header()
	fn := handlers[h.Type]
	if fn == nil {
		return 0
	}
	began := time.Now()
	d.reply.Begin(h.Type|wire.Response, h.Tag)
	if !fn(d, &r) {
		return 0
	}
	out := d.chain.Writer()
	reply := d.reply.End()
	traceBase(h, reply, d.measure(h.Type, nil, began))
	// A buffer too short gets what fits.
	written, _ := out.Write(reply)
	return written
}

// inode returns the number of a node, giving it one if it has none.
func (d *Device) inodeOf(export uint32, n Node) (uint32, error) {
	key := inode{export, n}
	if id, ok := d.number[key]; ok {
		return id, nil
	}
	if len(d.inodes) >= nodeLimit {
		return 0, ENFILE
	}
	return d.numbered(key), nil
}

// numbered gives a node a number.
func (d *Device) numbered(key inode) uint32 {
	d.inodes = append(d.inodes, key)
	id := uint32(len(d.inodes))
	d.number[key] = id
	return id
}

// listed is the number of a directory's entry.
func (d *Device) listed(x *Export, dir inode, e *Entry) (uint32, error) {
	if e.Node == 0 {
		a, err := x.Backend.Lookup(dir.node, e.Name)
		if err != nil {
			return 0, err
		}
		e.Node = a.Node
	}
	return d.inodeOf(dir.export, e.Node)
}

// exportOf is the number of the export of a name.
func (d *Device) exportOf(name string) (int, error) {
	for i, x := range d.exports {
		if !x.gone && (x.Name == name || name == "") {
			return i, nil
		}
	}
	return -1, ENOENT
}

// target is the backend and node behind an inode number, or the handle of one.
func (d *Device) target(id uint64) (*Export, inode, error) {
	if h, ok := d.handles[id]; ok {
		id = uint64(h.inode)
	}
	if id == 0 || id > uint64(len(d.inodes)) || d.lost[uint32(id)] != nil {
		return nil, inode{}, ESTALE
	}
	i := d.inodes[id-1]
	return d.export(i.export), i, nil
}

// writable is target for a request that changes something.
func (d *Device) writable(id uint64) (*Export, inode, error) {
	x, i, err := d.target(id)
	if err == nil && x.ReadOnly {
		err = EROFS
	}
	return x, i, err
}

func (d *Device) closeHandle(id uint64) {
	h := d.handles[id]
	delete(d.handles, id)
	if x, i, err := d.target(uint64(h.inode)); err == nil {
		x.Backend.Close(i.node)
	}
}
