package machine

import "errors"

var errLockstep = errors.New("shared directories: those of a machine in lockstep stay as they are")

// AddShare has the guest see one more shared directory, and asks it to mount it at a
// path, unless that is empty; a driver that is not there yet, or does not listen,
// mounts it by its name when it likes. done is told, on the machine goroutine,
// whether there is one now: then the machine shuts it down when it is closed.
func (m *Machine) AddShare(x Export, path string, done func(error)) {
	m.Post(func() {
		err := errLockstep
		if m.lockstep == nil {
			err = m.board.fs.AddExport(x)
		}
		if err == nil && path != "" && !m.board.fs.MountNotify(x.Name, path) {
			err = errors.Join(errors.New("shared directory "+x.Name+": its name and "+path+" are too long to tell the guest"),
				m.board.fs.RemoveExport(x.Name))
		}
		done(err)
	})
}

// RemoveShare asks the guest to unmount what is at a path, unless that is empty, and
// ends a shared directory: what is left of it in the guest is stale. done is told, on
// the machine goroutine, how that went.
func (m *Machine) RemoveShare(name, path string, done func(error)) {
	m.Post(func() {
		if m.lockstep != nil {
			done(errLockstep)
			return
		}
		if path != "" {
			m.board.fs.UmountNotify(path)
		}
		done(m.board.fs.RemoveExport(name))
	})
}
