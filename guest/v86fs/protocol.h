/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The extended v86fs protocol as docs/v86fs-protocol.md has it: little-endian
 * messages with naturally aligned fields.
 */
#ifndef V86FS_PROTOCOL_H
#define V86FS_PROTOCOL_H

#include <linux/build_bug.h>
#include <linux/types.h>

#define V86FS_VIRTIO_ID		63

/* Feature bits. */
#define V86FS_F_EXTENDED	0
#define V86FS_F_ASYNC		1
#define V86FS_F_EVENTS		2

#define V86FS_FOREVER		0xffffffff	/* milliseconds */
#define V86FS_LAST_BYTE		0x7fffffffffffffffULL

enum v86fs_type {
	V86FS_MOUNT_NOTIFY	= 0x22,
	V86FS_UMOUNT_NOTIFY	= 0x23,

	V86FS_MOUNT2		= 0x30,
	V86FS_UMOUNT		= 0x31,
	V86FS_EXPORTS		= 0x32,
	V86FS_LOOKUP2		= 0x33,
	V86FS_FORGET		= 0x34,
	V86FS_GETATTR2		= 0x35,
	V86FS_SETATTR2		= 0x36,
	V86FS_CREATE2		= 0x37,
	V86FS_OPEN2		= 0x38,
	V86FS_RELEASE		= 0x39,
	V86FS_READ2		= 0x3a,
	V86FS_WRITE2		= 0x3b,
	V86FS_FSYNC2		= 0x3c,
	V86FS_FALLOCATE		= 0x3d,
	V86FS_SEEK		= 0x3e,
	V86FS_COPY_RANGE	= 0x3f,
	V86FS_MKNOD		= 0x40,
	V86FS_MKDIR2		= 0x41,
	V86FS_SYMLINK2		= 0x42,
	V86FS_LINK		= 0x43,
	V86FS_UNLINK2		= 0x44,
	V86FS_RMDIR		= 0x45,
	V86FS_RENAME2		= 0x46,
	V86FS_TMPFILE		= 0x47,
	V86FS_READLINK2		= 0x48,
	V86FS_READDIR2		= 0x49,
	V86FS_STATFS2		= 0x4a,
	V86FS_SYNCFS		= 0x4b,
	V86FS_GETXATTR		= 0x4c,
	V86FS_SETXATTR		= 0x4d,
	V86FS_LISTXATTR		= 0x4e,
	V86FS_REMOVEXATTR	= 0x4f,
	V86FS_GETLK		= 0x50,
	V86FS_SETLK		= 0x51,
	V86FS_INTERRUPT		= 0x52,

	V86FS_INVAL_NODE	= 0x60,
	V86FS_INVAL_ENTRY	= 0x61,
	V86FS_INVAL_DIR		= 0x62,
	V86FS_INVAL_MOUNT	= 0x63,

	V86FS_RESPONSE		= 0x80,
};

/* The device's configuration space. */
struct v86fs_config {
	__le16 version;
	__le16 zero;
	__le32 max_data;
	__le32 max_inflight;
	__le32 max_name;
	__le32 notify_size;
	__le32 max_forget;
	__le32 max_handles;
	__le32 exports;
};
static_assert(sizeof(struct v86fs_config) == 32);

/* What every request begins with. */
struct v86fs_request {
	__le32 length;
	u8 type;
	u8 tag[2];
	u8 flags;
	__le32 mount;
	__le32 uid;
	__le32 gid;
	__le32 pid;
	__le64 node;
};
static_assert(sizeof(struct v86fs_request) == 32);

/* What every response begins with. */
struct v86fs_response {
	__le32 length;
	u8 type;
	u8 tag[2];
	u8 flags;
	__le32 status;
	__le32 data;
	__le64 version;
};
static_assert(sizeof(struct v86fs_response) == 24);

#define V86FS_LAST	1	/* in the flags of a response: nothing follows */

struct v86fs_attr {
	__le64 node;
	__le64 ino;
	__le64 generation;
	__le64 change;
	__le64 size;
	__le64 blocks;
	__le64 atime;
	__le64 mtime;
	__le64 ctime;
	__le64 btime;
	__le32 atime_nsec;
	__le32 mtime_nsec;
	__le32 ctime_nsec;
	__le32 btime_nsec;
	__le32 mode;
	__le32 nlink;
	__le32 uid;
	__le32 gid;
	__le32 rdev_major;
	__le32 rdev_minor;
	__le32 blksize;
	__le32 flags;
	__le32 attr_valid;
	__le32 entry_valid;
};
static_assert(sizeof(struct v86fs_attr) == 136);

#define V86FS_ATTR_BTIME	1
#define V86FS_ATTR_NO_XATTR	2
#define V86FS_ATTR_IMMUTABLE	4
#define V86FS_ATTR_APPEND	8

/* Requests, and responses other than the prefix alone. */

struct v86fs_attr_r {
	struct v86fs_response r;
	struct v86fs_attr attr;
};
static_assert(sizeof(struct v86fs_attr_r) == 160);

struct v86fs_open_r {
	struct v86fs_response r;
	struct v86fs_attr attr;
	__le64 handle;
	__le32 flags;
	__le32 zero;
};
static_assert(sizeof(struct v86fs_open_r) == 176);

#define V86FS_OPENED_NEW	1	/* the file was made now */
#define V86FS_OPENED_KEEP	2	/* cached pages are still good */

struct v86fs_mount {
	struct v86fs_request q;
	__le32 flags;
	__le16 name_len;
	__le16 zero;
};
static_assert(sizeof(struct v86fs_mount) == 40);

struct v86fs_mount_r {
	struct v86fs_response r;
	__le32 mount;
	__le32 flags;
	struct v86fs_attr root;
};
static_assert(sizeof(struct v86fs_mount_r) == 168);

#define V86FS_MOUNT_READ_ONLY	1
#define V86FS_MOUNT_WATCHED	2
#define V86FS_MOUNT_XATTR	4
#define V86FS_MOUNT_ACL		8
#define V86FS_MOUNT_LOCKS	16
#define V86FS_MOUNT_NOCASE	32
#define V86FS_MOUNT_OWNERS	64

/* LOOKUP2, UNLINK2, RMDIR, REMOVEXATTR; of SYMLINK2 more is the target's length. */
struct v86fs_name {
	struct v86fs_request q;
	__le16 name_len;
	__le16 more;
};
static_assert(sizeof(struct v86fs_name) == 36);

struct v86fs_forget_one {
	__le64 node;
	__le64 lookups;
};

struct v86fs_forget {
	struct v86fs_request q;
	__le32 count;
	__le32 zero;
	struct v86fs_forget_one one[];
};
static_assert(sizeof(struct v86fs_forget) == 40);

/* GETATTR2, RELEASE. */
struct v86fs_handle {
	struct v86fs_request q;
	__le64 handle;
};
static_assert(sizeof(struct v86fs_handle) == 40);

struct v86fs_setattr_q {
	struct v86fs_request q;
	__le64 handle;
	__le32 valid;
	__le32 mode;
	__le32 uid;
	__le32 gid;
	__le64 size;
	__le64 atime;
	__le64 mtime;
	__le64 ctime;
	__le32 atime_nsec;
	__le32 mtime_nsec;
	__le32 ctime_nsec;
	__le32 zero;
};
static_assert(sizeof(struct v86fs_setattr_q) == 104);

/* CREATE2, with a name; TMPFILE has none. */
struct v86fs_create_q {
	struct v86fs_request q;
	__le32 flags;
	__le32 mode;
	__le32 umask;
	__le16 name_len;
	__le16 zero;
};
static_assert(sizeof(struct v86fs_create_q) == 48);

/* OPEN2, LISTXATTR (size), FSYNC2 without its handle. */
struct v86fs_word {
	struct v86fs_request q;
	__le32 word;
	__le32 zero;
};
static_assert(sizeof(struct v86fs_word) == 40);

/* Flags of CREATE2 and OPEN2. */
#define V86FS_O_ACCESS		3
#define V86FS_O_EXCL		0x80
#define V86FS_O_TRUNC		0x200
#define V86FS_O_APPEND		0x400
#define V86FS_O_DSYNC		0x1000
#define V86FS_O_DIRECT		0x4000
#define V86FS_O_NOATIME		0x40000
#define V86FS_O_SYNC		0x101000

/* READ2, WRITE2, SEEK (size is whence), READDIR2 (offset is the cookie). */
struct v86fs_io {
	struct v86fs_request q;
	__le64 handle;
	__le64 offset;
	__le32 size;
	__le32 flags;
};
static_assert(sizeof(struct v86fs_io) == 56);

/* Flags of READ2, WRITE2, FALLOCATE and COPY_RANGE. */
#define V86FS_IO_APPEND		1
#define V86FS_IO_KILL_PRIV	2
#define V86FS_IO_SYNC		4
#define V86FS_IO_DSYNC		8
#define V86FS_IO_DIRECT		0x10
#define V86FS_IO_CLONE		0x20

#define V86FS_READDIR_PLUS	1

struct v86fs_write_r {
	struct v86fs_response r;
	__le64 offset;
	__le32 written;
	__le32 zero;
	struct v86fs_attr attr;
};
static_assert(sizeof(struct v86fs_write_r) == 176);

struct v86fs_fsync_q {
	struct v86fs_request q;
	__le64 handle;
	__le32 flags;
	__le32 zero;
};
static_assert(sizeof(struct v86fs_fsync_q) == 48);

#define V86FS_FSYNC_DATA	1

struct v86fs_fallocate_q {
	struct v86fs_request q;
	__le64 handle;
	__le32 mode;
	__le32 flags;
	__le64 offset;
	__le64 length;
};
static_assert(sizeof(struct v86fs_fallocate_q) == 64);

struct v86fs_seek_r {
	struct v86fs_response r;
	__le64 offset;
};
static_assert(sizeof(struct v86fs_seek_r) == 32);

struct v86fs_copy_q {
	struct v86fs_request q;
	__le64 handle;
	__le64 offset;
	__le64 to_node;
	__le64 to_handle;
	__le64 to_offset;
	__le64 length;
	__le32 flags;
	__le32 zero;
};
static_assert(sizeof(struct v86fs_copy_q) == 88);

struct v86fs_copy_r {
	struct v86fs_response r;
	__le64 copied;
	struct v86fs_attr to_attr;
};
static_assert(sizeof(struct v86fs_copy_r) == 168);

struct v86fs_mknod_q {
	struct v86fs_request q;
	__le32 mode;
	__le32 umask;
	__le32 major;
	__le32 minor;
	__le16 name_len;
	__le16 zero;
} __packed;
static_assert(sizeof(struct v86fs_mknod_q) == 52);

struct v86fs_mkdir_q {
	struct v86fs_request q;
	__le32 mode;
	__le32 umask;
	__le16 name_len;
	__le16 zero;
} __packed;
static_assert(sizeof(struct v86fs_mkdir_q) == 44);

struct v86fs_link_q {
	struct v86fs_request q;
	__le64 file;
	__le16 name_len;
	__le16 zero;
} __packed;
static_assert(sizeof(struct v86fs_link_q) == 44);

struct v86fs_rename_q {
	struct v86fs_request q;
	__le64 new_dir;
	__le32 flags;
	__le16 old_len;
	__le16 new_len;
};
static_assert(sizeof(struct v86fs_rename_q) == 48);

struct v86fs_entry {
	__le64 cookie;
	__le64 ino;
	__le32 type;
	__le16 name_len;
	__le16 zero;
};
static_assert(sizeof(struct v86fs_entry) == 24);

struct v86fs_statfs_r {
	struct v86fs_response r;
	__le64 blocks;
	__le64 bfree;
	__le64 bavail;
	__le64 files;
	__le64 ffree;
	__le32 bsize;
	__le32 frsize;
	__le32 namelen;
	__le32 type;
	__le64 fsid;
	__le32 flags;
	__le32 zero;
};
static_assert(sizeof(struct v86fs_statfs_r) == 96);

/* GETXATTR. */
struct v86fs_getxattr_q {
	struct v86fs_request q;
	__le32 size;
	__le16 name_len;
	__le16 zero;
};
static_assert(sizeof(struct v86fs_getxattr_q) == 40);

/* GETXATTR, LISTXATTR. */
struct v86fs_size_r {
	struct v86fs_response r;
	__le32 size;
	__le32 zero;
};
static_assert(sizeof(struct v86fs_size_r) == 32);

struct v86fs_setxattr_q {
	struct v86fs_request q;
	__le32 size;
	__le32 flags;
	__le16 name_len;
	__le16 zero;
} __packed;
static_assert(sizeof(struct v86fs_setxattr_q) == 44);

#define V86FS_XATTR_NO_SGID	4

struct v86fs_lock_q {
	struct v86fs_request q;
	__le64 handle;
	__le64 owner;
	__le64 start;
	__le64 end;
	__le32 type;
	__le32 flags;
};
static_assert(sizeof(struct v86fs_lock_q) == 72);

#define V86FS_LOCK_READ		0
#define V86FS_LOCK_WRITE	1
#define V86FS_LOCK_NONE		2
#define V86FS_LOCK_FLOCK	1
#define V86FS_LOCK_WAIT		2

struct v86fs_lock_r {
	struct v86fs_response r;
	__le64 start;
	__le64 end;
	__le32 type;
	__le32 pid;
};
static_assert(sizeof(struct v86fs_lock_r) == 48);

struct v86fs_interrupt_q {
	struct v86fs_request q;
	__le16 tag;
	__le16 zero16;
	__le32 zero;
};
static_assert(sizeof(struct v86fs_interrupt_q) == 40);

/* Notifications. */
struct v86fs_notice {
	__le32 length;
	u8 type;
	u8 zero8[2];
	u8 flags;
	__le32 mount;
	__le32 zero;
	__le64 version;
};
static_assert(sizeof(struct v86fs_notice) == 24);

struct v86fs_inval_node {
	struct v86fs_notice n;
	__le64 node;
	__le32 what;
	__le32 events;
	__le64 offset;
	__le64 size;
};
static_assert(sizeof(struct v86fs_inval_node) == 56);

#define V86FS_STALE_ATTR	1
#define V86FS_STALE_DATA	2
#define V86FS_STALE_XATTR	4
#define V86FS_STALE_GONE	8
#define V86FS_STALE_SURE	16

struct v86fs_inval_entry {
	struct v86fs_notice n;
	__le64 dir;
	__le64 node;
	__le32 events;
	__le32 cookie;
	__le16 name_len;
	__le16 zero;
} __packed;
static_assert(sizeof(struct v86fs_inval_entry) == 52);

struct v86fs_inval_dir {
	struct v86fs_notice n;
	__le64 dir;
};
static_assert(sizeof(struct v86fs_inval_dir) == 32);

#endif
