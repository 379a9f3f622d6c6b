// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks. The host grants them; the kernel keeps a list of its own beside, so
 * that it knows what to take away when a file is closed.
 */
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include "v86fs.h"

/* Numbers for owners tell nobody where they lie in memory. */
static u64 owner_of(const struct v86fs_sb *s, const void *owner, bool flock)
{
	return ((u64)(unsigned long)owner ^ s->owner_key) << 1 | flock;
}

static struct v86fs_req *lock_req(struct file *file, u8 type, const struct file_lock *fl,
				  u32 flags, unsigned int in_len)
{
	struct inode *inode = file_inode(file);
	struct v86fs_sb *s = V86FS_SB(inode->i_sb);
	struct v86fs_req *req = v86fs_req_new(s, type, V86FS_I(inode)->node,
					      sizeof(struct v86fs_lock_q), in_len);
	struct v86fs_lock_q *q;

	if (!req)
		return NULL;
	q = req->out;
	q->handle = cpu_to_le64(v86fs_file(file)->handle);
	q->owner = cpu_to_le64(owner_of(s, fl->fl_owner, flags & V86FS_LOCK_FLOCK));
	q->start = cpu_to_le64(fl->fl_start);
	q->end = cpu_to_le64(fl->fl_end == OFFSET_MAX ? V86FS_LAST_BYTE : fl->fl_end);
	q->type = cpu_to_le32(fl->fl_type == F_RDLCK ? V86FS_LOCK_READ :
			      fl->fl_type == F_WRLCK ? V86FS_LOCK_WRITE : V86FS_LOCK_NONE);
	q->flags = cpu_to_le32(flags);
	return req;
}

/* Asks the device to give up a request that waits. */
static void interrupt(struct v86fs_sb *s, u16 tag)
{
	struct v86fs_req *req = v86fs_req_new(s, V86FS_INTERRUPT, 0,
					      sizeof(struct v86fs_interrupt_q),
					      sizeof(struct v86fs_response));

	if (!req)
		return;
	((struct v86fs_request *)req->out)->mount = 0;
	((struct v86fs_interrupt_q *)req->out)->tag = cpu_to_le16(tag);
	v86fs_req_send(req);
	v86fs_req_put(req);
}

/* Sends a request for a lock, and waits as long as no signal comes. */
static int ask(struct file *file, const struct file_lock *fl, u32 flags)
{
	struct v86fs_sb *s = V86FS_SB(file_inode(file)->i_sb);
	struct v86fs_req *req = lock_req(file, V86FS_SETLK, fl, flags, sizeof(struct v86fs_response));
	int err;

	if (!req)
		return -ENOMEM;
	err = v86fs_req_send(req);
	if (!err && wait_for_completion_interruptible(&req->done)) {
		interrupt(s, req->tag);
		/* It is answered all the same, and may have been granted. */
		wait_for_completion(&req->done);
	}
	err = err ?: req->err;
	v86fs_req_put(req);
	return err == -EINTR ? -ERESTARTSYS : err;
}

static int set_lock(struct file *file, int cmd, struct file_lock *fl, u32 flags)
{
	int err;

	if (fl->fl_type == F_UNLCK) {
		/* The list first: whoever closes must not wait for an answer in vain. */
		locks_lock_file_wait(file, fl);
		return ask(file, fl, flags);
	}
	if (IS_SETLKW(cmd))
		flags |= V86FS_LOCK_WAIT;
	/* What must be written is seen by who has the lock next, and the other way round. */
	err = ask(file, fl, flags);
	if (err)
		return err;
	err = locks_lock_file_wait(file, fl);
	if (!err)
		v86fs_refresh(file_inode(file), true);
	return err;
}

static int get_lock(struct file *file, struct file_lock *fl)
{
	struct v86fs_req *req = lock_req(file, V86FS_GETLK, fl, 0, sizeof(struct v86fs_lock_r));
	struct v86fs_lock_r *r;
	u64 end;
	int err;

	if (!req)
		return -ENOMEM;
	r = req->in;
	err = v86fs_req_call(req);
	if (!err) {
		switch (le32_to_cpu(r->type)) {
		case V86FS_LOCK_READ:
			fl->fl_type = F_RDLCK;
			break;
		case V86FS_LOCK_WRITE:
			fl->fl_type = F_WRLCK;
			break;
		default:
			fl->fl_type = F_UNLCK;
		}
		if (fl->fl_type != F_UNLCK) {
			end = le64_to_cpu(r->end);
			fl->fl_start = le64_to_cpu(r->start);
			fl->fl_end = end >= V86FS_LAST_BYTE ? OFFSET_MAX : end;
			fl->fl_pid = le32_to_cpu(r->pid);
		}
	}
	v86fs_req_put(req);
	return err;
}

static bool local(struct file *file)
{
	return !(V86FS_SB(file_inode(file)->i_sb)->flags & V86FS_MOUNT_LOCKS);
}

int v86fs_lock(struct file *file, int cmd, struct file_lock *fl)
{
	int err;

	if (IS_GETLK(cmd)) {
		if (!local(file))
			return get_lock(file, fl);
		posix_test_lock(file, fl);
		return 0;
	}
	if (local(file))
		return posix_lock_file(file, fl, NULL);
	if (fl->fl_type == F_UNLCK)
		filemap_write_and_wait(file->f_mapping);
	err = set_lock(file, cmd, fl, 0);
	/* An unlock at the close has nobody to tell. */
	return fl->fl_flags & FL_CLOSE ? 0 : err;
}

int v86fs_flock(struct file *file, int cmd, struct file_lock *fl)
{
	if (local(file))
		return locks_lock_file_wait(file, fl);
	if (fl->fl_type == F_UNLCK)
		filemap_write_and_wait(file->f_mapping);
	return set_lock(file, cmd, fl, V86FS_LOCK_FLOCK);
}
