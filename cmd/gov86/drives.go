package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gov86/gov86/disk"
	"github.com/gov86/gov86/machine"
)

// A drive is a disk, or a CD-ROM drive, as a flag asks for it.
type drive struct {
	disk.Options
	flag  string // as it was given
	file  string
	cdrom bool
	// virtio puts it behind virtio instead of IDE.
	virtio bool
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
		return true, failure{d.flag, "there is no format " + value, "write format=raw or format=qcow2"}
	case key == "if" && (value == "ide" || value == "virtio"):
		d.virtio = value == "virtio"
	case key == "if":
		return true, failure{d.flag, "there is no controller " + value, "write if=ide or if=virtio"}
	default:
		return false, nil
	}
	return true, nil
}

// parseDrive reads FILE[,OPTION]...: from the end on, what is an option. A file
// whose name ends like one is written with ",rw" after it.
func parseDrive(flag, v string) (drive, error) {
	d := drive{flag: flag + " " + v, file: v}
	for {
		i := strings.LastIndexByte(d.file, ',')
		if i < 0 {
			break
		}
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
		return d, failure{d.flag, "names no file", "write " + flag + " FILE"}
	}
	return d, nil
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
	for _, v := range f.disks {
		d, err := parseDrive("--disk", v)
		if err == nil && locked && !d.ReadOnly && !d.Snapshot {
			err = failure{d.flag, "both machines of lockstep would write to it", "write --disk " + v + ",snapshot"}
		}
		f.drives, wrong = append(f.drives, d), append(wrong, err)
	}
	for _, v := range f.cdroms {
		f.drives = append(f.drives, drive{flag: "--cdrom " + v, file: v, cdrom: true, Options: disk.Options{ReadOnly: true}})
	}
	_, err := f.places()
	return errors.Join(append(wrong, err)...)
}

// places are where the drives are on IDE. CD-ROM drives come first on the
// secondary channel, where systems look for one, and disks take what remains.
func (f *driveFlags) places() (at []int, err error) {
	var taken [machine.IDEDevices]bool
	at = make([]int, len(f.drives))
	disks := 0
	for _, cdrom := range []bool{true, false} {
		order := [machine.IDEDevices]int{0, 1, 2, 3}
		if cdrom {
			order = [machine.IDEDevices]int{2, 3, 1, 0}
		}
		for i, d := range f.drives {
			switch {
			case d.cdrom != cdrom:
				continue
			case d.virtio:
				if disks++; disks > machine.VirtioDisks {
					return nil, failure{d.flag, fmt.Sprintf("there are %d disks behind virtio already", machine.VirtioDisks), "give fewer"}
				}
				continue
			}
			at[i] = -1
			for _, place := range order {
				if !taken[place] {
					taken[place], at[i] = true, place
					break
				}
			}
			if at[i] < 0 {
				return nil, failure{d.flag, "IDE has four places, and all are taken", "give fewer drives"}
			}
		}
	}
	return at, nil
}

// openFloppies opens what is in the floppy drives. The second drive comes with
// the first.
func (f *driveFlags) openFloppies(s *machine.Storage) error {
	for i, v := range f.floppies {
		if v == "" {
			continue
		}
		flag := [2]string{"--fda", "--fdb"}[i]
		d, err := parseDrive(flag, v)
		if err != nil {
			return err
		}
		image, err := disk.Open(d.file, d.Options)
		if err != nil {
			return err
		}
		if !machine.FloppySize(image.Size()) {
			return errors.Join(failure{d.file, fmt.Sprintf("no floppy disk has %d bytes", image.Size()),
				"make it as large as one, for example with truncate -s 1440K"}, image.Close())
		}
		s.Floppy[i] = machine.FloppyDrive{Present: true, Image: image}
	}
	return nil
}

// open opens the images.
func (f *driveFlags) open() (s machine.Storage, err error) {
	at, err := f.places()
	if err != nil {
		return s, err
	}
	for i, d := range f.drives {
		image, err := disk.Open(d.file, d.Options)
		if err != nil {
			return s, errors.Join(err, s.Close())
		}
		if d.virtio {
			s.Virtio = append(s.Virtio, image)
			continue
		}
		s.IDE[at[i]] = machine.Drive{Image: image, CDROM: d.cdrom}
	}
	if err := f.openFloppies(&s); err != nil {
		return s, errors.Join(err, s.Close())
	}
	return s, nil
}
