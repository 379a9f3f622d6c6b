// SPDX-License-Identifier: GPL-2.0-only
/* Open files. What is read and written passes the page cache: see data.c. */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/wait_bit.h>
#include "v86fs.h"

/* v86fs_open_flags - flags of open as the protocol has them */
u32 v86fs_open_flags(unsigned int flags)
{
	u32 out = flags & O_ACCMODE;

	/* Pages of which a part is written are read first. */
	if (out == O_WRONLY && !(flags & O_DIRECT))
		out = O_RDWR;
	if (flags & O_TRUNC)
		out |= V86FS_O_TRUNC;
	if (flags & O_NOATIME)
		out |= V86FS_O_NOATIME;
	return out;
}

struct v86fs_file *v86fs_file_new(void)
{
	struct v86fs_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (f) {
		mutex_init(&f->lock);
		INIT_LIST_HEAD(&f->writers);
	}
	return f;
}

/* v86fs_file_set - file is open under a handle now */
void v86fs_file_set(struct v86fs_file *f, struct inode *inode, struct file *file, u64 handle)
{
	struct v86fs_inode *vi = V86FS_I(inode);

	f->handle = handle;
	file->private_data = f;
	if (S_ISREG(inode->i_mode) && (file->f_flags & O_ACCMODE) != O_RDONLY) {
		spin_lock_irq(&vi->lock);
		list_add(&f->writers, &vi->writers);
		spin_unlock_irq(&vi->lock);
	}
}

/* v86fs_writer - an open file that may write, or NULL; its release waits for who uses it */
struct v86fs_file *v86fs_writer(struct inode *inode)
{
	struct v86fs_inode *vi = V86FS_I(inode);
	struct v86fs_file *f;

	spin_lock_irq(&vi->lock);
	f = list_first_entry_or_null(&vi->writers, struct v86fs_file, writers);
	if (f)
		atomic_inc(&f->users);
	spin_unlock_irq(&vi->lock);
	return f;
}

/* v86fs_handle_of - the handle of a file of ours, or 0 */
u64 v86fs_handle_of(struct file *file)
{
	if (!file || file_inode(file)->i_sb->s_magic != V86FS_MAGIC || !S_ISREG(file_inode(file)->i_mode))
		return 0;
	return v86fs_file(file)->handle;
}

int v86fs_open(struct inode *inode, struct file *file)
{
	struct v86fs_sb *s = V86FS_SB(inode->i_sb);
	struct v86fs_req *req = v86fs_req_new(s, V86FS_OPEN2, V86FS_I(inode)->node,
					      sizeof(struct v86fs_word), sizeof(struct v86fs_open_r));
	struct v86fs_file *f = v86fs_file_new();
	struct v86fs_open_r *r;
	struct v86fs_word *q;
	u32 flags;
	int err = -ENOMEM;

	if (!req || !f)
		goto fail;
	q = req->out;
	r = req->in;
	/* VFS cuts to nothing what is opened so, when it may. */
	flags = v86fs_open_flags(file->f_flags & ~O_TRUNC);
	q->word = cpu_to_le32(flags);
	err = v86fs_req_call(req);
	if (err == -EACCES && flags != (file->f_flags & O_ACCMODE) && S_ISREG(inode->i_mode)) {
		/* The host lets us write and not read. */
		v86fs_req_put(req);
		req = v86fs_req_new(s, V86FS_OPEN2, V86FS_I(inode)->node, sizeof(*q), sizeof(*r));
		err = -ENOMEM;
		if (!req)
			goto fail;
		q = req->out;
		r = req->in;
		q->word = cpu_to_le32(file->f_flags & O_ACCMODE);
		err = v86fs_req_call(req);
	}
	if (err)
		goto fail;
	/* What is read now is what the host has now. */
	v86fs_attributes(inode, &r->attr, req);
	v86fs_file_set(f, inode, file, le64_to_cpu(r->handle));
	v86fs_req_put(req);
	return 0;
fail:
	v86fs_req_put(req);
	kfree(f);
	return err;
}

static struct v86fs_req *handle_req(struct v86fs_sb *s, u8 type, u64 node, u64 handle,
				    unsigned int in_len)
{
	struct v86fs_req *req = v86fs_req_new(s, type, node, sizeof(struct v86fs_handle), in_len);

	if (req)
		((struct v86fs_handle *)req->out)->handle = cpu_to_le64(handle);
	return req;
}

/* v86fs_close - give a handle back; nobody waits for it */
void v86fs_close(struct v86fs_sb *s, u64 node, u64 handle)
{
	struct v86fs_req *req = handle_req(s, V86FS_RELEASE, node, handle,
					   sizeof(struct v86fs_response));

	/* What is not sent costs the device a descriptor until the unmount. */
	if (req)
		v86fs_req_send(req);
	v86fs_req_put(req);
}

int v86fs_release(struct inode *inode, struct file *file)
{
	struct v86fs_inode *vi = V86FS_I(inode);
	struct v86fs_file *f = v86fs_file(file);

	/* What mappings wrote since the last close waits for this handle. */
	if (!list_empty(&f->writers)) {
		filemap_write_and_wait(inode->i_mapping);
		spin_lock_irq(&vi->lock);
		list_del(&f->writers);
		spin_unlock_irq(&vi->lock);
	}
	wait_var_event(&f->users, !atomic_read(&f->users));
	v86fs_close(V86FS_SB(inode->i_sb), vi->node, f->handle);
	v86fs_req_put(f->piece);
	file->private_data = NULL;
	kfree(f);
	return 0;
}

/* At each close what was written goes to the host, and its errors to the program. */
static int v86fs_flush(struct file *file, fl_owner_t id)
{
	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	return filemap_write_and_wait(file->f_mapping);
}

int v86fs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file_inode(file);
	struct v86fs_fsync_q *q;
	struct v86fs_req *req;
	int err = file_write_and_wait_range(file, start, end);

	if (err)
		return err;
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_FSYNC2, V86FS_I(inode)->node, sizeof(*q),
			    sizeof(struct v86fs_response));
	if (!req)
		return -ENOMEM;
	q = req->out;
	q->handle = cpu_to_le64(v86fs_file(file)->handle);
	q->flags = cpu_to_le32(datasync ? V86FS_FSYNC_DATA : 0);
	return v86fs_req_call_put(req);
}

static ssize_t v86fs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	int err = v86fs_refresh(file_inode(iocb->ki_filp), false);

	return err ?: generic_file_read_iter(iocb, to);
}

static ssize_t v86fs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t n;

	if (!(iocb->ki_flags & IOCB_APPEND))
		return generic_file_write_iter(iocb, from);
	/* Where the end is, the host knows. */
	inode_lock(inode);
	n = generic_write_checks(iocb, from);
	if (n > 0)
		n = file_remove_privs(iocb->ki_filp) ?: v86fs_append(iocb, from);
	inode_unlock(inode);
	if (n > 0)
		n = generic_write_sync(iocb, n);
	return n;
}

static loff_t seek_hole(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	struct v86fs_seek_r *r;
	struct v86fs_req *req;
	struct v86fs_io *q;
	loff_t err;

	if (offset < 0)
		return -ENXIO;
	inode_lock(inode);
	err = filemap_write_and_wait(inode->i_mapping);
	if (err)
		goto out;
	err = -ENOMEM;
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_SEEK, V86FS_I(inode)->node, sizeof(*q),
			    sizeof(*r));
	if (!req)
		goto out;
	q = req->out;
	r = req->in;
	q->handle = cpu_to_le64(v86fs_file(file)->handle);
	q->offset = cpu_to_le64(offset);
	q->size = cpu_to_le32(whence);
	err = v86fs_req_call(req);
	if (!err)
		err = vfs_setpos(file, le64_to_cpu(r->offset), inode->i_sb->s_maxbytes);
	v86fs_req_put(req);
out:
	inode_unlock(inode);
	return err;
}

static loff_t v86fs_llseek(struct file *file, loff_t offset, int whence)
{
	int err;

	switch (whence) {
	case SEEK_DATA:
	case SEEK_HOLE:
		return seek_hole(file, offset, whence);
	case SEEK_END:
		err = v86fs_refresh(file_inode(file), false);
		if (err)
			return err;
	}
	return generic_file_llseek(file, offset, whence);
}

static long v86fs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	const int moves = FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE;
	struct inode *inode = file_inode(file);
	struct v86fs_fallocate_q *q;
	struct v86fs_attr_r *r;
	struct v86fs_req *req;
	int err;

	inode_lock(inode);
	err = filemap_write_and_wait(inode->i_mapping) ?: file_modified(file);
	if (err)
		goto out;
	err = -ENOMEM;
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_FALLOCATE, V86FS_I(inode)->node,
			    sizeof(*q), sizeof(*r));
	if (!req)
		goto out;
	q = req->out;
	r = req->in;
	q->handle = cpu_to_le64(v86fs_file(file)->handle);
	q->mode = cpu_to_le32(mode);
	q->offset = cpu_to_le64(offset);
	q->length = cpu_to_le64(len);
	v86fs_own_begin(inode);
	err = v86fs_req_call(req);
	if (!err) {
		if (mode & moves)
			truncate_pagecache(inode, offset);
		else if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
			truncate_pagecache_range(inode, offset, offset + len - 1);
		v86fs_own_done(inode, &r->attr, req);
	} else {
		v86fs_own_end(inode, NULL);
	}
	v86fs_req_put(req);
out:
	inode_unlock(inode);
	return err;
}

/* Copies on the host; both files' pages are written. */
static ssize_t copy(struct file *in, loff_t in_off, struct file *out, loff_t out_off, u64 len, u32 flags)
{
	struct inode *from = file_inode(in), *to = file_inode(out);
	struct v86fs_copy_q *q;
	struct v86fs_copy_r *r;
	struct v86fs_req *req;
	ssize_t n;

	req = v86fs_req_new(V86FS_SB(from->i_sb), V86FS_COPY_RANGE, V86FS_I(from)->node, sizeof(*q),
			    sizeof(*r));
	if (!req)
		return -ENOMEM;
	q = req->out;
	r = req->in;
	q->handle = cpu_to_le64(v86fs_file(in)->handle);
	q->offset = cpu_to_le64(in_off);
	q->to_node = cpu_to_le64(V86FS_I(to)->node);
	q->to_handle = cpu_to_le64(v86fs_file(out)->handle);
	q->to_offset = cpu_to_le64(out_off);
	q->length = cpu_to_le64(len);
	q->flags = cpu_to_le32(flags);
	v86fs_own_begin(to);
	n = v86fs_req_call(req);
	if (!n) {
		n = min_t(u64, le64_to_cpu(r->copied), min_t(u64, len, MAX_RW_COUNT));
		if (n)
			truncate_inode_pages_range(to->i_mapping, round_down(out_off, PAGE_SIZE),
						   round_up(out_off + n, PAGE_SIZE) - 1);
		v86fs_own_done(to, &r->to_attr, req);
	} else {
		v86fs_own_end(to, NULL);
	}
	v86fs_req_put(req);
	return n;
}

static ssize_t v86fs_copy_file_range(struct file *in, loff_t in_off, struct file *out,
				     loff_t out_off, size_t len, unsigned int flags)
{
	struct inode *from = file_inode(in), *to = file_inode(out);
	ssize_t n = -EXDEV;

	if (flags)
		return -EINVAL;
	if (from->i_sb == to->i_sb) {
		n = filemap_write_and_wait_range(from->i_mapping, in_off, in_off + len - 1);
		if (n)
			return n;
		inode_lock(to);
		n = filemap_write_and_wait(to->i_mapping) ?: file_modified(out);
		if (!n)
			n = copy(in, in_off, out, out_off, len, 0);
		inode_unlock(to);
	}
	if (n == -EXDEV || n == -EOPNOTSUPP || n == -ENOSYS)
		n = generic_copy_file_range(in, in_off, out, out_off, len, flags);
	return n;
}

static loff_t v86fs_remap_file_range(struct file *in, loff_t in_off, struct file *out,
				     loff_t out_off, loff_t len, unsigned int flags)
{
	struct inode *from = file_inode(in), *to = file_inode(out);
	loff_t n;

	if (flags & ~REMAP_FILE_ADVISORY)
		return -EINVAL;
	if (from->i_sb != to->i_sb)
		return -EXDEV;
	lock_two_nondirectories(from, to);
	n = generic_remap_file_range_prep(in, in_off, out, out_off, &len, flags);
	if (!n && len)
		n = copy(in, in_off, out, out_off, len, V86FS_IO_CLONE);
	unlock_two_nondirectories(from, to);
	return n;
}

const struct file_operations v86fs_file_ops = {
	.open			= v86fs_open,
	.flush			= v86fs_flush,
	.release		= v86fs_release,
	.llseek			= v86fs_llseek,
	.read_iter		= v86fs_read_iter,
	.write_iter		= v86fs_write_iter,
	.mmap			= generic_file_mmap,
	.fsync			= v86fs_fsync,
	.splice_read		= generic_file_splice_read,
	.splice_write		= iter_file_splice_write,
	.fallocate		= v86fs_fallocate,
	.copy_file_range	= v86fs_copy_file_range,
	.remap_file_range	= v86fs_remap_file_range,
	.lock			= v86fs_lock,
	.flock			= v86fs_flock,
};
