package dirfs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/acl"
)

// With OwnersMapped these attributes of a file of the host hold what the guest is
// to see of it (docs/shared-directories.md, "Owners").
const (
	mappedStat  = "user.gov86.stat" // mode in octal, uid, gid, major, minor
	mappedXattr = "user.gov86.x."   // before names that only root may have
	mappedOurs  = "user.gov86."
)

// A guestStat is what the guest sees of a file, in the place of what the host has.
type guestStat struct{ mode, uid, gid, major, minor uint32 }

// fields is what a guestStat is written as, with a base for each number.
func (g *guestStat) fields() [5]struct {
	p    *uint32
	base int
} {
	return [5]struct {
		p    *uint32
		base int
	}{{&g.mode, 8}, {&g.uid, 10}, {&g.gid, 10}, {&g.major, 10}, {&g.minor, 10}}
}

func (g guestStat) encode() []byte {
	var b []byte
	for i, f := range g.fields() {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, uint64(*f.p), f.base)
	}
	return b
}

// decodeStat reads what encode wrote. What is not that counts for nothing: who can
// write to the host's files may have written it.
func decodeStat(b []byte) (g guestStat, ok bool) {
	words := strings.Fields(string(b))
	all := g.fields()
	if len(words) != len(all) {
		return g, false
	}
	for i, f := range all {
		v, err := strconv.ParseUint(words[i], f.base, 32)
		if err != nil {
			return g, false
		}
		*f.p = uint32(v)
	}
	return g, true
}

// plain is what the guest sees of a file that has no mappedStat.
func (f *FS) plain(st *unix.Statx_t) guestStat {
	g := guestStat{mode: uint32(st.Mode), major: st.Rdev_major, minor: st.Rdev_minor}
	g.uid, g.gid = f.owners.shown(st.Uid, st.Gid)
	return g
}

// mapped is what the guest sees of a file. The type that is written down counts for
// a regular file only, which stands for what the host cannot make.
func (f *FS) mapped(n *node, st *unix.Statx_t) guestStat {
	plain := f.plain(st)
	var buf [64]byte
	var k int
	var err error
	switch {
	case n.file != nil:
		k, err = unix.Getxattr(descriptorPath(n.file.fd), mappedStat, buf[:])
	case n.parent == nil || n.opens > 0 && n.dirfd >= 0:
		k, err = unix.Getxattr(descriptorPath(n.dirfd), mappedStat, buf[:])
	default:
		k, err = unix.Lgetxattr(descriptorPath(n.parent.dirfd)+"/"+n.name, mappedStat, buf[:])
	}
	if err != nil {
		return plain
	}
	g, ok := decodeStat(buf[:k])
	if !ok {
		return plain
	}
	if plain.mode&unix.S_IFMT != unix.S_IFREG || g.mode&unix.S_IFMT == unix.S_IFDIR {
		g.mode = g.mode&0o7777 | plain.mode&unix.S_IFMT
	}
	return g
}

// show has attributes be those that the guest is to see.
func (f *FS) show(n *node, a *v86fs.Attr, st *unix.Statx_t) {
	g := f.mapped(n, st)
	a.Mode, a.UID, a.GID, a.RdevMajor, a.RdevMinor = g.mode, g.uid, g.gid, g.major, g.minor
	n.stands = 0
	if g.mode&unix.S_IFMT != uint32(st.Mode)&unix.S_IFMT {
		n.stands = g.mode & unix.S_IFMT
		if n.stands != unix.S_IFLNK {
			a.Size, a.Blocks = 0, 0
		}
	}
}

// remember has a file be seen as g says, and gives the host those permissions that
// this user needs and nobody else can misuse.
func (f *FS) remember(fd int, g guestStat) error {
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		return err
	}
	path := descriptorPath(fd)
	kind := uint32(st.Mode) & unix.S_IFMT
	if kind != unix.S_IFREG && kind != unix.S_IFDIR {
		if g != f.plain(&st) {
			return unix.EPERM // the host keeps no attributes of it
		}
		return nil
	}
	host := g.mode&0o777 | 0o600
	if kind == unix.S_IFDIR {
		host |= 0o700
	}
	if uint32(st.Mode)&0o7777 != host {
		if err := unix.Fchmodat(unix.AT_FDCWD, path, host, 0); err != nil {
			return err
		}
		st.Mode = uint16(kind | host)
	}
	if g == f.plain(&st) {
		if err := unix.Removexattr(path, mappedStat); err != unix.ENODATA {
			return err
		}
		return nil
	}
	return unix.Setxattr(path, mappedStat, g.encode(), 0)
}

// now is what the guest sees of a file that a descriptor stands for.
func (f *FS) now(fd int) (guestStat, error) {
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		return guestStat{}, err
	}
	if uint32(st.Mode)&unix.S_IFMT == unix.S_IFLNK {
		return f.plain(&st), nil
	}
	path := descriptorPath(fd)
	var buf [64]byte
	if n, err := unix.Getxattr(path, mappedStat, buf[:]); err == nil {
		if g, ok := decodeStat(buf[:n]); ok {
			return g, nil
		}
	}
	return f.plain(&st), nil
}

// setMapped changes owner and permissions as the guest sees them.
func (f *FS) setMapped(fd int, c *v86fs.Change) error {
	g, err := f.now(fd)
	if err != nil {
		return err
	}
	was := g
	if c.Valid&v86fs.SetUID != 0 {
		g.uid = c.UID
	}
	if c.Valid&v86fs.SetGID != 0 {
		g.gid = c.GID
	}
	link := g.mode&unix.S_IFMT == unix.S_IFLNK
	switch {
	case c.Valid&v86fs.SetMode != 0 && link:
		return unix.EOPNOTSUPP
	case c.Valid&v86fs.SetMode != 0:
		g.mode = g.mode&unix.S_IFMT | c.Mode&0o7777
	}
	if c.Valid&v86fs.KillSUID != 0 {
		g.mode &^= 0o4000
	}
	if c.Valid&v86fs.KillSGID != 0 && g.mode&0o010 != 0 {
		g.mode &^= 0o2000
	}
	if g == was {
		return nil
	}
	path := descriptorPath(fd)
	if list, err := getxattr(path, mappedXattr+acl.Access); err == nil && g.mode != was.mode {
		if err := unix.Setxattr(path, mappedXattr+acl.Access, acl.Chmod(list, g.mode), 0); err != nil {
			return err
		}
	}
	return f.remember(fd, g)
}

// finishMapped is finish for a file whose owner and mode are the guest's alone.
func (f *FS) finishMapped(dir int, name string, fd int, w *v86fs.NewFile) (err error) {
	if fd < 0 {
		if fd, err = unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
		defer unix.Close(fd)
	}
	g := guestStat{w.Mode &^ w.Umask, w.UID, w.GID, w.Major, w.Minor}
	if w.Mode&v86fs.ModeType == v86fs.ModeSymlink {
		g.mode = w.Mode&v86fs.ModeType | 0o777
		return f.remember(fd, g)
	}
	if list, err := getxattr(descriptorPath(dir), mappedXattr+acl.Default); err == nil {
		g.mode = w.Mode
		if err := inherit(descriptorPath(fd), list, &g); err != nil {
			return err
		}
	}
	return f.remember(fd, g)
}

// inherit gives a new file its directory's lists.
func inherit(path string, list []byte, g *guestStat) error {
	own := acl.Inherit(list, g.mode)
	mode, keep, err := acl.Set(acl.Access, own, g.mode, 0)
	if err != nil {
		return nil // it is no list
	}
	g.mode = mode
	if keep {
		if err := unix.Setxattr(path, mappedXattr+acl.Access, own, 0); err != nil {
			return err
		}
	}
	if g.mode&unix.S_IFMT == unix.S_IFDIR {
		return unix.Setxattr(path, mappedXattr+acl.Default, list, 0)
	}
	return nil
}

// createMapped makes what the host may not, or keeps no owner of: a regular file
// stands for it.
func (f *FS) createMapped(dir int, name string, w *v86fs.NewFile) error {
	kind := w.Mode & v86fs.ModeType
	link := kind == v86fs.ModeSymlink
	if kind == v86fs.ModeDir || link && w.UID == 0 && w.GID == 0 {
		return create(dir, name, w)
	}
	fd, err := unix.Openat(dir, name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if link {
		_, err = unix.Write(fd, []byte(w.Target))
	}
	return err
}

// readStandIn reads the target of a symbolic link that a regular file stands for.
func readStandIn(fd int) (string, error) {
	file, err := unix.Open(descriptorPath(fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(file)
	buf := [unix.PathMax]byte{}
	n, err := unix.Pread(file, buf[:], 0)
	return string(buf[:max(n, 0)]), err
}

// chownLink gives a symbolic link of the host an owner: a regular file takes its
// place, and is the same node.
func (f *FS) chownLink(n *node, c *v86fs.Change) error {
	g, err := guestStat{}, error(nil)
	var target string
	err = f.hold(n, func(fd int) error {
		if g, err = f.now(fd); err != nil {
			return err
		}
		buf := [unix.PathMax + 1]byte{}
		k, err := unix.Readlinkat(fd, "", buf[:])
		target = string(buf[:max(k, 0)])
		return err
	})
	if err != nil {
		return err
	}
	w := v86fs.NewFile{Mode: g.mode, UID: g.uid, GID: g.gid, Target: target}
	if c.Valid&v86fs.SetUID != 0 {
		w.UID = c.UID
	}
	if c.Valid&v86fs.SetGID != 0 {
		w.GID = c.GID
	}
	if w.UID == g.uid && w.GID == g.gid {
		return nil
	}
	dir, err := f.directory(n.parent)
	if err != nil {
		return err
	}
	temporary := fmt.Sprintf(".gov86-%016x", rand.Uint64())
	var st unix.Statx_t
	err = f.createMapped(dir, temporary, &w)
	if err == nil {
		err = errors.Join(f.finishMapped(dir, temporary, -1, &w), unix.Renameat(dir, temporary, dir, n.name))
	}
	if err == nil {
		err = unix.Statx(dir, n.name, unix.AT_SYMLINK_NOFOLLOW, statMask, &st)
	}
	if err != nil {
		unix.Unlinkat(dir, temporary, 0)
		return fault(err)
	}
	delete(f.known, n.id)
	n.id, n.mode = identityOf(&st), uint32(st.Mode)
	f.known[n.id] = n
	return nil
}

// types puts the types that the guest sees into a listing.
func (f *FS) types(dir int, list []v86fs.Entry) {
	prefix := descriptorPath(dir) + "/"
	var buf [64]byte
	for i := range list {
		e := &list[i]
		if e.Type != unix.DT_REG {
			continue
		}
		if n, err := unix.Lgetxattr(prefix+e.Name, mappedStat, buf[:]); err == nil {
			if g, ok := decodeStat(buf[:n]); ok && g.mode&unix.S_IFMT != unix.S_IFDIR {
				e.Type = uint8(g.mode & unix.S_IFMT >> 12)
			}
		}
	}
}

// hostName is what an attribute of the guest's is called on the host; empty if the
// guest may not have it.
func (f *FS) hostName(name string) string {
	switch {
	case f.owners != OwnersMapped && f.permitted(name):
		return name
	case f.owners != OwnersMapped, name == "", strings.HasPrefix(name, mappedOurs):
		return ""
	case strings.HasPrefix(name, "user."):
		return name
	case name == acl.Access, name == acl.Default, strings.HasPrefix(name, "trusted."), strings.HasPrefix(name, "security."):
		return mappedXattr + name
	}
	return ""
}

// guestName is what an attribute of the host's is called in the guest; empty if the
// guest may not have it.
func (f *FS) guestName(name string) string {
	if f.owners != OwnersMapped {
		if f.permitted(name) {
			return name
		}
		return ""
	}
	if inner, ok := strings.CutPrefix(name, mappedXattr); ok {
		return inner
	}
	if strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, mappedOurs) {
		return name
	}
	return ""
}

// setListOf is Setxattr for an access control list.
func (f *FS) setListOf(number v86fs.Node, name string, list []byte, flags uint32) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return err
	}
	n.bare = false
	f.begin(n)
	defer f.end(n)
	return f.hold(n, func(fd int) error { return f.setList(fd, name, list, flags) })
}

// setList sets an access control list, and the permissions that say the same.
func (f *FS) setList(fd int, name string, list []byte, flags uint32) error {
	g, err := f.now(fd)
	if err != nil {
		return err
	}
	mode, keep, err := acl.Set(name, list, g.mode, flags)
	if err != nil {
		return err
	}
	path := descriptorPath(fd)
	if keep {
		err = unix.Setxattr(path, mappedXattr+name, list, int(flags&(v86fs.XattrCreate|v86fs.XattrReplace)))
	} else if err = unix.Removexattr(path, mappedXattr+name); err == unix.ENODATA {
		err = nil
	}
	if err != nil || mode == g.mode {
		return err
	}
	g.mode = mode
	return f.remember(fd, g)
}
