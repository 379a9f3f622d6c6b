package vga

import (
	"testing"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/hw"
)

// BenchmarkFrame is what a frame costs of whose memory all, a sixteenth or
// nothing was written, presented to a sink that gives back the one before. A
// 60th of a second is 16.7 ms.
func BenchmarkFrame(b *testing.B) {
	for _, c := range []struct {
		name string
		set  func(r *rig)
		n    int // bytes on the screen
	}{
		{"text 80x25", func(r *rig) { bios.SetTextMode(&r.ports, r.space) }, 80 * 25 * 8},
		{"planar 640x480", func(r *rig) { r.show(&mode12) }, 640 * 480 / 2},
		{"256 colours 320x200", func(r *rig) { r.show(&mode13) }, 320 * 200},
		{"8 bits 640x480", func(r *rig) { r.extend(640, 480, 8) }, 640 * 480},
		{"16 bits 640x480", func(r *rig) { r.extend(640, 480, 16) }, 640 * 480 * 2},
		{"24 bits 640x480", func(r *rig) { r.extend(640, 480, 24) }, 640 * 480 * 3},
		{"32 bits 640x480", func(r *rig) { r.extend(640, 480, 32) }, 640 * 480 * 4},
		{"32 bits 1024x768", func(r *rig) { r.extend(1024, 768, 32) }, 1024 * 768 * 4},
	} {
		for _, part := range []struct {
			name string
			of   int
		}{{"all", 1}, {"a 16th", 16}, {"nothing", 0}} {
			b.Run(c.name+"/"+part.name, func(b *testing.B) {
				r, j := newRig(b), &juggler{}
				r.SetSink(j)
				bios.SetTextMode(&r.ports, r.space)
				c.set(r)
				fill := uint8(0)
				for b.Loop() {
					if part.of > 0 {
						fill++
						for i := 0; i < c.n/part.of; i += 4096 {
							r.bytes[i] = fill
						}
						r.bank.Touch(0, c.n/part.of)
					}
					r.clock.Advance(hw.Second / 60)
					r.refresh()
				}
			})
		}
	}
}
