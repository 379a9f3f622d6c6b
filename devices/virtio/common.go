package virtio

import portio "github.com/gov86/gov86/io"

// Offsets in the common configuration (Virtio 1.2, "Common configuration
// structure layout").
const (
	cfgDeviceFeatureSelect = 0x00
	cfgDeviceFeature       = 0x04
	cfgDriverFeatureSelect = 0x08
	cfgDriverFeature       = 0x0c
	cfgMSIXConfig          = 0x10
	cfgNumQueues           = 0x12
	cfgDeviceStatus        = 0x14
	cfgGeneration          = 0x15
	cfgQueueSelect         = 0x16
	cfgQueueSize           = 0x18
	cfgQueueVector         = 0x1a
	cfgQueueEnable         = 0x1c
	cfgQueueNotifyOff      = 0x1e
	cfgQueueDesc           = 0x20
	cfgQueueDriver         = 0x28
	cfgQueueDevice         = 0x30
	cfgEnd                 = 0x38
)

type common struct{ t *PCI }

// In reads any run of bytes of the structure: drivers use other widths than a
// field's own.
func (h *common) In(off uint16, w portio.Width) uint32 {
	var v uint32
	for i := range uint16(w) {
		at := off + i
		field := fieldAt(at)
		v |= h.field(field) >> (8 * (at - field)) & 0xff << (8 * i)
	}
	return v
}

// fieldAt is the offset of the field that holds the byte at off.
func fieldAt(off uint16) uint16 {
	switch {
	case off < cfgMSIXConfig, off >= cfgQueueDesc:
		return off &^ 3
	case off == cfgDeviceStatus, off == cfgGeneration:
		return off
	}
	return off &^ 1
}

// field is the value of the field at off, whole.
func (h *common) field(off uint16) uint32 {
	t := h.t
	switch off {
	case cfgDeviceFeatureSelect:
		return t.featureSelect
	case cfgDeviceFeature:
		return half(t.dev.Features(), t.featureSelect)
	case cfgDriverFeatureSelect:
		return t.driverSelect
	case cfgDriverFeature:
		return half(t.accepted, t.driverSelect)
	case cfgMSIXConfig, cfgQueueVector:
		return noVector
	case cfgNumQueues:
		return uint32(len(t.q))
	case cfgDeviceStatus:
		return uint32(t.status)
	case cfgQueueSelect:
		return uint32(t.queueSelect)
	}
	if int(t.queueSelect) >= len(t.q) {
		return 0
	}
	q := t.q[t.queueSelect]
	switch off {
	case cfgQueueSize:
		return uint32(q.size)
	case cfgQueueEnable:
		if q.enabled {
			return 1
		}
	case cfgQueueNotifyOff:
		return uint32(t.queueSelect)
	case cfgQueueDesc, cfgQueueDesc + 4:
		return half(q.desc, uint32(off-cfgQueueDesc)/4)
	case cfgQueueDriver, cfgQueueDriver + 4:
		return half(q.driver, uint32(off-cfgQueueDriver)/4)
	case cfgQueueDevice, cfgQueueDevice + 4:
		return half(q.device, uint32(off-cfgQueueDevice)/4)
	}
	return 0
}

// half is doubleword i of v.
func half(v uint64, i uint32) uint32 {
	if i > 1 {
		return 0
	}
	return uint32(v >> (32 * i))
}

func setHalf(p *uint64, i, v uint32) {
	if i <= 1 {
		*p = *p&^(0xffffffff<<(32*i)) | uint64(v)<<(32*i)
	}
}

// Out writes a field in its own width.
func (h *common) Out(off uint16, w portio.Width, v uint32) {
	t := h.t
	switch {
	case off == cfgDeviceStatus && w == portio.Byte:
		t.setStatus(uint8(v))
	case off < cfgMSIXConfig && w == portio.DWord:
		switch off {
		case cfgDeviceFeatureSelect:
			t.featureSelect = v
		case cfgDriverFeatureSelect:
			t.driverSelect = v
		case cfgDriverFeature:
			if t.status&statusFeaturesOK == 0 {
				setHalf(&t.accepted, t.driverSelect, v)
			}
		}
	case off == cfgQueueSelect && w == portio.Word:
		t.queueSelect = uint16(v)
	case int(t.queueSelect) < len(t.q):
		t.q[t.queueSelect].configure(off, w, v)
	}
}

// configure is a write to a field of the selected queue. Once a queue is
// enabled it keeps its place until the device is reset.
func (q *Queue) configure(off uint16, w portio.Width, v uint32) {
	if q.enabled {
		return
	}
	switch {
	case off == cfgQueueSize && w == portio.Word:
		// A size that is no power of two, or too large, keeps what it was.
		if n := uint16(v); n != 0 && n&(n-1) == 0 && n <= q.max {
			q.size = n
		}
	case off == cfgQueueEnable && w == portio.Word:
		q.enabled = v == 1 && q.desc != 0 && q.driver != 0 && q.device != 0
	case w != portio.DWord || off >= cfgEnd || off&3 != 0:
	case off >= cfgQueueDevice:
		setHalf(&q.device, uint32(off-cfgQueueDevice)/4, v)
	case off >= cfgQueueDriver:
		setHalf(&q.driver, uint32(off-cfgQueueDriver)/4, v)
	case off >= cfgQueueDesc:
		setHalf(&q.desc, uint32(off-cfgQueueDesc)/4, v)
	}
}

// addConfigAccess appends the capability through which configuration cycles
// reach the registers (Virtio 1.2, "PCI configuration access capability").
func (t *PCI) addConfigAccess() {
	body := make([]uint8, 18)
	body[0], body[1] = 20, capConfig
	at := t.fn.Capability(capVendor, body)
	const barOff, offsetOff, lengthOff, dataOff = 4, 8, 12, 16
	t.fn.Allow(at+barOff, 0xff)
	t.fn.Allow(at+offsetOff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	window := func(off uint8, n int) (portio.Handler, uint16, portio.Width) {
		if off < at+dataOff || off >= at+dataOff+4 {
			return nil, 0, 0
		}
		bar, from := t.fn.Config(at+barOff, 1), t.fn.Config(at+offsetOff, 4)
		w := t.fn.Config(at+lengthOff, 4)
		if bar > 3 || w != 1 && w != 2 && w != 4 || from > barSize[bar]-w || bar == barDevice && t.dev.Config() == nil {
			return nil, 0, 0
		}
		return [4]portio.Handler{&common{t}, &notify{t}, &isr{t}, &deviceConfig{t}}[bar], uint16(from), portio.Width(w)
	}
	t.fn.Written = func(off uint8, n int) {
		if h, from, w := window(off, n); h != nil {
			h.Out(from, w, t.fn.Config(at+dataOff, int(w)))
		}
	}
	t.fn.Reading = func(off uint8, n int) {
		if h, from, w := window(off, n); h != nil {
			t.fn.SetConfig(at+dataOff, int(w), h.In(from, w))
		}
	}
}
