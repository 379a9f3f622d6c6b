// SPDX-License-Identifier: GPL-2.0-only
/* Directories: names, and their listing. */
#include <linux/namei.h>
#include <linux/slab.h>
#include <asm/unaligned.h>
#include "v86fs.h"

#define ENTRY_FIXED	11	/* of an entry in a listing, beside its name */
#define LISTING_FIXED	15	/* before the entries */
#define LISTING_FIRST	(32 << 10)
#define LISTING_MOST	(4 << 20)

static void trust(struct dentry *dentry)
{
	dentry->d_time = jiffies + V86FS_SB(dentry->d_sb)->ttl;
}

/* Begins a request whose body is a directory and a name. */
static struct v86fs_req *entry_req(u8 type, struct inode *dir, const struct qstr *name,
				   unsigned int more)
{
	struct v86fs_req *req;

	if (name->len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	req = v86fs_req_new(type, 8 + 2 + name->len + more, 64);
	if (!req)
		return ERR_PTR(-ENOMEM);
	v86fs_put64(&req->out, V86FS_I(dir)->id);
	v86fs_put_name(&req->out, name->name, name->len);
	return req;
}

struct found {
	u64 id;
	umode_t mode;
	u64 size;
};

static int look(struct inode *dir, const struct qstr *name, struct found *f)
{
	struct v86fs_req *req = entry_req(V86FS_LOOKUP, dir, name, 0);
	int err;

	if (IS_ERR(req))
		return PTR_ERR(req);
	err = v86fs_req_send(v86fs_dev(dir), req);
	if (!err && req->used < 31)
		err = -EIO;
	if (!err) {
		f->id = get_unaligned_le64(req->in + 11);
		f->mode = get_unaligned_le32(req->in + 19);
		f->size = get_unaligned_le64(req->in + 23);
	}
	v86fs_req_put(req);
	return err;
}

static struct dentry *v86fs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct inode *inode = NULL;
	struct dentry *alias;
	struct found f;
	int err = look(dir, &dentry->d_name, &f);

	if (!err)
		inode = v86fs_iget(dir->i_sb, f.id, f.mode, f.size);
	else if (err != -ENOENT)
		return ERR_PTR(err);
	alias = d_splice_alias(inode, dentry);
	if (!IS_ERR(alias))
		trust(alias ?: dentry);
	return alias;
}

/* A name is asked for again when what is known of it is too old. */
static int v86fs_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct inode *inode;
	struct dentry *parent;
	struct found f;
	int err;

	if (time_before(jiffies, dentry->d_time))
		return 1;
	if (flags & LOOKUP_RCU)
		return -ECHILD;
	parent = dget_parent(dentry);
	err = look(d_inode(parent), &dentry->d_name, &f);
	dput(parent);
	inode = d_inode(dentry);
	if (err == -ENOENT) {
		if (inode)
			return 0;
		trust(dentry);
		return 1;
	}
	if (err)
		return err == -ERESTARTSYS ? err : 0;
	if (!inode || V86FS_I(inode)->id != f.id || (inode->i_mode ^ f.mode) & S_IFMT)
		return 0;
	if (f.size != i_size_read(inode))
		v86fs_expire(inode);
	trust(dentry);
	return 1;
}

const struct dentry_operations v86fs_dentry_ops = {
	.d_revalidate = v86fs_revalidate,
};

/* Sends a request that makes a file, and gives the dentry its inode. */
static int make(struct inode *dir, struct dentry *dentry, struct v86fs_req *req)
{
	struct inode *inode;
	int err = v86fs_req_send(v86fs_dev(dir), req);

	if (!err && req->used < 23)
		err = -EIO;
	if (!err) {
		inode = v86fs_iget(dir->i_sb, get_unaligned_le64(req->in + 11),
				   get_unaligned_le32(req->in + 19), 0);
		err = PTR_ERR_OR_ZERO(inode);
	}
	if (!err) {
		d_instantiate(dentry, inode);
		trust(dentry);
	}
	v86fs_req_put(req);
	v86fs_expire(dir);
	return err;
}

static int v86fs_create(struct user_namespace *ns, struct inode *dir, struct dentry *dentry,
			umode_t mode, bool excl)
{
	struct v86fs_req *req = entry_req(V86FS_CREATE, dir, &dentry->d_name, 4);

	if (IS_ERR(req))
		return PTR_ERR(req);
	v86fs_put32(&req->out, mode | S_IFREG);
	return make(dir, dentry, req);
}

static int v86fs_mkdir(struct user_namespace *ns, struct inode *dir, struct dentry *dentry,
		       umode_t mode)
{
	struct v86fs_req *req = entry_req(V86FS_MKDIR, dir, &dentry->d_name, 4);

	if (IS_ERR(req))
		return PTR_ERR(req);
	v86fs_put32(&req->out, mode | S_IFDIR);
	return make(dir, dentry, req);
}

static int v86fs_symlink(struct user_namespace *ns, struct inode *dir, struct dentry *dentry,
			 const char *target)
{
	struct v86fs_req *req;

	if (strlen(target) >= PATH_MAX)
		return -ENAMETOOLONG;
	req = entry_req(V86FS_SYMLINK, dir, &dentry->d_name, 2 + strlen(target));
	if (IS_ERR(req))
		return PTR_ERR(req);
	v86fs_put_name(&req->out, target, strlen(target));
	return make(dir, dentry, req);
}

static int v86fs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct v86fs_req *req = entry_req(V86FS_UNLINK, dir, &dentry->d_name, 0);
	int err;

	if (IS_ERR(req))
		return PTR_ERR(req);
	err = v86fs_req_send(v86fs_dev(dir), req);
	v86fs_req_put(req);
	v86fs_expire(dir);
	if (!err) {
		if (!d_is_dir(dentry) && d_inode(dentry)->i_nlink)
			drop_nlink(d_inode(dentry));
		v86fs_expire(d_inode(dentry));
	}
	return err;
}

static int v86fs_rename(struct user_namespace *ns, struct inode *old_dir, struct dentry *old,
			struct inode *new_dir, struct dentry *new, unsigned int flags)
{
	struct v86fs_req *req;
	int err;

	/* That the new name is free was checked by the caller. */
	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	if (new->d_name.len > NAME_MAX)
		return -ENAMETOOLONG;
	req = entry_req(V86FS_RENAME, old_dir, &old->d_name, 8 + 2 + new->d_name.len);
	if (IS_ERR(req))
		return PTR_ERR(req);
	v86fs_put64(&req->out, V86FS_I(new_dir)->id);
	v86fs_put_name(&req->out, new->d_name.name, new->d_name.len);
	err = v86fs_req_send(v86fs_dev(old_dir), req);
	v86fs_req_put(req);
	v86fs_expire(old_dir);
	v86fs_expire(new_dir);
	if (!err && d_really_is_positive(new))
		v86fs_expire(d_inode(new));
	return err;
}

/* What an open directory lists: taken once, so that positions mean something. */
struct listing {
	u8 *data;
	unsigned int len, count;
};

static void free_listing(struct listing *l)
{
	if (l) {
		kvfree(l->data);
		kfree(l);
	}
}

static int take_listing(struct inode *dir, struct listing *l)
{
	unsigned int size = LISTING_FIRST;
	struct v86fs_req *req;
	int err;

	for (;;) {
		req = v86fs_req_new(V86FS_READDIR, 8, size);
		if (!req)
			return -ENOMEM;
		v86fs_put64(&req->out, V86FS_I(dir)->id);
		err = v86fs_req_send(v86fs_dev(dir), req);
		if (!err && req->used < LISTING_FIXED)
			err = -EIO;
		if (err)
			break;
		/* No room for one more name: there may be more. */
		if (req->used + ENTRY_FIXED + NAME_MAX <= size || size >= LISTING_MOST) {
			l->count = get_unaligned_le32(req->in + V86FS_STATUS);
			l->len = req->used - LISTING_FIXED;
			l->data = kvmalloc(l->len ?: 1, GFP_KERNEL);
			err = l->data ? 0 : -ENOMEM;
			if (!err)
				memcpy(l->data, req->in + LISTING_FIXED, l->len);
			break;
		}
		v86fs_req_put(req);
		size *= 4;
	}
	v86fs_req_put(req);
	return err;
}

static int v86fs_iterate(struct file *file, struct dir_context *ctx)
{
	struct listing *l = file->private_data;
	unsigned int i, at = 0;
	int err;

	if (!l || !ctx->pos) {
		free_listing(l);
		file->private_data = NULL;
		l = kzalloc(sizeof(*l), GFP_KERNEL);
		if (!l)
			return -ENOMEM;
		err = take_listing(file_inode(file), l);
		if (err) {
			free_listing(l);
			return err;
		}
		file->private_data = l;
	}
	if (!dir_emit_dots(file, ctx))
		return 0;
	for (i = 0; i < l->count && l->len - at >= ENTRY_FIXED; i++) {
		const u8 *e = l->data + at;
		unsigned int len = get_unaligned_le16(e + 9);

		if (len > l->len - at - ENTRY_FIXED)
			break;
		at += ENTRY_FIXED + len;
		if (i + 2 < ctx->pos)
			continue;
		if (!dir_emit(ctx, e + ENTRY_FIXED, len, get_unaligned_le64(e), e[8]))
			return 0;
		ctx->pos++;
	}
	return 0;
}

static int v86fs_dir_release(struct inode *inode, struct file *file)
{
	free_listing(file->private_data);
	return 0;
}

static int v86fs_dir_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return v86fs_simple(v86fs_dev(file_inode(file)), V86FS_FSYNC, V86FS_I(file_inode(file))->id);
}

const struct file_operations v86fs_dir_ops = {
	.llseek		= generic_file_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= v86fs_iterate,
	.release	= v86fs_dir_release,
	.fsync		= v86fs_dir_fsync,
};

const struct inode_operations v86fs_dir_inode_ops = {
	.lookup		= v86fs_lookup,
	.create		= v86fs_create,
	.mkdir		= v86fs_mkdir,
	.symlink	= v86fs_symlink,
	.unlink		= v86fs_unlink,
	.rmdir		= v86fs_unlink,
	.rename		= v86fs_rename,
	.getattr	= v86fs_getattr,
	.setattr	= v86fs_setattr,
};
