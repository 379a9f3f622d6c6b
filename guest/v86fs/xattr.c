// SPDX-License-Identifier: GPL-2.0-only
/* Extended attributes, and the ACLs that are kept in them. */
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#include "v86fs.h"

/* Whether it is known that a file has none. */
static bool has_none(struct inode *inode)
{
	return READ_ONCE(V86FS_I(inode)->no_xattr) && v86fs_trusts_mode(inode);
}

/* Gets a value, or with size 0 its length. */
static ssize_t get(struct inode *inode, const char *name, void *value, size_t size)
{
	unsigned int len = strlen(name);
	struct v86fs_getxattr_q *q;
	struct v86fs_size_r *r;
	struct v86fs_req *req;
	ssize_t n;

	if (!(V86FS_SB(inode->i_sb)->flags & V86FS_MOUNT_XATTR))
		return -EOPNOTSUPP;
	if (has_none(inode))
		return -ENODATA;
	size = min_t(size_t, size, XATTR_SIZE_MAX);
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_GETXATTR, V86FS_I(inode)->node,
			    sizeof(*q) + len, sizeof(*r));
	if (!req)
		return -ENOMEM;
	q = req->out;
	r = req->in;
	q->size = cpu_to_le32(size);
	q->name_len = cpu_to_le16(len);
	memcpy(q + 1, name, len);
	n = v86fs_req_result(req, size);
	n = n ?: v86fs_req_call(req);
	if (!n) {
		n = size ? req->data : le32_to_cpu(r->size);
		if (size && n)
			memcpy(value, req->result, n);
	}
	v86fs_req_put(req);
	return n;
}

/* Data that is no pages of a file goes into pages of the request's own. */
static int put_value(struct v86fs_req *req, const void *value, size_t size)
{
	int err = v86fs_req_result(req, size);

	if (err || !size)
		return err;
	memcpy(req->result, value, size);
	swap(req->in_pages, req->out_pages);
	return 0;
}

static int set(struct inode *inode, const char *name, const void *value, size_t size, u32 flags)
{
	unsigned int len = strlen(name);
	struct v86fs_setxattr_q *q;
	struct v86fs_req *req;
	int err;

	if (!(V86FS_SB(inode->i_sb)->flags & V86FS_MOUNT_XATTR))
		return -EOPNOTSUPP;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_SETXATTR, V86FS_I(inode)->node,
			    sizeof(*q) + len, sizeof(struct v86fs_response));
	if (!req)
		return -ENOMEM;
	q = req->out;
	q->size = cpu_to_le32(size);
	q->flags = cpu_to_le32(flags);
	q->name_len = cpu_to_le16(len);
	memcpy(q + 1, name, len);
	v86fs_own_begin(inode);
	err = put_value(req, value, size);
	err = err ?: v86fs_req_call(req);
	v86fs_own_end(inode, NULL);
	v86fs_req_put(req);
	v86fs_expire_all(inode);
	return err;
}

static int remove(struct inode *inode, const char *name)
{
	unsigned int len = strlen(name);
	struct v86fs_name *q;
	struct v86fs_req *req;
	int err;

	if (!(V86FS_SB(inode->i_sb)->flags & V86FS_MOUNT_XATTR))
		return -EOPNOTSUPP;
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_REMOVEXATTR, V86FS_I(inode)->node,
			    sizeof(*q) + len, sizeof(struct v86fs_response));
	if (!req)
		return -ENOMEM;
	q = req->out;
	q->name_len = cpu_to_le16(len);
	memcpy(q + 1, name, len);
	v86fs_own_begin(inode);
	err = v86fs_req_call_put(req);
	v86fs_own_end(inode, NULL);
	v86fs_expire_all(inode);
	return err;
}

ssize_t v86fs_listxattr(struct dentry *dentry, char *buf, size_t size)
{
	struct inode *inode = d_inode(dentry);
	struct v86fs_word *q;
	struct v86fs_size_r *r;
	struct v86fs_req *req;
	ssize_t n;

	if (!(V86FS_SB(inode->i_sb)->flags & V86FS_MOUNT_XATTR))
		return -EOPNOTSUPP;
	if (has_none(inode))
		return 0;
	size = min_t(size_t, size, XATTR_LIST_MAX);
	req = v86fs_req_new(V86FS_SB(inode->i_sb), V86FS_LISTXATTR, V86FS_I(inode)->node,
			    sizeof(*q), sizeof(*r));
	if (!req)
		return -ENOMEM;
	q = req->out;
	r = req->in;
	q->word = cpu_to_le32(size);
	n = v86fs_req_result(req, size);
	n = n ?: v86fs_req_call(req);
	if (!n) {
		n = size ? req->data : le32_to_cpu(r->size);
		if (size && n)
			memcpy(buf, req->result, n);
	}
	v86fs_req_put(req);
	return n;
}

static int xattr_get(const struct xattr_handler *handler, struct dentry *dentry,
		     struct inode *inode, const char *name, void *value, size_t size)
{
	return get(inode, name, value, size);
}

static int xattr_set(const struct xattr_handler *handler, struct user_namespace *ns,
		     struct dentry *dentry, struct inode *inode, const char *name,
		     const void *value, size_t size, int flags)
{
	return value ? set(inode, name, value, size, flags) : remove(inode, name);
}

static const struct xattr_handler any = {
	.prefix	= "",
	.get	= xattr_get,
	.set	= xattr_set,
};

const struct xattr_handler *v86fs_xattr_handlers[] = {
	&posix_acl_access_xattr_handler,
	&posix_acl_default_xattr_handler,
	&any,
	NULL
};

static const char *acl_name(int type)
{
	return type == ACL_TYPE_ACCESS ? XATTR_NAME_POSIX_ACL_ACCESS : XATTR_NAME_POSIX_ACL_DEFAULT;
}

struct posix_acl *v86fs_get_acl(struct inode *inode, int type, bool rcu)
{
	struct posix_acl *acl = NULL;
	void *value;
	ssize_t n;

	if (rcu)
		return ERR_PTR(-ECHILD);
	if (!IS_POSIXACL(inode) || has_none(inode))
		return NULL;
	value = kvmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!value)
		return ERR_PTR(-ENOMEM);
	n = get(inode, acl_name(type), value, PAGE_SIZE);
	if (n > 0)
		acl = posix_acl_from_xattr(&init_user_ns, value, n);
	else if (n < 0 && n != -ENODATA && n != -EOPNOTSUPP)
		acl = ERR_PTR(n);
	kvfree(value);
	return acl;
}

int v86fs_set_acl(struct user_namespace *ns, struct inode *inode, struct posix_acl *acl, int type)
{
	u32 flags = 0;
	void *value;
	size_t size;
	int err;

	if (!acl) {
		err = remove(inode, acl_name(type));
		return err == -ENODATA ? 0 : err;
	}
	size = posix_acl_xattr_size(acl->a_count);
	value = kmalloc(size, GFP_KERNEL);
	if (!value)
		return -ENOMEM;
	err = posix_acl_to_xattr(&init_user_ns, acl, value, size);
	if (err > 0) {
		if (type == ACL_TYPE_ACCESS && !in_group_p(i_gid_into_mnt(ns, inode)) &&
		    !capable_wrt_inode_uidgid(ns, inode, CAP_FSETID))
			flags = V86FS_XATTR_NO_SGID;
		err = set(inode, acl_name(type), value, size, flags);
	}
	kfree(value);
	return err;
}
