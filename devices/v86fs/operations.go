package v86fs

import "github.com/gov86/gov86/devices/v86fs/wire"

const (
	replyAttr  = wire.ReplySize + wire.AttrSize
	replyOpen  = replyAttr + 16
	replyWrite = replyAttr + 16
	replyCopy  = replyAttr + 8
)

// operations are the requests of the extended protocol.
var operations [256]operation

func init() {
	operations = [256]operation{
		wire.Mount2:      {size: replyAttr + 8, plan: (*session).planMount},
		wire.Umount:      {size: wire.ReplySize, mount: true, plan: (*session).planUmount},
		wire.Exports:     {size: wire.ReplySize, plan: (*session).planExports},
		wire.Lookup2:     {size: replyAttr, mount: true, node: true, plan: (*session).planLookup},
		wire.Forget:      {mount: true, plan: (*session).planForget},
		wire.Getattr2:    {size: replyAttr, mount: true, node: true, plan: (*session).planGetattr},
		wire.Setattr2:    {size: replyAttr, mount: true, node: true, changes: true, plan: (*session).planSetattr},
		wire.Create2:     {size: replyOpen, mount: true, node: true, changes: true, plan: (*session).planCreate},
		wire.Open2:       {size: replyOpen, mount: true, node: true, plan: (*session).planOpen},
		wire.Release:     {size: wire.ReplySize, mount: true, node: true, plan: (*session).planRelease},
		wire.Read2:       {size: wire.ReplySize, mount: true, node: true, plan: (*session).planRead},
		wire.Write2:      {size: replyWrite, mount: true, node: true, changes: true, plan: (*session).planWrite},
		wire.Fsync2:      {size: wire.ReplySize, mount: true, node: true, plan: (*session).planFsync},
		wire.Fallocate:   {size: replyAttr, mount: true, node: true, changes: true, plan: (*session).planFallocate},
		wire.Seek:        {size: wire.ReplySize + 8, mount: true, node: true, plan: (*session).planSeek},
		wire.CopyRange:   {size: replyCopy, mount: true, node: true, changes: true, plan: (*session).planCopyRange},
		wire.Mknod:       {size: replyAttr, mount: true, node: true, changes: true, plan: (*session).planMknod},
		wire.Mkdir2:      {size: replyAttr, mount: true, node: true, changes: true, plan: (*session).planMkdir},
		wire.Symlink2:    {size: replyAttr, mount: true, node: true, changes: true, plan: (*session).planSymlink},
		wire.Link:        {size: replyAttr, mount: true, node: true, changes: true, plan: (*session).planLink},
		wire.Unlink2:     {size: wire.ReplySize, mount: true, node: true, changes: true, plan: (*session).planUnlink},
		wire.Rmdir:       {size: wire.ReplySize, mount: true, node: true, changes: true, plan: (*session).planRmdir},
		wire.Rename2:     {size: wire.ReplySize, mount: true, node: true, changes: true, plan: (*session).planRename},
		wire.Tmpfile:     {size: replyOpen, mount: true, node: true, changes: true, plan: (*session).planTmpfile},
		wire.Readlink2:   {size: wire.ReplySize, mount: true, node: true, plan: (*session).planReadlink},
		wire.Readdir2:    {size: wire.ReplySize, mount: true, node: true, plan: (*session).planReaddir},
		wire.Statfs2:     {size: wire.ReplySize + 72, mount: true, plan: (*session).planStatfs},
		wire.Syncfs:      {size: wire.ReplySize, mount: true, plan: (*session).planSyncfs},
		wire.Getxattr:    {size: wire.ReplySize + 8, mount: true, node: true, plan: (*session).planGetxattr},
		wire.Setxattr:    {size: wire.ReplySize, mount: true, node: true, changes: true, plan: (*session).planSetxattr},
		wire.Listxattr:   {size: wire.ReplySize + 8, mount: true, node: true, plan: (*session).planListxattr},
		wire.Removexattr: {size: wire.ReplySize, mount: true, node: true, changes: true, plan: (*session).planRemovexattr},
		wire.Getlk:       {size: wire.ReplySize + 24, mount: true, node: true, plan: (*session).planGetlk},
		wire.Setlk:       {size: wire.ReplySize, mount: true, node: true, plan: (*session).planSetlk},
		wire.Interrupt:   {size: wire.ReplySize, plan: (*session).planInterrupt},
	}
}

// nothing is a response without a body.
func nothing() (wire.Message, error) { return nil, nil }

// planMount is MOUNT2.
func (s *session) planMount(c *call) (plan, error) {
	var m wire.Mount2Request
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	export, err := s.d.exportOf(m.Name)
	if err != nil {
		return plan{}, err
	}
	if len(s.mounts) >= mountLimit {
		return plan{}, ENFILE
	}
	c.x = &s.d.exports[export]
	var root Attr
	return plan{
		work: func() (err error) { root, err = c.x.Backend.Root(); return err },
		finish: func() (wire.Message, error) {
			return s.mount(uint32(export), c.x, m.Flags&wire.MountReadOnly != 0, &root)
		},
	}, nil
}

func (s *session) mount(export uint32, x *Export, readOnly bool, root *Attr) (wire.Message, error) {
	m := &mount{export: export, x: x, readOnly: readOnly || x.ReadOnly, traits: x.Backend.Traits(),
		nodes: map[uint64]*node{}, known: map[Node]*node{}}
	n, err := s.meet(m, root)
	if err != nil {
		return nil, err
	}
	m.root = n
	s.lastMount++
	m.id = s.lastMount
	s.mounts[m.id] = m
	out := &wire.Mount2Response{Mount: m.id, Flags: m.traits.Flags, Root: s.block(n, root, n)}
	if m.readOnly {
		out.Flags |= wire.MountReadOnly
	}
	if root.Watched {
		out.Flags |= wire.MountWatched
	}
	out.Root.EntryValid = 0
	return out, nil
}

// planUmount is UMOUNT.
func (s *session) planUmount(c *call) (plan, error) {
	s.unmount(c.mount)
	return plan{}, nil
}

// planExports is EXPORTS.
func (s *session) planExports(c *call) (plan, error) {
	var m wire.ExportsRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	room := min(int(m.Size), c.room())
	i := int(min(m.First, uint32(len(s.d.exports))))
	for ; i < len(s.d.exports); i++ {
		x := &s.d.exports[i]
		if x.gone {
			continue
		}
		e := wire.ExportEntry{Name: x.Name}
		if x.ReadOnly {
			e.Flags = 1
		}
		next := wire.AppendMessage(c.data, &e)
		if len(next) > room {
			if len(c.data) == 0 {
				return plan{}, EINVAL
			}
			return plan{}, nil
		}
		c.data = next
	}
	c.flags = wire.ReplyEnd
	return plan{}, nil
}

// room is how much data the writable part has room for.
func (c *call) room() int { return c.chain.Writable() - c.op.size }

// planForget is FORGET.
func (s *session) planForget(c *call) (plan, error) {
	var m wire.ForgetRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	for _, f := range m.Nodes {
		s.forget(c.mount, f.Node, f.Lookups)
	}
	return plan{}, nil
}

// planStatfs is STATFS2.
func (s *session) planStatfs(c *call) (plan, error) {
	var st Statfs
	return plan{
		work: func() (err error) { st, err = c.x.Backend.Statfs(); return err },
		finish: func() (wire.Message, error) {
			out := &wire.Statfs2Response{Blocks: st.Blocks, Free: st.Free, Available: st.Available, Files: st.Files,
				FilesFree: st.FilesFree, Bsize: st.BlockSize, Frsize: st.FragmentSize, Namelen: st.NameLength,
				Kind: st.Kind, ID: st.ID, Flags: st.Flags}
			if out.Frsize == 0 {
				out.Frsize = out.Bsize
			}
			if out.Namelen == 0 || out.Namelen > wire.MaxName {
				out.Namelen = wire.MaxName
			}
			return out, nil
		},
	}, nil
}

// planSyncfs is SYNCFS.
func (s *session) planSyncfs(c *call) (plan, error) {
	return plan{work: c.x.Backend.Sync, finish: nothing}, nil
}

// planInterrupt is INTERRUPT.
func (s *session) planInterrupt(c *call) (plan, error) {
	var m wire.InterruptRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	b := s.blocked[m.Tag]
	if b == nil {
		return plan{}, ENOENT
	}
	b.cancel()
	return plan{}, nil
}
