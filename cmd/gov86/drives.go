package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gov86/gov86/disk"
	"github.com/gov86/gov86/disk/dirdisk"
	"github.com/gov86/gov86/machine"
)

// A driveKind is the flag that asks for a drive.
type driveKind string

const (
	hardDisk driveKind = "--disk"
	cdrom    driveKind = "--cdrom"
	floppyA  driveKind = "--fda"
	floppyB  driveKind = "--fdb"
)

// A drive is a drive with what is in it, as a flag asks for it.
type drive struct {
	disk.Options
	kind  driveKind
	value string // as it was given
	file  string // or, but for a hard disk, a directory
	// virtio puts a hard disk behind virtio instead of IDE.
	virtio bool
}

// fail is what is wrong with the flag.
func (d *drive) fail(what, remedy string) error {
	return failure{string(d.kind) + " " + d.value, what, remedy}
}

// parseDrive reads FILE[,OPTION]...: from the end on, what is an option. A file
// whose name ends like one is written with ",rw" after it.
func parseDrive(kind driveKind, value string) (drive, error) {
	d := drive{kind: kind, value: value, file: value}
	if kind == cdrom {
		d.ReadOnly = true
	}
	for i := strings.LastIndexByte(d.file, ','); i >= 0 && kind != cdrom; i = strings.LastIndexByte(d.file, ',') {
		known, err := d.option(d.file[i+1:])
		if err != nil {
			return d, err
		}
		if !known {
			break
		}
		d.file = d.file[:i]
	}
	if d.file == "" {
		return d, d.fail("names no file", "write "+string(kind)+" FILE")
	}
	return d, nil
}

// option takes what stands behind a file's name, and reports whether it is one.
func (d *drive) option(word string) (known bool, err error) {
	switch key, value, _ := strings.Cut(word, "="); {
	case word == "ro":
		d.ReadOnly = true
	case word == "rw":
	case word == "snapshot":
		d.Snapshot = true
	case key == "overlay" && value != "":
		d.Overlay = value
	case key == "format" && (value == disk.Raw || value == disk.QCOW2):
		d.Format = value
	case key == "format":
		return true, d.fail("there is no format "+value, "write format=raw or format=qcow2")
	case key == "if" && d.kind == hardDisk && (value == "ide" || value == "virtio"):
		d.virtio = value == "virtio"
	case key == "if" && d.kind == hardDisk:
		return true, d.fail("there is no controller "+value, "write if=ide or if=virtio")
	default:
		return false, nil
	}
	return true, nil
}

// isDir reports whether the drive holds a directory.
func (d *drive) isDir() bool {
	info, err := os.Stat(d.file)
	return err == nil && info.IsDir() && d.kind != hardDisk
}

// open opens what is in the drive.
func (d *drive) open() (disk.Image, error) {
	switch {
	case d.isDir() && d.kind == cdrom:
		return dirdisk.ISO(d.file)
	case d.isDir():
		return dirdisk.Floppy(d.file, !d.Snapshot)
	}
	return disk.Open(d.file, d.Options)
}

// A driveFlags is the flags that ask for drives.
type driveFlags struct {
	disks, cdroms []string
	floppies      [2]string
	drives        []drive // what they ask for
}

// parse reads all the flags.
func (f *driveFlags) parse(locked bool) error {
	var wrong []error
	add := func(kind driveKind, values ...string) {
		for _, v := range values {
			if v == "" {
				continue
			}
			d, err := parseDrive(kind, v)
			if err == nil && locked && !d.ReadOnly && !d.Snapshot && !d.isDir() {
				err = d.fail("both machines of lockstep would write to it", fmt.Sprintf("write %s %s,snapshot", kind, v))
			}
			f.drives, wrong = append(f.drives, d), append(wrong, err)
		}
	}
	add(hardDisk, f.disks...)
	add(cdrom, f.cdroms...)
	add(floppyA, f.floppies[0])
	add(floppyB, f.floppies[1])
	_, err := f.places()
	return errors.Join(append(wrong, err)...)
}

// places are where the drives are on IDE. CD-ROM drives come first on the
// secondary channel, where systems look for one, and disks take what remains.
func (f *driveFlags) places() (at []int, err error) {
	var taken [machine.IDEDevices]bool
	at = make([]int, len(f.drives))
	take := func(i int, order [machine.IDEDevices]int) error {
		for _, place := range order {
			if !taken[place] {
				taken[place], at[i] = true, place
				return nil
			}
		}
		return f.drives[i].fail("IDE has four places, and all are taken", "give fewer, or write if=virtio behind a disk")
	}
	var virtio int
	for i, d := range f.drives {
		if d.kind == cdrom {
			err = errors.Join(err, take(i, [...]int{2, 3, 1, 0}))
		}
	}
	for i, d := range f.drives {
		switch {
		case d.kind != hardDisk:
		case !d.virtio:
			err = errors.Join(err, take(i, [...]int{0, 1, 2, 3}))
		case virtio == machine.VirtioDisks:
			err = errors.Join(err, d.fail(fmt.Sprintf("there are %d disks behind virtio already", virtio), "give fewer"))
		default:
			virtio++
		}
	}
	return at, err
}

// open opens what is in all drives.
func (f *driveFlags) open() (s machine.Storage, err error) {
	at, err := f.places()
	if err != nil {
		return s, err
	}
	for i, d := range f.drives {
		image, err := d.open()
		if err != nil {
			return s, errors.Join(err, s.Close())
		}
		switch d.kind {
		case hardDisk, cdrom:
			if d.virtio {
				s.Virtio = append(s.Virtio, image)
			} else {
				s.IDE[at[i]] = machine.Drive{Image: image, CDROM: d.kind == cdrom}
			}
		case floppyA:
			s.Floppy[0] = machine.FloppyDrive{Present: true, Image: image}
		case floppyB:
			s.Floppy[1] = machine.FloppyDrive{Present: true, Image: image}
		}
		if d.kind != hardDisk && d.kind != cdrom && !machine.FloppySize(image.Size()) {
			return s, errors.Join(failure{d.file, fmt.Sprintf("no floppy disk has %d bytes", image.Size()),
				"make it as large as one, for example with truncate -s 1440K"}, s.Close())
		}
	}
	return s, nil
}
