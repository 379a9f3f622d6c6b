// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listing directories.
 *
 * Entries come in pieces, with attributes if the program seems to want them. A
 * position is a cookie and two, for "." and "..".
 */
#include <linux/namei.h>
#include <linux/slab.h>
#include "v86fs.h"

#define PIECE	(32U << 10)	/* bytes of entries asked for at a time */
#define DOTS	2

/* Gives the names cache what an entry with attributes says. */
static void link_entry(struct file *dir, const struct qstr *entry_name,
		       const struct v86fs_attr *attr, const struct v86fs_req *req, u32 seq)
{
	struct dentry *parent = dir->f_path.dentry, *dentry, *alias;
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(wq);
	struct qstr name = *entry_name;
	struct inode *inode = v86fs_iget(parent->d_sb, attr, req);

	if (IS_ERR(inode))
		return;
	name.hash = full_name_hash(parent, name.name, name.len);
	dentry = d_lookup(parent, &name);
	if (dentry && d_inode(dentry) != inode) {
		d_invalidate(dentry);
		dput(dentry);
		dentry = NULL;
	}
	if (!dentry) {
		dentry = d_alloc_parallel(parent, &name, &wq);
		if (IS_ERR(dentry)) {
			iput(inode);
			return;
		}
	}
	if (!d_in_lookup(dentry)) {
		/* It was there, or came meanwhile by a lookup of its own. */
		if (d_inode(dentry) == inode)
			v86fs_trust(dentry, le32_to_cpu(attr->entry_valid), req, seq);
		iput(inode);
		dput(dentry);
		return;
	}
	alias = d_splice_alias(inode, dentry);
	d_lookup_done(dentry);
	if (!IS_ERR(alias)) {
		v86fs_trust(alias ?: dentry, le32_to_cpu(attr->entry_valid), req, seq);
		dput(alias);
	}
	dput(dentry);
}

/* The entry at off of so many bytes, or NULL if there is no whole one. */
static const struct v86fs_entry *entry_at(const void *entries, unsigned int len, unsigned int off,
					  bool plus, unsigned int *size)
{
	const struct v86fs_entry *e = entries + off;
	unsigned int fixed = sizeof(*e) + (plus ? sizeof(struct v86fs_attr) : 0), name_len;

	if (len - off < fixed)
		return NULL;
	name_len = le16_to_cpu(e->name_len);
	*size = ALIGN(fixed + name_len, 8);
	if (!name_len || name_len > NAME_MAX || *size > len - off)
		return NULL;
	return e;
}

static const char *name_of(const struct v86fs_entry *e, bool plus)
{
	return (const char *)(e + 1) + (plus ? sizeof(struct v86fs_attr) : 0);
}

static void link_entries(struct file *file, const struct v86fs_req *req, u32 seq)
{
	const struct v86fs_entry *e;
	unsigned int off, size;

	for (off = 0; (e = entry_at(req->result, req->data, off, true, &size)); off += size) {
		const struct v86fs_attr *attr = (const void *)(e + 1);
		struct qstr name = QSTR_INIT(name_of(e, true), le16_to_cpu(e->name_len));

		if (attr->node)
			link_entry(file, &name, attr, req, seq);
	}
}

/* Fetches what follows a cookie; f->lock is held. */
static int fetch(struct file *file, u64 cookie)
{
	struct inode *dir = file_inode(file);
	struct v86fs_file *f = v86fs_file(file);
	bool plus = READ_ONCE(V86FS_I(dir)->plus) || !cookie;
	u32 seq = v86fs_names_seq(dir);
	struct v86fs_req *req = v86fs_req_new(V86FS_SB(dir->i_sb), V86FS_READDIR2,
					      V86FS_I(dir)->node, sizeof(struct v86fs_io),
					      sizeof(struct v86fs_response));
	struct v86fs_io *q;
	int err = -ENOMEM;

	if (!req)
		return err;
	WRITE_ONCE(V86FS_I(dir)->plus, false);
	q = req->out;
	q->handle = cpu_to_le64(f->handle);
	q->offset = cpu_to_le64(cookie);
	q->size = cpu_to_le32(PIECE);
	q->flags = cpu_to_le32(plus ? V86FS_READDIR_PLUS : 0);
	err = v86fs_req_result(req, PIECE);
	err = err ?: v86fs_req_call(req);
	if (!err) {
		if (plus)
			link_entries(file, req, seq);
		v86fs_req_put(f->piece);
		f->piece = req;
		f->plus = plus;
		f->cookie = cookie;
		f->last = ((struct v86fs_response *)req->in)->flags & V86FS_LAST || !req->data;
		return 0;
	}
	v86fs_req_put(req);
	return err;
}

/* Where in the piece at hand the entries behind a cookie begin, or -1. */
static int behind(const struct v86fs_file *f, u64 cookie)
{
	const struct v86fs_entry *e;
	unsigned int off, size;

	if (!f->piece)
		return -1;
	if (f->cookie == cookie)
		return 0;
	for (off = 0; (e = entry_at(f->piece->result, f->piece->data, off, f->plus, &size)); off += size)
		if (le64_to_cpu(e->cookie) == cookie)
			return off + size;
	return -1;
}

/* Tells the entries from off on; false if the program has enough. */
static bool emit(struct v86fs_file *f, struct dir_context *ctx, unsigned int off)
{
	const struct v86fs_entry *e;
	unsigned int size;

	for (; (e = entry_at(f->piece->result, f->piece->data, off, f->plus, &size)); off += size) {
		if (!dir_emit(ctx, name_of(e, f->plus), le16_to_cpu(e->name_len),
			      le64_to_cpu(e->ino), le32_to_cpu(e->type)))
			return false;
		ctx->pos = le64_to_cpu(e->cookie) + DOTS;
	}
	return true;
}

static int v86fs_iterate(struct file *file, struct dir_context *ctx)
{
	struct v86fs_file *f = v86fs_file(file);
	int off, err = 0;

	if (!dir_emit_dots(file, ctx))
		return 0;
	mutex_lock(&f->lock);
	/* The beginning reads the directory anew. */
	off = ctx->pos == DOTS ? -1 : behind(f, ctx->pos - DOTS);
	for (;;) {
		if (off < 0) {
			err = fetch(file, ctx->pos - DOTS);
			off = 0;
		}
		if (err || !emit(f, ctx, off) || f->last)
			break;
		off = -1;
	}
	mutex_unlock(&f->lock);
	return err;
}

const struct file_operations v86fs_dir_ops = {
	.open		= v86fs_open,
	.release	= v86fs_release,
	.llseek		= generic_file_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= v86fs_iterate,
	.fsync		= v86fs_fsync,
	.flock		= v86fs_flock,
};
