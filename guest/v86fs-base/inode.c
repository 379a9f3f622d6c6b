// SPDX-License-Identifier: GPL-2.0-only
/* Inodes and their attributes. */
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <asm/unaligned.h>
#include "v86fs.h"

/* v86fs_simple - a request of one inode or handle, answered by a status */
int v86fs_simple(struct v86fs_device *dev, u8 type, u64 id)
{
	struct v86fs_req *req = v86fs_req_new(type, 8, 32);
	int err = -ENOMEM;

	if (req) {
		v86fs_put64(&req->out, id);
		err = v86fs_req_send(dev, req);
	}
	v86fs_req_put(req);
	return err;
}

struct wanted {
	u64 id;
	umode_t mode;
};

static int same_inode(struct inode *inode, void *data)
{
	struct wanted *w = data;

	return V86FS_I(inode)->id == w->id && !((inode->i_mode ^ w->mode) & S_IFMT);
}

static int set_inode(struct inode *inode, void *data)
{
	struct wanted *w = data;

	V86FS_I(inode)->id = w->id;
	inode->i_ino = w->id;
	inode->i_mode = w->mode;
	return 0;
}

static void set_size(struct inode *inode, u64 size)
{
	i_size_write(inode, size);
	inode->i_blocks = (size + 511) >> 9;
}

/* v86fs_iget - the inode of an id, which the device never uses for another file */
struct inode *v86fs_iget(struct super_block *sb, u64 id, umode_t mode, u64 size)
{
	struct wanted w = { id, mode };
	struct inode *inode = iget5_locked(sb, (unsigned long)id, same_inode, set_inode, &w);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(inode->i_state & I_NEW)) {
		inode->i_mode = mode;
		return inode;
	}
	inode->i_uid = GLOBAL_ROOT_UID;
	inode->i_gid = GLOBAL_ROOT_GID;
	inode->i_mtime = inode->i_atime = inode->i_ctime = current_time(inode);
	set_size(inode, size);
	switch (mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &v86fs_file_inode_ops;
		inode->i_fop = &v86fs_file_ops;
		inode->i_mapping->a_ops = &v86fs_aops;
		break;
	case S_IFDIR:
		inode->i_op = &v86fs_dir_inode_ops;
		inode->i_fop = &v86fs_dir_ops;
		/* One says that the number of subdirectories is not known. */
		set_nlink(inode, 1);
		break;
	case S_IFLNK:
		inode->i_op = &v86fs_symlink_inode_ops;
		break;
	default:
		/* What the device does not open is a node without a device. */
		inode->i_op = &v86fs_file_inode_ops;
		init_special_inode(inode, mode, 0);
	}
	unlock_new_inode(inode);
	return inode;
}

void v86fs_expire(struct inode *inode)
{
	WRITE_ONCE(V86FS_I(inode)->expires, jiffies - 1);
}

/*
 * v86fs_refresh - ask for the attributes, if what is known is too old
 *
 * Content that changed on the host is dropped from the page cache; what this
 * guest has not written yet stays.
 */
int v86fs_refresh(struct inode *inode, bool force)
{
	struct v86fs_inode *vi = V86FS_I(inode);
	struct v86fs_req *req;
	struct timespec64 mtime;
	bool changed;
	u64 size;
	int err = -ENOMEM;

	if (!force && time_before(jiffies, READ_ONCE(vi->expires)))
		return 0;
	req = v86fs_req_new(V86FS_GETATTR, 8, 64);
	if (!req)
		return err;
	v86fs_put64(&req->out, vi->id);
	err = v86fs_req_send(v86fs_dev(inode), req);
	if (!err && req->used < 35)
		err = -EIO;
	if (err)
		goto out;
	inode->i_mode = (inode->i_mode & S_IFMT) | (get_unaligned_le32(req->in + 11) & 07777);
	size = get_unaligned_le64(req->in + 15);
	mtime.tv_sec = get_unaligned_le64(req->in + 23);
	mtime.tv_nsec = get_unaligned_le32(req->in + 31);
	changed = !timespec64_equal(&mtime, &inode->i_mtime) || size != i_size_read(inode);
	inode->i_mtime = inode->i_ctime = mtime;
	if (S_ISREG(inode->i_mode) && changed && !mapping_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY)) {
		bool ours = vi->changed && size == i_size_read(inode);

		if (size < i_size_read(inode))
			truncate_pagecache(inode, size);
		set_size(inode, size);
		if (!ours)
			invalidate_mapping_pages(inode->i_mapping, 0, -1);
	} else if (!S_ISREG(inode->i_mode)) {
		set_size(inode, size);
	}
	vi->changed = false;
	WRITE_ONCE(vi->expires, jiffies + V86FS_SB(inode->i_sb)->ttl);
out:
	v86fs_req_put(req);
	return err;
}

int v86fs_getattr(struct user_namespace *ns, const struct path *path, struct kstat *stat,
		  u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	int err = v86fs_refresh(inode, (flags & AT_STATX_SYNC_TYPE) == AT_STATX_FORCE_SYNC);

	if (err && (flags & AT_STATX_SYNC_TYPE) != AT_STATX_DONT_SYNC)
		return err;
	generic_fillattr(ns, inode, stat);
	return 0;
}

int v86fs_setattr(struct user_namespace *ns, struct dentry *dentry, struct iattr *attr)
{
	/* Ownership and given times are not in the protocol. */
	const unsigned int known = ATTR_MODE | ATTR_SIZE | ATTR_ATIME | ATTR_MTIME |
				   ATTR_KILL_SUID | ATTR_KILL_SGID;
	struct inode *inode = d_inode(dentry);
	unsigned int valid = attr->ia_valid & known;
	struct v86fs_req *req;
	int err = setattr_prepare(ns, dentry, attr);

	if (err)
		return err;
	if ((attr->ia_valid & ATTR_UID && !uid_eq(attr->ia_uid, inode->i_uid)) ||
	    (attr->ia_valid & ATTR_GID && !gid_eq(attr->ia_gid, inode->i_gid)))
		return -EPERM;
	if (attr->ia_valid & ATTR_ATIME_SET)
		valid &= ~ATTR_ATIME;
	if (attr->ia_valid & ATTR_MTIME_SET)
		valid &= ~ATTR_MTIME;
	if (!valid)
		return 0;
	if (valid & ATTR_SIZE) {
		err = filemap_write_and_wait(inode->i_mapping);
		if (err)
			return err;
	}
	req = v86fs_req_new(V86FS_SETATTR, 24, 32);
	if (!req)
		return -ENOMEM;
	v86fs_put64(&req->out, V86FS_I(inode)->id);
	v86fs_put32(&req->out, valid);
	v86fs_put32(&req->out, attr->ia_mode);
	v86fs_put64(&req->out, attr->ia_size);
	err = v86fs_req_send(v86fs_dev(inode), req);
	v86fs_req_put(req);
	if (err)
		return err;
	if (valid & ATTR_SIZE) {
		truncate_setsize(inode, attr->ia_size);
		set_size(inode, attr->ia_size);
	}
	if (valid & ATTR_MODE)
		inode->i_mode = attr->ia_mode;
	V86FS_I(inode)->changed = true;
	v86fs_expire(inode);
	return 0;
}

static void free_link(void *p)
{
	kfree(p);
}

static const char *v86fs_get_link(struct dentry *dentry, struct inode *inode,
				  struct delayed_call *done)
{
	const unsigned int fixed = V86FS_STATUS + 2;
	struct v86fs_req *req;
	unsigned int len;
	char *link;
	int err;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	req = v86fs_req_new(V86FS_READLINK, 8, fixed + PATH_MAX);
	if (!req)
		return ERR_PTR(-ENOMEM);
	v86fs_put64(&req->out, V86FS_I(inode)->id);
	err = v86fs_req_send(v86fs_dev(inode), req);
	if (err)
		goto out;
	err = -EIO;
	if (req->used < fixed)
		goto out;
	len = get_unaligned_le16(req->in + V86FS_STATUS);
	if (len >= PATH_MAX || len > req->used - fixed)
		goto out;
	err = -ENOMEM;
	link = kmemdup_nul(req->in + fixed, len, GFP_KERNEL);
	if (!link)
		goto out;
	v86fs_req_put(req);
	set_delayed_call(done, free_link, link);
	return link;
out:
	v86fs_req_put(req);
	return ERR_PTR(err);
}

const struct inode_operations v86fs_symlink_inode_ops = {
	.get_link	= v86fs_get_link,
	.getattr	= v86fs_getattr,
	.setattr	= v86fs_setattr,
};

const struct inode_operations v86fs_file_inode_ops = {
	.getattr	= v86fs_getattr,
	.setattr	= v86fs_setattr,
};
