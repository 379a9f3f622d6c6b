/* SPDX-License-Identifier: GPL-2.0-only */
/* v86fs: directories of the host, shared by an emulator. */
#ifndef V86FS_H
#define V86FS_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>
#include "protocol.h"

#define V86FS_MAGIC	0x56383646

struct v86fs_device;
struct v86fs_file;
struct v86fs_sb;
struct kstat;
struct posix_acl;
struct xattr_handler;

/*
 * A request under way: whoever waits for it and the ring each hold a reference.
 * The message is in out, the response in in; data, if there is any, is pages of
 * their own, which the request holds until it is freed.
 */
struct v86fs_req {
	refcount_t ref;
	struct completion done;
	struct v86fs_device *dev;
	/* Called once it is answered, in interrupt context, if it is not NULL. */
	void (*end)(struct v86fs_req *req);
	struct inode *inode;	/* whose pages are the data */
	struct v86fs_file *file;	/* through which they are read or written */
	int err;		/* 0 or a negative errno, when answered */
	u32 data;		/* bytes of data in the response, when answered */
	u16 tag;
	bool urgent;		/* goes on the queue without bulk data */
	bool silent;		/* has no response */
	u64 began;		/* v86fs_sb.seq when it was made */
	unsigned int out_len, in_len;
	void *out, *in;
	struct scatterlist *sg;
	unsigned int out_pages, in_pages;
	bool put_pages;		/* the request holds a reference of each page */
	void *result;		/* a buffer for data that is not pages of a file */
	unsigned int result_len;
	struct list_head answered;
};

/* Transport. */
struct v86fs_req *v86fs_req_new(struct v86fs_sb *s, u8 type, u64 node, unsigned int out_len,
				unsigned int in_len);
int v86fs_req_pages(struct v86fs_req *req, struct page **pages, unsigned int n, unsigned int from,
		    size_t len, bool out);
int v86fs_req_result(struct v86fs_req *req, unsigned int len);
void v86fs_req_put(struct v86fs_req *req);
int v86fs_req_send(struct v86fs_req *req);
int v86fs_req_wait(struct v86fs_req *req);
int v86fs_req_call(struct v86fs_req *req);
int v86fs_req_call_put(struct v86fs_req *req);

struct v86fs_device *v86fs_device_get(void);
void v86fs_device_put(struct v86fs_device *dev);
bool v86fs_device_gone(struct v86fs_device *dev);
unsigned int v86fs_max_data(struct v86fs_device *dev);
unsigned int v86fs_max_name(struct v86fs_device *dev);
unsigned int v86fs_max_forget(struct v86fs_device *dev);
int v86fs_transport_init(void);
void v86fs_transport_exit(void);

/* Notifications: called from the device's work queue. */
void v86fs_notified(struct v86fs_device *dev, const void *msg, unsigned int len);

/* A mounted export. */
struct v86fs_sb {
	struct v86fs_device *dev;
	struct super_block *sb;
	struct list_head list;
	char *name;
	u32 mount;
	u32 flags;		/* V86FS_MOUNT_* */
	unsigned int cache_ms;	/* trust what is known no longer than this */
	u32 owner_key;		/* mixed into the numbers of lock owners */
	/* Versions of notifications about everything, and about unknown nodes. */
	spinlock_t version_lock;
	u64 version, version_unknown;
	u32 names_seq;		/* raised when no name is good any more */
	u32 attr_seq;		/* raised when no attributes are */
	atomic64_t seq;		/* of our own changes, beginnings and ends */
	/* What is to be forgotten. */
	spinlock_t forget_lock;
	struct list_head forgets;
	unsigned int forget_count;
	struct delayed_work forget_work;
};

struct v86fs_inode {
	struct inode vfs;
	u64 node;
	u64 ino;
	u64 generation;
	u64 lookups;		/* under vfs.i_lock */
	/* The rest under lock. */
	spinlock_t lock;
	u64 change;		/* of the content that the page cache has */
	bool change_known;
	u64 version;		/* of the latest notification */
	unsigned long attr_expires, perm_expires;
	u32 attr_seq;		/* v86fs_sb.attr_seq when they were told */
	bool no_xattr;
	unsigned int writes;	/* changes of ours under way */
	u64 own_seq;		/* v86fs_sb.seq when one last began or ended */
	u32 names_seq;		/* of a directory: raised when no name in it is good */
	bool plus;		/* attributes of its entries were wanted */
	struct timespec64 btime;
	bool has_btime;
	struct list_head writers;	/* open files that may write */
};

/* An open file or directory. */
struct v86fs_file {
	u64 handle;
	atomic_t users;		/* requests under way */
	struct list_head writers;
	/* Of a directory: the entries at hand, in the answer that brought them. */
	struct mutex lock;
	struct v86fs_req *piece;
	u64 cookie;		/* that they follow */
	bool plus, last;
};

static inline struct v86fs_inode *V86FS_I(const struct inode *inode)
{
	return container_of(inode, struct v86fs_inode, vfs);
}

static inline struct v86fs_sb *V86FS_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct v86fs_file *v86fs_file(const struct file *file)
{
	return file->private_data;
}

/* inode.c */
extern struct kmem_cache *v86fs_inode_cache;
struct inode *v86fs_iget(struct super_block *sb, const struct v86fs_attr *attr,
			 const struct v86fs_req *req);
struct inode *v86fs_find(struct v86fs_sb *s, u64 node);
void v86fs_attributes(struct inode *inode, const struct v86fs_attr *attr,
		      const struct v86fs_req *req);
void v86fs_own_begin(struct inode *inode);
void v86fs_own_end(struct inode *inode, const struct v86fs_attr *attr);
void v86fs_own_wrote(struct inode *inode, const struct v86fs_attr *attr,
		     const struct v86fs_req *req);
void v86fs_own_done(struct inode *inode, const struct v86fs_attr *attr, struct v86fs_req *req);
void v86fs_expire(struct inode *inode);
void v86fs_expire_all(struct inode *inode);
int v86fs_refresh(struct inode *inode, bool force);
bool v86fs_trusts_mode(const struct inode *inode);
unsigned long v86fs_until(struct v86fs_sb *s, u32 ms);
bool v86fs_overtaken(struct inode *inode, const struct v86fs_req *req);

/* forget.c */
void v86fs_forget_init(struct v86fs_sb *s);
void v86fs_forget(struct v86fs_sb *s, u64 node, u64 lookups);
void v86fs_forget_end(struct v86fs_sb *s);

/* dir.c */
u32 v86fs_names_seq(struct inode *dir);
void v86fs_trust(struct dentry *dentry, u32 ms, const struct v86fs_req *req, u32 seq);

/* file.c */
struct v86fs_file *v86fs_file_new(void);
void v86fs_file_set(struct v86fs_file *f, struct inode *inode, struct file *file, u64 handle);
void v86fs_close(struct v86fs_sb *s, u64 node, u64 handle);
int v86fs_open(struct inode *inode, struct file *file);
int v86fs_release(struct inode *inode, struct file *file);
int v86fs_fsync(struct file *file, loff_t start, loff_t end, int datasync);
u32 v86fs_open_flags(unsigned int flags);
struct v86fs_file *v86fs_writer(struct inode *inode);
u64 v86fs_handle_of(struct file *file);

/* data.c */
int v86fs_drop_pages(struct inode *inode, loff_t offset, loff_t size);
void v86fs_set_size(struct inode *inode, loff_t size);
ssize_t v86fs_append(struct kiocb *iocb, struct iov_iter *from);

/* xattr.c */
extern const struct xattr_handler *v86fs_xattr_handlers[];
ssize_t v86fs_listxattr(struct dentry *dentry, char *buf, size_t size);
struct posix_acl *v86fs_get_acl(struct inode *inode, int type, bool rcu);
int v86fs_set_acl(struct user_namespace *ns, struct inode *inode, struct posix_acl *acl, int type);

/* Inode operations of more than one kind of file. */
int v86fs_getattr(struct user_namespace *ns, const struct path *path, struct kstat *stat,
		  u32 mask, unsigned int flags);
int v86fs_setattr(struct user_namespace *ns, struct dentry *dentry, struct iattr *attr);
int v86fs_permission(struct user_namespace *ns, struct inode *inode, int mask);

/* lock.c */
int v86fs_lock(struct file *file, int cmd, struct file_lock *fl);
int v86fs_flock(struct file *file, int cmd, struct file_lock *fl);

extern struct list_head v86fs_mounts;
extern struct mutex v86fs_mounts_lock;
extern const struct inode_operations v86fs_dir_inode_ops;
extern const struct inode_operations v86fs_file_inode_ops;
extern const struct inode_operations v86fs_symlink_inode_ops;
extern const struct file_operations v86fs_dir_ops;
extern const struct file_operations v86fs_file_ops;
extern const struct address_space_operations v86fs_aops;
extern const struct dentry_operations v86fs_dentry_ops;

#endif
