// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names in directories.
 *
 * d_time says until when a name is trusted, d_fsdata at which count of its
 * directory's names it was told: the count is raised when none is good any more.
 */
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/posix_acl.h>
#include <linux/slab.h>
#include "v86fs.h"

/* v86fs_names_seq - the count of a directory's names, taken before they are asked for */
u32 v86fs_names_seq(struct inode *dir)
{
	return READ_ONCE(V86FS_I(dir)->names_seq) + READ_ONCE(V86FS_SB(dir->i_sb)->names_seq);
}

/* v86fs_trust - a name is as req's answer says, for ms milliseconds */
void v86fs_trust(struct dentry *dentry, u32 ms, const struct v86fs_req *req, u32 seq)
{
	struct dentry *parent = dget_parent(dentry);

	dentry->d_fsdata = (void *)(unsigned long)seq;
	if (v86fs_overtaken(d_inode(parent), req))
		ms = 0;
	WRITE_ONCE(dentry->d_time, v86fs_until(V86FS_SB(dentry->d_sb), ms));
	dput(parent);
}

static void put_name(void *at, const struct qstr *name)
{
	memcpy(at, name->name, name->len);
}

/* Begins a request whose message is fixed bytes and a name, of which more follow. */
static struct v86fs_req *name_req(struct inode *dir, u8 type, const struct qstr *name,
				  unsigned int fixed, unsigned int more, unsigned int in_len)
{
	struct v86fs_sb *s = V86FS_SB(dir->i_sb);
	struct v86fs_req *req;

	if (name->len > v86fs_max_name(s->dev))
		return ERR_PTR(-ENAMETOOLONG);
	req = v86fs_req_new(s, type, V86FS_I(dir)->node, fixed + name->len + more, in_len);
	if (!req)
		return ERR_PTR(-ENOMEM);
	put_name(req->out + fixed, name);
	return req;
}

/* A request of a directory and a name alone. */
static struct v86fs_req *plain_req(struct inode *dir, u8 type, const struct qstr *name,
				   unsigned int in_len)
{
	struct v86fs_req *req = name_req(dir, type, name, sizeof(struct v86fs_name), 0, in_len);

	if (!IS_ERR(req))
		((struct v86fs_name *)req->out)->name_len = cpu_to_le16(name->len);
	return req;
}

/* Of a new file: the gid that goes with the directory's set-group-ID. */
static void set_owner(struct v86fs_req *req, struct inode *dir)
{
	struct v86fs_request *q = req->out;

	if (dir->i_mode & S_ISGID)
		q->gid = cpu_to_le32(from_kgid_munged(&init_user_ns, dir->i_gid));
}

/* VFS has applied umask unless the directory may have a default ACL. */
static __le32 umask_for(struct inode *dir)
{
	return cpu_to_le32(IS_POSIXACL(dir) ? current_umask() : 0);
}

static struct v86fs_req *look(struct inode *dir, const struct qstr *name, int *err)
{
	struct v86fs_req *req = plain_req(dir, V86FS_LOOKUP2, name, sizeof(struct v86fs_attr_r));

	if (IS_ERR(req))
		return req;
	*err = v86fs_req_call(req);
	return req;
}

/* How long it may be trusted that there is no such name. */
static u32 absent_for(const struct v86fs_req *req)
{
	return le32_to_cpu(((struct v86fs_attr_r *)req->in)->attr.entry_valid);
}

static struct dentry *v86fs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	u32 seq = v86fs_names_seq(dir), valid;
	struct inode *inode = NULL;
	struct v86fs_attr_r *r;
	struct v86fs_req *req;
	struct dentry *alias;
	int err;

	/* Who makes a new name hears from the host if there is one. */
	if ((flags & (LOOKUP_CREATE | LOOKUP_EXCL)) == (LOOKUP_CREATE | LOOKUP_EXCL) &&
	    !sb_rdonly(dir->i_sb) &&
	    !inode_permission(&init_user_ns, dir, MAY_WRITE | MAY_EXEC)) {
		dentry->d_time = jiffies - 1;
		d_add(dentry, NULL);
		return NULL;
	}
	req = look(dir, &dentry->d_name, &err);
	if (IS_ERR(req))
		return ERR_CAST(req);
	r = req->in;
	valid = le32_to_cpu(r->attr.entry_valid);
	if (!err) {
		inode = v86fs_iget(dir->i_sb, &r->attr, req);
		WRITE_ONCE(V86FS_I(dir)->plus, true);
	} else if (err == -ENOENT) {
		valid = absent_for(req);
	} else {
		alias = ERR_PTR(err);
		goto out;
	}
	alias = d_splice_alias(inode, dentry);
	if (!IS_ERR(alias))
		v86fs_trust(alias ?: dentry, valid, req, seq);
out:
	v86fs_req_put(req);
	return alias;
}

static bool trusted(struct dentry *dentry, struct inode *dir)
{
	return time_before(jiffies, READ_ONCE(dentry->d_time)) &&
	       (u32)(unsigned long)READ_ONCE(dentry->d_fsdata) == v86fs_names_seq(dir);
}

/* Asks for a name again: 1 if it leads where it led. */
static int look_again(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry), *now;
	u32 seq = v86fs_names_seq(dir);
	struct v86fs_attr_r *r;
	struct v86fs_req *req;
	int err, same = 0;

	req = look(dir, &dentry->d_name, &err);
	if (IS_ERR(req))
		return PTR_ERR(req);
	r = req->in;
	if (!err) {
		now = v86fs_iget(dir->i_sb, &r->attr, req);
		if (!IS_ERR(now)) {
			same = now == inode;
			iput(now);
		}
		if (same)
			v86fs_trust(dentry, le32_to_cpu(r->attr.entry_valid), req, seq);
	} else if (err == -ENOENT) {
		same = !inode;
		if (same)
			v86fs_trust(dentry, absent_for(req), req, seq);
	} else if (err == -EINTR || err == -ERESTARTSYS || err == -ENOMEM) {
		same = err;
	}
	v86fs_req_put(req);
	return same;
}

static int v86fs_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct dentry *parent;
	struct inode *dir;
	int same;

	if (flags & LOOKUP_RCU) {
		parent = READ_ONCE(dentry->d_parent);
		dir = d_inode_rcu(parent);
		if (!dir || flags & LOOKUP_REVAL || !trusted(dentry, dir))
			return -ECHILD;
		return 1;
	}
	parent = dget_parent(dentry);
	dir = d_inode(parent);
	if (!(flags & LOOKUP_REVAL) && trusted(dentry, dir))
		same = 1;
	else if (d_really_is_negative(dentry) && flags & (LOOKUP_CREATE | LOOKUP_RENAME_TARGET))
		same = 0;	/* whoever makes it asks the host himself */
	else
		same = look_again(dir, dentry);
	dput(parent);
	return same;
}

const struct dentry_operations v86fs_dentry_ops = {
	.d_revalidate = v86fs_revalidate,
};

/* Sends a request that makes a file, and gives the dentry its inode. */
static int make(struct inode *dir, struct dentry *dentry, struct v86fs_req *req)
{
	u32 seq = v86fs_names_seq(dir);
	struct v86fs_attr_r *r = req->in;
	struct inode *inode;
	int err;

	set_owner(req, dir);
	v86fs_own_begin(dir);
	err = v86fs_req_call(req);
	v86fs_own_end(dir, NULL);
	if (!err) {
		inode = v86fs_iget(dir->i_sb, &r->attr, req);
		err = PTR_ERR_OR_ZERO(inode);
	}
	if (!err) {
		d_instantiate(dentry, inode);
		v86fs_trust(dentry, le32_to_cpu(r->attr.entry_valid), req, seq);
	} else {
		d_drop(dentry);
	}
	v86fs_req_put(req);
	return err;
}

static int v86fs_mknod(struct user_namespace *ns, struct inode *dir, struct dentry *dentry,
		       umode_t mode, dev_t rdev)
{
	struct v86fs_mknod_q *q;
	struct v86fs_req *req;

	req = name_req(dir, V86FS_MKNOD, &dentry->d_name, sizeof(*q), 0, sizeof(struct v86fs_attr_r));
	if (IS_ERR(req))
		return PTR_ERR(req);
	q = req->out;
	q->mode = cpu_to_le32(mode);
	q->umask = umask_for(dir);
	if (S_ISBLK(mode) || S_ISCHR(mode)) {
		q->major = cpu_to_le32(MAJOR(rdev));
		q->minor = cpu_to_le32(MINOR(rdev));
	}
	q->name_len = cpu_to_le16(dentry->d_name.len);
	return make(dir, dentry, req);
}

static int v86fs_create(struct user_namespace *ns, struct inode *dir, struct dentry *dentry,
			umode_t mode, bool excl)
{
	return v86fs_mknod(ns, dir, dentry, mode | S_IFREG, 0);
}

static int v86fs_mkdir(struct user_namespace *ns, struct inode *dir, struct dentry *dentry,
		       umode_t mode)
{
	struct v86fs_mkdir_q *q;
	struct v86fs_req *req;

	req = name_req(dir, V86FS_MKDIR2, &dentry->d_name, sizeof(*q), 0, sizeof(struct v86fs_attr_r));
	if (IS_ERR(req))
		return PTR_ERR(req);
	q = req->out;
	q->mode = cpu_to_le32(mode | S_IFDIR | (dir->i_mode & S_ISGID));
	q->umask = umask_for(dir);
	q->name_len = cpu_to_le16(dentry->d_name.len);
	return make(dir, dentry, req);
}

static int v86fs_symlink(struct user_namespace *ns, struct inode *dir, struct dentry *dentry,
			 const char *target)
{
	unsigned int len = strlen(target);
	struct v86fs_name *q;
	struct v86fs_req *req;

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	req = name_req(dir, V86FS_SYMLINK2, &dentry->d_name, sizeof(*q), len,
		       sizeof(struct v86fs_attr_r));
	if (IS_ERR(req))
		return PTR_ERR(req);
	q = req->out;
	q->name_len = cpu_to_le16(dentry->d_name.len);
	q->more = cpu_to_le16(len);
	memcpy((void *)(q + 1) + dentry->d_name.len, target, len);
	return make(dir, dentry, req);
}

static int v86fs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	struct v86fs_link_q *q;
	struct v86fs_req *req;
	int err;

	req = name_req(dir, V86FS_LINK, &dentry->d_name, sizeof(*q), 0, sizeof(struct v86fs_attr_r));
	if (IS_ERR(req))
		return PTR_ERR(req);
	q = req->out;
	q->file = cpu_to_le64(V86FS_I(inode)->node);
	q->name_len = cpu_to_le16(dentry->d_name.len);
	v86fs_own_begin(inode);
	err = make(dir, dentry, req);
	v86fs_own_end(inode, NULL);
	return err;
}

/* Sends a request that takes a name away. */
static int take(struct inode *dir, struct dentry *dentry, u8 type)
{
	struct inode *inode = d_inode(dentry);
	struct v86fs_req *req = plain_req(dir, type, &dentry->d_name, sizeof(struct v86fs_response));
	int err;

	if (IS_ERR(req))
		return PTR_ERR(req);
	v86fs_own_begin(dir);
	v86fs_own_begin(inode);
	err = v86fs_req_call_put(req);
	v86fs_own_end(inode, NULL);
	v86fs_own_end(dir, NULL);
	if (err) {
		/* It may be that the host took it first. */
		if (err == -ENOENT)
			WRITE_ONCE(dentry->d_time, jiffies - 1);
		return err;
	}
	if (type == V86FS_RMDIR)
		clear_nlink(inode);
	else if (inode->i_nlink)
		drop_nlink(inode);
	/* The negative name is asked for when it is next walked. */
	WRITE_ONCE(dentry->d_time, jiffies - 1);
	return 0;
}

static int v86fs_unlink(struct inode *dir, struct dentry *dentry)
{
	return take(dir, dentry, V86FS_UNLINK2);
}

static int v86fs_rmdir(struct inode *dir, struct dentry *dentry)
{
	return take(dir, dentry, V86FS_RMDIR);
}

static int v86fs_rename(struct user_namespace *ns, struct inode *old_dir, struct dentry *old,
			struct inode *new_dir, struct dentry *new, unsigned int flags)
{
	struct inode *moved = d_inode(old), *replaced = d_inode(new);
	struct v86fs_rename_q *q;
	struct v86fs_req *req;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (new->d_name.len > v86fs_max_name(V86FS_SB(new_dir->i_sb)->dev))
		return -ENAMETOOLONG;
	req = name_req(old_dir, V86FS_RENAME2, &old->d_name, sizeof(*q), new->d_name.len,
		       sizeof(struct v86fs_response));
	if (IS_ERR(req))
		return PTR_ERR(req);
	q = req->out;
	q->new_dir = cpu_to_le64(V86FS_I(new_dir)->node);
	q->flags = cpu_to_le32(flags);
	q->old_len = cpu_to_le16(old->d_name.len);
	q->new_len = cpu_to_le16(new->d_name.len);
	put_name((void *)(q + 1) + old->d_name.len, &new->d_name);
	v86fs_own_begin(old_dir);
	v86fs_own_begin(new_dir);
	err = v86fs_req_call_put(req);
	v86fs_own_end(new_dir, NULL);
	v86fs_own_end(old_dir, NULL);
	v86fs_expire(moved);
	if (replaced) {
		v86fs_expire(replaced);
		if (!err && !(flags & RENAME_EXCHANGE)) {
			if (S_ISDIR(replaced->i_mode))
				clear_nlink(replaced);
			else if (replaced->i_nlink)
				drop_nlink(replaced);
		}
	}
	if (!err && flags & RENAME_WHITEOUT)
		WRITE_ONCE(old->d_time, jiffies - 1);
	/* What moved takes its trust along, which belongs to the directory. */
	if (!err && old_dir != new_dir)
		WRITE_ONCE(old->d_time, jiffies - 1);
	return err;
}

/* The inode and the open file of an answer that has both, or neither. */
static struct inode *opened(struct inode *dir, struct file *file, struct v86fs_file *f,
			    const struct v86fs_req *req)
{
	const struct v86fs_open_r *r = req->in;
	u64 handle = le64_to_cpu(r->handle);
	struct inode *inode = v86fs_iget(dir->i_sb, &r->attr, req);

	if (!IS_ERR(inode) && !S_ISREG(inode->i_mode)) {
		iput(inode);
		inode = ERR_PTR(-EIO);
	}
	if (IS_ERR(inode)) {
		v86fs_close(V86FS_SB(dir->i_sb), le64_to_cpu(r->attr.node), handle);
		kfree(f);
	} else {
		v86fs_file_set(f, inode, file, handle);
	}
	return inode;
}

static struct v86fs_req *create_req(struct inode *dir, const struct qstr *name, unsigned int flags,
				    umode_t mode)
{
	struct v86fs_create_q *q;
	struct v86fs_req *req = name_req(dir, V86FS_CREATE2, name, sizeof(*q), 0,
					 sizeof(struct v86fs_open_r));

	if (IS_ERR(req))
		return req;
	q = req->out;
	/* Whether it may be cut to nothing is found out when it is open. */
	q->flags = cpu_to_le32(v86fs_open_flags(flags & ~O_TRUNC) | (flags & O_EXCL ? V86FS_O_EXCL : 0));
	q->mode = cpu_to_le32(mode);
	q->umask = umask_for(dir);
	q->name_len = cpu_to_le16(name->len);
	set_owner(req, dir);
	return req;
}

/* Makes and opens a file in one request; -EEXIST if it is to be looked up first. */
static int create_open(struct inode *dir, struct dentry *dentry, struct file *file,
		       unsigned int flags, umode_t mode)
{
	u32 seq = v86fs_names_seq(dir);
	struct v86fs_req *req = create_req(dir, &dentry->d_name, flags, mode);
	struct v86fs_open_r *r;
	struct v86fs_file *f;
	struct dentry *alias;
	struct inode *inode;
	int err = -ENOMEM;

	if (IS_ERR(req))
		return PTR_ERR(req);
	r = req->in;
	f = v86fs_file_new();
	if (!f)
		goto out;
	v86fs_own_begin(dir);
	err = v86fs_req_call(req);
	v86fs_own_end(dir, NULL);
	if (err) {
		kfree(f);
		goto out;
	}
	inode = opened(dir, file, f, req);
	err = PTR_ERR_OR_ZERO(inode);
	if (err)
		goto out;
	if (!d_in_lookup(dentry))
		d_drop(dentry);
	alias = d_splice_alias(inode, dentry);
	err = PTR_ERR_OR_ZERO(alias);
	if (err)
		goto close;
	v86fs_trust(alias ?: dentry, le32_to_cpu(r->attr.entry_valid), req, seq);
	if (le32_to_cpu(r->flags) & V86FS_OPENED_NEW)
		file->f_mode |= FMODE_CREATED;
	err = finish_open(file, alias ?: dentry, generic_file_open);
	dput(alias);
close:
	if (err)
		v86fs_release(inode, file);
out:
	v86fs_req_put(req);
	return err;
}

/*
 * Opens a name that is to be made, or was not asked for yet, in one request.
 * What is no regular file, or could not be opened, takes the way by a lookup.
 */
static int v86fs_atomic_open(struct inode *dir, struct dentry *dentry, struct file *file,
			     unsigned int flags, umode_t mode)
{
	struct dentry *found = NULL;
	int err = 0;

	if (flags & O_CREAT && !d_really_is_positive(dentry)) {
		err = create_open(dir, dentry, file, flags, mode);
		if (!err || err == -EINTR || err == -ERESTARTSYS || flags & O_EXCL)
			return err;
	}
	if (d_in_lookup(dentry)) {
		found = v86fs_lookup(dir, dentry, 0);
		if (IS_ERR(found))
			return PTR_ERR(found);
	}
	if (err && d_really_is_negative(found ?: dentry)) {
		dput(found);
		/* It was there a moment ago: have it looked up anew. */
		return err == -EEXIST ? -ESTALE : err;
	}
	return finish_no_open(file, found);
}

static int v86fs_tmpfile(struct user_namespace *ns, struct inode *dir, struct file *file,
			 umode_t mode)
{
	struct v86fs_req *req = v86fs_req_new(V86FS_SB(dir->i_sb), V86FS_TMPFILE,
					      V86FS_I(dir)->node, sizeof(struct v86fs_create_q),
					      sizeof(struct v86fs_open_r));
	struct v86fs_file *f = v86fs_file_new();
	struct v86fs_create_q *q;
	struct inode *inode;
	int err = -ENOMEM;

	if (!req || !f)
		goto fail;
	q = req->out;
	q->flags = cpu_to_le32(v86fs_open_flags(file->f_flags) |
			       (file->f_flags & O_EXCL ? V86FS_O_EXCL : 0));
	q->mode = cpu_to_le32(mode);
	q->umask = umask_for(dir);
	set_owner(req, dir);
	err = v86fs_req_call(req);
	if (err)
		goto fail;
	inode = opened(dir, file, f, req);
	err = PTR_ERR_OR_ZERO(inode);
	if (err)
		goto out;
	set_nlink(inode, 1);
	d_tmpfile(file, inode);		/* takes the link away again */
	err = finish_open(file, file->f_path.dentry, generic_file_open);
	if (err)
		v86fs_release(inode, file);
	goto out;
fail:
	kfree(f);
out:
	v86fs_req_put(req);
	return err;
}

const struct inode_operations v86fs_dir_inode_ops = {
	.lookup		= v86fs_lookup,
	.create		= v86fs_create,
	.mknod		= v86fs_mknod,
	.mkdir		= v86fs_mkdir,
	.symlink	= v86fs_symlink,
	.link		= v86fs_link,
	.unlink		= v86fs_unlink,
	.rmdir		= v86fs_rmdir,
	.rename		= v86fs_rename,
	.atomic_open	= v86fs_atomic_open,
	.tmpfile	= v86fs_tmpfile,
	.permission	= v86fs_permission,
	.getattr	= v86fs_getattr,
	.setattr	= v86fs_setattr,
	.listxattr	= v86fs_listxattr,
	.get_acl	= v86fs_get_acl,
	.set_acl	= v86fs_set_acl,
};
