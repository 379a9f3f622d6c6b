package dirfs

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

func (o Owners) resolve() Owners {
	switch {
	case o != OwnersAuto:
		return o
	case os.Geteuid() == 0:
		return OwnersHost
	}
	return OwnersSquash
}

// shown is the owner that the guest sees.
func (o Owners) shown(uid, gid uint32) (uint32, uint32) {
	if o == OwnersHost {
		return uid, gid
	}
	if uid == uint32(os.Geteuid()) {
		uid = 0
	}
	if gid == uint32(os.Getegid()) {
		gid = 0
	}
	return uid, gid
}

// chown gives a file to whom the guest says; only what is in valid counts.
func (f *FS) chown(fd int, valid, uid, gid uint32) error {
	if f.owners == OwnersHost {
		u, g := -1, -1
		if valid&v86fs.SetUID != 0 {
			u = int(uid)
		}
		if valid&v86fs.SetGID != 0 {
			g = int(gid)
		}
		return unix.Fchownat(fd, "", u, g, unix.AT_EMPTY_PATH)
	}
	// It stays whose it is, which is the only owner it may be given to.
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		return err
	}
	u, g := f.owners.shown(st.Uid, st.Gid)
	if valid&v86fs.SetUID != 0 && uid != u || valid&v86fs.SetGID != 0 && gid != g {
		return unix.EPERM
	}
	return nil
}
