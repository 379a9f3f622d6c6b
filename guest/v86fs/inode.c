// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes and their attributes.
 *
 * What the host says of a file, and what this guest does to it, cross on the
 * way. Each change of ours takes a number from v86fs_sb.seq when it begins and
 * when it ends; an answer to a request that is older than the latest of these
 * does not say whether the host changed the file, and its size does not count.
 */
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/slab.h>
#include "v86fs.h"

#define FOREVER	(1UL << 30)	/* jiffies; then it is asked again, which does no harm */

/* v86fs_until - when what may be trusted for ms milliseconds is to be asked again */
unsigned long v86fs_until(struct v86fs_sb *s, u32 ms)
{
	ms = min(ms, READ_ONCE(s->cache_ms));
	if (!ms)
		return jiffies - 1;
	if (ms == V86FS_FOREVER)
		return jiffies + FOREVER;
	return jiffies + min_t(unsigned long, msecs_to_jiffies(ms), FOREVER);
}

/* v86fs_overtaken - whether a notification about the inode may be newer than an answer */
bool v86fs_overtaken(struct inode *inode, const struct v86fs_req *req)
{
	const struct v86fs_response *r = req->in;
	struct v86fs_sb *s = V86FS_SB(inode->i_sb);
	u64 version = le64_to_cpu(r->version);
	unsigned long flags;
	bool old;

	spin_lock_irqsave(&s->version_lock, flags);
	old = version < s->version || version < s->version_unknown;
	spin_unlock_irqrestore(&s->version_lock, flags);
	return old || version < READ_ONCE(V86FS_I(inode)->version);
}

/* What tells that content changed. */
static u64 change_of(const struct v86fs_attr *attr)
{
	u64 change = le64_to_cpu(attr->change);

	return change ?: le64_to_cpu(attr->mtime) * NSEC_PER_SEC +
			 le32_to_cpu(attr->mtime_nsec) + (le64_to_cpu(attr->size) << 20);
}

static bool has_unwritten(struct inode *inode)
{
	return mapping_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY) ||
	       mapping_tagged(inode->i_mapping, PAGECACHE_TAG_WRITEBACK);
}

/* v86fs_own_begin - a change of ours to the file is about to be sent */
void v86fs_own_begin(struct inode *inode)
{
	struct v86fs_inode *vi = V86FS_I(inode);
	unsigned long flags;

	spin_lock_irqsave(&vi->lock, flags);
	vi->writes++;
	vi->own_seq = atomic64_inc_return(&V86FS_SB(inode->i_sb)->seq);
	spin_unlock_irqrestore(&vi->lock, flags);
}

static void set_times(struct inode *inode, const struct v86fs_attr *attr)
{
	inode->i_atime.tv_sec = le64_to_cpu(attr->atime);
	inode->i_atime.tv_nsec = le32_to_cpu(attr->atime_nsec);
	inode->i_mtime.tv_sec = le64_to_cpu(attr->mtime);
	inode->i_mtime.tv_nsec = le32_to_cpu(attr->mtime_nsec);
	inode->i_ctime.tv_sec = le64_to_cpu(attr->ctime);
	inode->i_ctime.tv_nsec = le32_to_cpu(attr->ctime_nsec);
}

/* v86fs_own_end - it is done; attr is what the file is like now, if that is known */
void v86fs_own_end(struct inode *inode, const struct v86fs_attr *attr)
{
	struct v86fs_inode *vi = V86FS_I(inode);
	unsigned long flags;

	spin_lock_irqsave(&vi->lock, flags);
	vi->writes--;
	vi->own_seq = atomic64_inc_return(&V86FS_SB(inode->i_sb)->seq);
	if (attr) {
		/* Answers to several at a time come in any order. */
		u64 change = change_of(attr);

		if (!vi->change_known || (s64)(change - vi->change) > 0)
			vi->change = change;
		vi->change_known = true;
	}
	vi->attr_expires = jiffies - 1;
	spin_unlock_irqrestore(&vi->lock, flags);
}

/*
 * v86fs_own_wrote - the same of pages, in interrupt context
 *
 * If they were the last, what the answer says is what there is to know.
 */
void v86fs_own_wrote(struct inode *inode, const struct v86fs_attr *attr,
		     const struct v86fs_req *req)
{
	struct v86fs_inode *vi = V86FS_I(inode);
	bool overtaken = v86fs_overtaken(inode, req);
	unsigned long flags;

	v86fs_own_end(inode, attr);
	spin_lock_irqsave(&vi->lock, flags);
	if (!vi->writes && vi->change == change_of(attr) &&
	    i_size_read(inode) == le64_to_cpu(attr->size) &&
	    !mapping_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY)) {
		set_times(inode, attr);
		inode->i_blocks = le64_to_cpu(attr->blocks);
		if (!overtaken)
			vi->attr_expires = v86fs_until(V86FS_SB(inode->i_sb), le32_to_cpu(attr->attr_valid));
	}
	spin_unlock_irqrestore(&vi->lock, flags);
}

/* v86fs_own_done - the same, and the answer has the attributes */
void v86fs_own_done(struct inode *inode, const struct v86fs_attr *attr, struct v86fs_req *req)
{
	v86fs_own_end(inode, attr);
	req->began = atomic64_read(&V86FS_SB(inode->i_sb)->seq);
	v86fs_attributes(inode, attr, req);
}

/* v86fs_expire - the attributes changed, but not who may do what */
void v86fs_expire(struct inode *inode)
{
	WRITE_ONCE(V86FS_I(inode)->attr_expires, jiffies - 1);
}

void v86fs_expire_all(struct inode *inode)
{
	v86fs_expire(inode);
	WRITE_ONCE(V86FS_I(inode)->perm_expires, jiffies - 1);
	forget_all_cached_acls(inode);
	inode->i_flags &= ~S_NOSEC;
}

static void set_flags(struct inode *inode, u32 flags)
{
	unsigned int now = 0;

	if (flags & V86FS_ATTR_IMMUTABLE)
		now |= S_IMMUTABLE;
	if (flags & V86FS_ATTR_APPEND)
		now |= S_APPEND;
	inode_set_flags(inode, now, S_IMMUTABLE | S_APPEND);
}

/* Takes over everything but size and content. */
static void set_attributes(struct inode *inode, const struct v86fs_attr *attr, bool own)
{
	struct v86fs_inode *vi = V86FS_I(inode);

	inode->i_mode = (inode->i_mode & S_IFMT) | (le32_to_cpu(attr->mode) & 07777);
	inode->i_uid = make_kuid(&init_user_ns, le32_to_cpu(attr->uid));
	inode->i_gid = make_kgid(&init_user_ns, le32_to_cpu(attr->gid));
	set_nlink(inode, le32_to_cpu(attr->nlink));
	set_flags(inode, le32_to_cpu(attr->flags));
	vi->ino = le64_to_cpu(attr->ino);
	vi->no_xattr = le32_to_cpu(attr->flags) & V86FS_ATTR_NO_XATTR;
	vi->has_btime = le32_to_cpu(attr->flags) & V86FS_ATTR_BTIME;
	vi->btime.tv_sec = le64_to_cpu(attr->btime);
	vi->btime.tv_nsec = le32_to_cpu(attr->btime_nsec);
	if (!own) {
		/* What waits to be written has times of its own. */
		set_times(inode, attr);
		inode->i_blocks = le64_to_cpu(attr->blocks);
	}
}

/* v86fs_attributes - take over the attributes in the answer to req */
void v86fs_attributes(struct inode *inode, const struct v86fs_attr *attr,
		      const struct v86fs_req *req)
{
	struct v86fs_inode *vi = V86FS_I(inode);
	bool overtaken = v86fs_overtaken(inode, req), regular = S_ISREG(inode->i_mode);
	loff_t size = le64_to_cpu(attr->size), old_size;
	u32 seq = READ_ONCE(V86FS_SB(inode->i_sb)->attr_seq);
	u64 change = change_of(attr);
	bool own, changed = false;
	unsigned long flags, until;

	spin_lock_irqsave(&vi->lock, flags);
	own = vi->writes || vi->own_seq > req->began || (regular && has_unwritten(inode));
	set_attributes(inode, attr, own);
	old_size = i_size_read(inode);
	if (own && regular)
		size = max(size, old_size);
	if (size != old_size)
		i_size_write(inode, size);
	if (!own) {
		changed = !vi->change_known || vi->change != change;
		vi->change = change;
		vi->change_known = true;
	}
	until = overtaken ? jiffies - 1 : v86fs_until(V86FS_SB(inode->i_sb), le32_to_cpu(attr->attr_valid));
	vi->perm_expires = until;
	vi->attr_expires = own ? jiffies - 1 : until;
	vi->attr_seq = seq;
	spin_unlock_irqrestore(&vi->lock, flags);
	if (!changed)
		return;
	inode->i_flags &= ~S_NOSEC;
	forget_all_cached_acls(inode);
	if (!regular || !inode->i_mapping->nrpages)
		return;
	if (size < old_size)
		truncate_pagecache(inode, size);
	invalidate_inode_pages2(inode->i_mapping);
}

static bool fresh(const struct inode *inode, unsigned long expires)
{
	return time_before(jiffies, expires) &&
	       READ_ONCE(V86FS_I(inode)->attr_seq) == READ_ONCE(V86FS_SB(inode->i_sb)->attr_seq);
}

/* v86fs_trusts_mode - whether who may do what, and that there are no attributes, is known */
bool v86fs_trusts_mode(const struct inode *inode)
{
	return fresh(inode, READ_ONCE(V86FS_I(inode)->perm_expires));
}

/* v86fs_refresh - ask for the attributes, if what is known is too old */
int v86fs_refresh(struct inode *inode, bool force)
{
	struct v86fs_inode *vi = V86FS_I(inode);
	struct v86fs_attr_r *r;
	struct v86fs_req *req;
	int err;

	if (!force && fresh(inode, READ_ONCE(vi->attr_expires)))
		return 0;
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_GETATTR2, vi->node,
			    sizeof(struct v86fs_handle), sizeof(*r));
	if (!req)
		return -ENOMEM;
	err = v86fs_req_call(req);
	r = req->in;
	if (!err && ((le32_to_cpu(r->attr.mode) ^ inode->i_mode) & S_IFMT))
		err = -EIO;
	if (!err)
		v86fs_attributes(inode, &r->attr, req);
	v86fs_req_put(req);
	return err;
}

static int same_node(struct inode *inode, void *node)
{
	return V86FS_I(inode)->node == *(u64 *)node;
}

static int set_node(struct inode *inode, void *node)
{
	V86FS_I(inode)->node = *(u64 *)node;
	return 0;
}

static void init_new(struct inode *inode, const struct v86fs_attr *attr)
{
	umode_t mode = le32_to_cpu(attr->mode);

	inode->i_mode = mode;
	inode->i_ino = le64_to_cpu(attr->ino);
	inode->i_flags |= S_NOATIME;	/* the host keeps it */
	V86FS_I(inode)->generation = le64_to_cpu(attr->generation);
	inode->i_generation = V86FS_I(inode)->generation;
	switch (mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &v86fs_file_inode_ops;
		inode->i_fop = &v86fs_file_ops;
		inode->i_mapping->a_ops = &v86fs_aops;
		break;
	case S_IFDIR:
		inode->i_op = &v86fs_dir_inode_ops;
		inode->i_fop = &v86fs_dir_ops;
		break;
	case S_IFLNK:
		inode->i_op = &v86fs_symlink_inode_ops;
		break;
	default:
		inode->i_op = &v86fs_file_inode_ops;
		init_special_inode(inode, mode, MKDEV(le32_to_cpu(attr->rdev_major),
						      le32_to_cpu(attr->rdev_minor)));
	}
}

/* v86fs_iget - the inode of an attribute block that counts a lookup */
struct inode *v86fs_iget(struct super_block *sb, const struct v86fs_attr *attr,
			 const struct v86fs_req *req)
{
	u64 node = le64_to_cpu(attr->node);
	struct inode *inode;

	if (!node || !(le32_to_cpu(attr->mode) & S_IFMT))
		return ERR_PTR(-EIO);
	inode = iget5_locked(sb, (unsigned long)node, same_node, set_node, &node);
	if (!inode) {
		v86fs_forget(V86FS_SB(sb), node, 1);
		return ERR_PTR(-ENOMEM);
	}
	spin_lock(&inode->i_lock);
	V86FS_I(inode)->lookups++;
	spin_unlock(&inode->i_lock);
	if (inode->i_state & I_NEW) {
		init_new(inode, attr);
		v86fs_attributes(inode, attr, req);
		unlock_new_inode(inode);
		return inode;
	}
	/* A node never becomes another file. */
	if ((inode->i_mode ^ le32_to_cpu(attr->mode)) & S_IFMT) {
		iput(inode);
		return ERR_PTR(-EIO);
	}
	v86fs_attributes(inode, attr, req);
	return inode;
}

/* v86fs_find - the inode of a node, if there is one */
struct inode *v86fs_find(struct v86fs_sb *s, u64 node)
{
	return ilookup5(s->sb, (unsigned long)node, same_node, &node);
}

int v86fs_permission(struct user_namespace *ns, struct inode *inode, int mask)
{
	if (!v86fs_trusts_mode(inode)) {
		int err;

		if (mask & MAY_NOT_BLOCK)
			return -ECHILD;
		err = v86fs_refresh(inode, true);
		if (err)
			return err;
	}
	return generic_permission(ns, inode, mask);
}

int v86fs_getattr(struct user_namespace *ns, const struct path *path, struct kstat *stat,
		  u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct v86fs_inode *vi = V86FS_I(inode);

	if ((flags & AT_STATX_SYNC_TYPE) != AT_STATX_DONT_SYNC) {
		int err = v86fs_refresh(inode, (flags & AT_STATX_SYNC_TYPE) == AT_STATX_FORCE_SYNC);

		if (err)
			return err;
	}
	generic_fillattr(ns, inode, stat);
	stat->ino = vi->ino;
	if (vi->has_btime) {
		stat->btime = vi->btime;
		stat->result_mask |= STATX_BTIME;
	}
	if (inode->i_flags & S_IMMUTABLE)
		stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (inode->i_flags & S_APPEND)
		stat->attributes |= STATX_ATTR_APPEND;
	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
	return 0;
}

static void put_times(struct v86fs_setattr_q *q, const struct iattr *attr)
{
	q->atime = cpu_to_le64(attr->ia_atime.tv_sec);
	q->atime_nsec = cpu_to_le32(attr->ia_atime.tv_nsec);
	q->mtime = cpu_to_le64(attr->ia_mtime.tv_sec);
	q->mtime_nsec = cpu_to_le32(attr->ia_mtime.tv_nsec);
}

int v86fs_setattr(struct user_namespace *ns, struct dentry *dentry, struct iattr *attr)
{
	const unsigned int known = ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_SIZE | ATTR_ATIME |
				   ATTR_MTIME | ATTR_ATIME_SET | ATTR_MTIME_SET;
	struct inode *inode = d_inode(dentry);
	unsigned int valid = attr->ia_valid & known;
	struct v86fs_setattr_q *q;
	struct v86fs_attr_r *r;
	struct v86fs_req *req;
	int err = setattr_prepare(ns, dentry, attr);

	if (err || !valid)
		return err;
	/* What waits would be cut off, or change the time again. */
	if (S_ISREG(inode->i_mode) && valid & (ATTR_SIZE | ATTR_MTIME)) {
		err = filemap_write_and_wait(inode->i_mapping);
		if (err)
			return err;
	}
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_SETATTR2, V86FS_I(inode)->node,
			    sizeof(*q), sizeof(*r));
	if (!req)
		return -ENOMEM;
	q = req->out;
	r = req->in;
	if (attr->ia_valid & ATTR_FILE)
		q->handle = cpu_to_le64(v86fs_handle_of(attr->ia_file));
	q->valid = cpu_to_le32(valid);
	q->mode = cpu_to_le32(attr->ia_mode & 07777);
	if (valid & ATTR_UID)
		q->uid = cpu_to_le32(from_kuid(&init_user_ns, attr->ia_uid));
	if (valid & ATTR_GID)
		q->gid = cpu_to_le32(from_kgid(&init_user_ns, attr->ia_gid));
	q->size = cpu_to_le64(attr->ia_size);
	put_times(q, attr);
	v86fs_own_begin(inode);
	err = v86fs_req_call(req);
	if (!err && valid & ATTR_SIZE) {
		v86fs_set_size(inode, attr->ia_size);
		truncate_pagecache(inode, attr->ia_size);
	}
	if (err)
		v86fs_own_end(inode, NULL);
	else
		v86fs_own_done(inode, &r->attr, req);
	if (valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		forget_all_cached_acls(inode);
	v86fs_req_put(req);
	return err;
}

static void free_link(void *p)
{
	kfree(p);
}

static const char *v86fs_get_link(struct dentry *dentry, struct inode *inode,
				  struct delayed_call *done)
{
	struct v86fs_req *req;
	char *link = NULL;
	int err;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_READLINK2, V86FS_I(inode)->node,
			    sizeof(struct v86fs_request), sizeof(struct v86fs_response));
	if (!req)
		return ERR_PTR(-ENOMEM);
	err = v86fs_req_result(req, PATH_MAX);
	err = err ?: v86fs_req_call(req);
	if (!err && (!req->data || req->data >= PATH_MAX))
		err = -EIO;
	if (!err) {
		link = kmemdup_nul(req->result, req->data, GFP_KERNEL);
		err = link ? 0 : -ENOMEM;
	}
	v86fs_req_put(req);
	if (err)
		return ERR_PTR(err);
	set_delayed_call(done, free_link, link);
	return link;
}

const struct inode_operations v86fs_symlink_inode_ops = {
	.get_link	= v86fs_get_link,
	.getattr	= v86fs_getattr,
	.setattr	= v86fs_setattr,
	.permission	= v86fs_permission,
	.listxattr	= v86fs_listxattr,
};

const struct inode_operations v86fs_file_inode_ops = {
	.getattr	= v86fs_getattr,
	.setattr	= v86fs_setattr,
	.permission	= v86fs_permission,
	.listxattr	= v86fs_listxattr,
	.get_acl	= v86fs_get_acl,
	.set_acl	= v86fs_set_acl,
};
