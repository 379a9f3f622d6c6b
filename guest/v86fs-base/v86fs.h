/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * v86fs: directories of the host, shared by an emulator.
 *
 * Messages are little-endian and packed. A request is a header and a body in
 * one device-readable part; its response is a header and a body in one
 * device-writable part.
 */
#ifndef V86FS_H
#define V86FS_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/virtio.h>

#define V86FS_MAGIC		0x56383646
#define V86FS_VIRTIO_ID		63

/* Message types. A response has bit 7 set. */
enum v86fs_type {
	V86FS_MOUNT	= 0x00,
	V86FS_LOOKUP	= 0x01,
	V86FS_GETATTR	= 0x02,
	V86FS_READDIR	= 0x03,
	V86FS_OPEN	= 0x04,
	V86FS_CLOSE	= 0x05,
	V86FS_READ	= 0x06,
	V86FS_CREATE	= 0x07,
	V86FS_WRITE	= 0x08,
	V86FS_MKDIR	= 0x09,
	V86FS_SETATTR	= 0x0a,
	V86FS_FSYNC	= 0x0b,
	V86FS_UNLINK	= 0x0c,
	V86FS_RENAME	= 0x0d,
	V86FS_SYMLINK	= 0x0e,
	V86FS_READLINK	= 0x0f,
	V86FS_STATFS	= 0x10,

	V86FS_INVALIDATE	= 0x20,
	V86FS_INVALIDATE_DIR	= 0x21,
	V86FS_MOUNT_NOTIFY	= 0x22,
	V86FS_UMOUNT_NOTIFY	= 0x23,

	V86FS_RESPONSE	= 0x80,
};

#define V86FS_HEADER	7	/* length, type, tag */
#define V86FS_STATUS	11	/* the header and a status */
#define V86FS_IO_PAGES	64	/* pages in one READ at most */
#define V86FS_MAX_SG	(V86FS_IO_PAGES + 2)

/* A message being put together. */
struct v86fs_msg {
	u8 *buf;
	unsigned int len;
	unsigned int size;
	bool overflow;
};

/* A request under way: the submitter and the ring each hold a reference. */
struct v86fs_req {
	refcount_t ref;
	struct completion done;
	struct v86fs_msg out;
	u8 *in;			/* the response, or its fixed part */
	unsigned int in_size;
	unsigned int used;	/* bytes the device wrote */
	u16 tag;
	u8 type;
	unsigned int out_data, in_data;	/* pages that follow out and in */
	struct scatterlist *data;
};

struct v86fs_device;

/* Transport. */
struct v86fs_req *v86fs_req_new(u8 type, unsigned int out_size, unsigned int in_size);
void v86fs_req_put(struct v86fs_req *req);
int v86fs_req_send(struct v86fs_device *dev, struct v86fs_req *req);
struct v86fs_device *v86fs_device_get(void);
void v86fs_device_put(struct v86fs_device *dev);
int v86fs_transport_init(void);
void v86fs_transport_exit(void);

void v86fs_put8(struct v86fs_msg *m, u8 v);
void v86fs_put16(struct v86fs_msg *m, u16 v);
void v86fs_put32(struct v86fs_msg *m, u32 v);
void v86fs_put64(struct v86fs_msg *m, u64 v);
void v86fs_put_name(struct v86fs_msg *m, const char *name, unsigned int len);

/* Notifications: called from the device's work queue. */
void v86fs_notified(struct v86fs_device *dev, const u8 *msg, unsigned int len);

/* A mounted export. */
struct v86fs_sb {
	struct v86fs_device *dev;
	struct super_block *sb;
	struct list_head list;
	char *name;
	unsigned long ttl;	/* jiffies that names and attributes are trusted */
	unsigned int ttl_ms;
};

struct v86fs_inode {
	struct inode vfs;
	u64 id;
	unsigned long expires;	/* jiffies when the attributes must be asked again */
	bool changed;		/* by this guest, since they were asked */
};

struct v86fs_file {
	u64 handle;
};

static inline struct v86fs_inode *V86FS_I(struct inode *inode)
{
	return container_of(inode, struct v86fs_inode, vfs);
}

static inline struct v86fs_sb *V86FS_SB(struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct v86fs_device *v86fs_dev(struct inode *inode)
{
	return V86FS_SB(inode->i_sb)->dev;
}

struct inode *v86fs_iget(struct super_block *sb, u64 id, umode_t mode, u64 size);
int v86fs_refresh(struct inode *inode, bool force);
void v86fs_expire(struct inode *inode);
int v86fs_simple(struct v86fs_device *dev, u8 type, u64 id);

extern struct list_head v86fs_mounts;
extern struct mutex v86fs_mounts_lock;
extern const struct inode_operations v86fs_dir_inode_ops;
extern const struct inode_operations v86fs_file_inode_ops;
extern const struct inode_operations v86fs_symlink_inode_ops;
extern const struct file_operations v86fs_dir_ops;
extern const struct file_operations v86fs_file_ops;
extern const struct address_space_operations v86fs_aops;
extern const struct dentry_operations v86fs_dentry_ops;
int v86fs_getattr(struct user_namespace *ns, const struct path *path, struct kstat *stat,
		  u32 mask, unsigned int flags);
int v86fs_setattr(struct user_namespace *ns, struct dentry *dentry, struct iattr *attr);

#endif
