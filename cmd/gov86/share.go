package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strings"
)

// defaultShare names the shared directory that was given no name.
const defaultShare = "host"

// A share is a host directory that the guest sees.
type share struct {
	name     string
	dir      string
	readOnly bool
}

// shareName is what a name may be: it stands in the guest's kernel command
// line and in a path below /mnt.
var shareName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// parseShare reads [NAME=]DIR[,ro]. What stands before the first equals sign is
// a name only if it could be one, so that a directory with an equals sign is
// written with a slash before it: ./a=b. A directory that ends in ",ro" is
// written with ",rw" after it.
func parseShare(v string) (share, error) {
	s := share{name: defaultShare, dir: v}
	if name, dir, named := strings.Cut(v, "="); named && shareName.MatchString(name) {
		s.name, s.dir = name, dir
	}
	if dir, ok := strings.CutSuffix(s.dir, ",ro"); ok {
		s.dir, s.readOnly = dir, true
	} else {
		s.dir = strings.TrimSuffix(s.dir, ",rw")
	}
	if s.dir == "" {
		return share{}, failure{"--fs " + v, "names no directory", "write --fs [NAME=]DIR[,ro]"}
	}
	return s, nil
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
