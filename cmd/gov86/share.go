package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/gov86/gov86/machine"
)

// defaultShare names the shared directory that was given no name.
const defaultShare = "host"

// memoryShare is, in the place of a directory, an empty one in memory.
const memoryShare = "mem:"

// A share is a directory that the guest sees.
type share struct {
	name     string
	dir      string
	readOnly bool
	owners   string
	overlay  string // that takes the changes, if any
}

// shareName is what a name may be: it stands in the guest's kernel command
// line and in a path below /mnt.
var shareName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// shareForm is how a share is written.
const shareForm = "[NAME=]DIR[,ro][,owners=OWNERS][,cow=OVERLAY]"

// parseShare reads what shareForm says. What stands before the first equals sign
// is a name only if it could be one, so that a directory with an equals sign is
// written with a slash before it: ./a=b. A directory that ends in what could be an
// option is written with ",rw" after it, which ends the options.
func parseShare(v string) (share, error) {
	s := share{name: defaultShare, dir: v}
	if name, dir, named := strings.Cut(v, "="); named && shareName.MatchString(name) {
		s.name, s.dir = name, dir
	}
	for s.option() {
	}
	if s.dir == "" {
		return share{}, failure{"--fs " + v, "names no directory", "write --fs " + shareForm}
	}
	return s, nil
}

// option takes the last option off the directory, and reports whether there may be
// more. The first of two of a kind counts.
func (s *share) option() bool {
	i := strings.LastIndexByte(s.dir, ',')
	if i < 0 {
		return false
	}
	option := s.dir[i+1:]
	name, value, _ := strings.Cut(option, "=")
	switch {
	case option == "ro":
		s.readOnly = true
	case option == "rw":
		s.dir = s.dir[:i]
		return false
	case name == "owners":
		s.owners = value
	case name == "cow":
		s.overlay = value
	default:
		return false
	}
	s.dir = s.dir[:i]
	return true
}

// parseShares reads every --fs.
func parseShares(values []string) ([]share, error) {
	var shares []share
	var wrong []error
	seen := map[string]string{}
	for _, v := range values {
		s, err := parseShare(v)
		if err == nil {
			err = s.check(seen[s.name])
		}
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		seen[s.name] = s.dir
		shares = append(shares, s)
	}
	return shares, errors.Join(wrong...)
}

// check reports a share that can't be had. other is the directory that already
// has its name, if any.
func (s share) check(other string) error {
	if other != "" {
		return failure{"--fs " + s.dir, "its name " + s.name + " is that of " + other + " already",
			"write --fs NAME=" + s.dir}
	}
	if err := s.options().Check(); err != nil {
		return failure{"--fs " + s.dir, err.Error(), "write --fs " + shareForm}
	}
	if s.dir == memoryShare {
		if s.overlay != "" {
			return failure{"--fs " + s.dir, "there is nothing under the changes", "leave out cow=" + s.overlay}
		}
		return nil
	}
	const remedy = "give --fs an existing directory"
	switch info, err := os.Stat(s.dir); {
	case errors.Is(err, fs.ErrNotExist):
		return failure{s.dir, "there is no such directory", remedy}
	case err != nil:
		return failure{s.dir, cause(err), remedy}
	case !info.IsDir():
		return failure{s.dir, "it is not a directory", remedy}
	}
	return nil
}

// cause is what went wrong with a file, without the name that is told anyway.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}

func (s *share) options() machine.ShareOptions {
	return machine.ShareOptions{ReadOnly: s.readOnly, Owners: s.owners, Overlay: s.overlay}
}

// open opens the share for a machine.
func (s *share) open() (machine.Export, error) {
	if s.dir == memoryShare {
		x := machine.ShareMemory(s.name, 0)
		x.ReadOnly = s.readOnly
		return x, nil
	}
	x, err := machine.Share(s.name, s.dir, s.options())
	if err != nil {
		return x, failure{s.dir, cause(err), "give --fs a directory that can be read"}
	}
	return x, nil
}
