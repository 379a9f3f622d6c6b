package machine

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/disk"
	"github.com/gov86/gov86/mem"
)

func TestConfigurationsThatCannotBe(t *testing.T) {
	kernel := image(halt, nil)
	for _, c := range []struct {
		name string
		cfg  Config
		want []string
	}{
		{"a kernel and firmware", Config{Kernel: kernel, Firmware: bios.SeaBIOS}, []string{"firmware", "kernel"}},
		{"an unknown device to boot", Config{Boot: Boot{Order: "cx"}}, []string{"boot order", "'x'"}},
		{"too little memory", Config{Kernel: kernel, Memory: mem.MinRAM - mem.PageSize}, []string{"memory", "1 MiB to 3072 MiB"}},
		{"too much memory", Config{Kernel: kernel, Memory: mem.MaxRAM + mem.PageSize}, []string{"memory"}},
		{"half a page of memory", Config{Kernel: kernel, Memory: 8<<20 + 2048}, []string{"memory", "4 KiB"}},
		{"a processor nobody made", Config{Kernel: kernel, Model: "80986"}, []string{"80986"}},
		{"two directories of one name", Config{Kernel: kernel, Exports: []v86fs.Export{{Name: "x"}, {Name: "x"}}}, []string{"x"}},
		{"an engine nobody made", Config{Kernel: kernel, Engine: "fast"}, []string{"fast", "interp, jit, lockstep"}},
		{"lockstep that writes", Config{Kernel: kernel, Engine: Lockstep, Exports: []v86fs.Export{{Name: "x"}},
			SecondExports: []v86fs.Export{{Name: "x"}}}, []string{"x", "read-only"}},
		{"lockstep with one directory", Config{Kernel: kernel, Engine: Lockstep, Exports: []v86fs.Export{{Name: "x", ReadOnly: true}}},
			[]string{"second machine"}},
		{"lockstep with one disk", Config{Kernel: kernel, Engine: Lockstep, Storage: Storage{
			Virtio: []disk.Image{disk.Memory(make([]byte, 512), true)}}}, []string{"disks"}},
		{"lockstep with a breakpoint", Config{Kernel: kernel, Engine: Lockstep, Breaks: []uint32{1}}, []string{"breakpoints"}},
		{"everything at once", Config{Memory: 1, Model: "80986", Boot: Boot{Order: "x"}}, []string{"boot order", "memory", "80986"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(c.cfg, Host{})
			if err == nil {
				t.Fatal("it was put together")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not tell of %q", err, want)
				}
			}
		})
	}
}

func TestImagesThatCannotStartAreBIOSErrors(t *testing.T) {
	for part, cfg := range map[string]Config{
		"kernel":       {Kernel: []byte("#!/bin/sh")},
		"initrd":       {Kernel: image(halt, nil), Initrd: bytes.Repeat([]byte{1}, 8<<20), Memory: 8 << 20},
		"command line": {Kernel: image(halt, nil), CommandLine: strings.Repeat("x", 1<<17)},
		"memory":       {Kernel: image(halt, nil), Memory: mem.MinRAM},
		"firmware":     {Firmware: make([]byte, 1000)},
		"option ROM":   {VGABIOS: make([]byte, 1000)},
	} {
		_, err := New(cfg, Host{})
		bad := new(bios.Error)
		if !errors.As(err, &bad) || bad.Part != part {
			t.Errorf("error %v, want one about the %s", err, part)
		}
	}
}
