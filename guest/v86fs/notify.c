// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host says unasked: what is cached is stale, and why, so that who
 * watches files in this guest hears of it too.
 */
#include <linux/dcache.h>
#include <linux/fsnotify.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/umh.h>
#include <asm/unaligned.h>
#include "v86fs.h"

/* The events that the protocol names as the kernel does. */
#define EVENTS	(FS_MODIFY | FS_ATTRIB | FS_CLOSE_WRITE | FS_MOVED_FROM | FS_MOVED_TO | \
		 FS_CREATE | FS_DELETE | FS_DELETE_SELF | FS_MOVE_SELF | FS_ISDIR)
#define OF_NAME	(FS_MOVED_FROM | FS_MOVED_TO | FS_CREATE | FS_DELETE)

static void raise(u64 *version, u64 to)
{
	if (*version < to)
		*version = to;
}

/* Notes the version of a notification about a node: inode is NULL if there is none. */
static void told(struct v86fs_sb *s, struct inode *inode, u64 version)
{
	if (inode) {
		struct v86fs_inode *vi = V86FS_I(inode);

		spin_lock_irq(&vi->lock);
		raise(&vi->version, version);
		spin_unlock_irq(&vi->lock);
		return;
	}
	spin_lock_irq(&s->version_lock);
	raise(&s->version_unknown, version);
	spin_unlock_irq(&s->version_lock);
}

/* Tells who watches a file, or its directory, what happened to it. */
static void tell(struct inode *inode, u32 events)
{
	struct dentry *alias;

	events &= EVENTS & ~OF_NAME;
	if (!(events & ~FS_ISDIR))
		return;
	alias = d_find_any_alias(inode);
	if (alias) {
		fsnotify_dentry(alias, events & ~FS_ISDIR);
		dput(alias);
	} else {
		fsnotify_inode(inode, events & ~FS_ISDIR);
	}
}

/* Whether the host's content is still what the page cache was read from. */
static bool same_content(struct inode *inode)
{
	struct v86fs_inode *vi = V86FS_I(inode);
	bool known = vi->change_known;
	u64 before = vi->change;

	return !v86fs_refresh(inode, true) && known && vi->change == before;
}

static void inval_node(struct v86fs_sb *s, const struct v86fs_inval_node *n)
{
	struct inode *inode = v86fs_find(s, le64_to_cpu(n->node));
	u32 what = le32_to_cpu(n->what), events = le32_to_cpu(n->events);

	told(s, inode, le64_to_cpu(n->n.version));
	if (!inode)
		return;
	if (what & (V86FS_STALE_ATTR | V86FS_STALE_XATTR | V86FS_STALE_GONE))
		v86fs_expire_all(inode);
	if (what & V86FS_STALE_DATA && S_ISREG(inode->i_mode)) {
		/* It may be an echo of what we wrote, unless the host knows better. */
		if (same_content(inode) && !(what & V86FS_STALE_SURE))
			events &= ~(FS_MODIFY | FS_CLOSE_WRITE);
		else
			v86fs_drop_pages(inode, le64_to_cpu(n->offset), le64_to_cpu(n->size));
	}
	tell(inode, events);
	if (what & V86FS_STALE_GONE)
		d_prune_aliases(inode);
	iput(inode);
}

/* Takes a name that is new, gone or leads elsewhere out of the cache. */
static struct inode *drop_name(struct inode *dir, struct qstr *name, u32 events)
{
	struct dentry *parent = d_find_any_alias(dir), *dentry;
	struct inode *inode = NULL;

	if (!parent)
		return NULL;
	dentry = d_hash_and_lookup(parent, name);
	if (!IS_ERR_OR_NULL(dentry)) {
		inode = igrab(d_inode(dentry) ?: dir);
		if (d_really_is_negative(dentry)) {
			iput(inode);
			inode = NULL;
			d_drop(dentry);
		} else {
			/* Walked next, it is asked for: it may be as it was. */
			WRITE_ONCE(dentry->d_time, jiffies - 1);
			if (events & (FS_DELETE | FS_MOVED_FROM))
				d_invalidate(dentry);
		}
		dput(dentry);
	}
	dput(parent);
	return inode;
}

static void inval_entry(struct v86fs_sb *s, const struct v86fs_inval_entry *n)
{
	struct inode *dir = v86fs_find(s, le64_to_cpu(n->dir)), *inode, *led;
	struct qstr name = QSTR_INIT((const char *)(n + 1), le16_to_cpu(n->name_len));
	u32 events = le32_to_cpu(n->events) & EVENTS;
	u64 version = le64_to_cpu(n->n.version);

	told(s, dir, version);
	if (!dir)
		return;
	v86fs_expire(dir);
	led = drop_name(dir, &name, events);
	inode = n->node ? v86fs_find(s, le64_to_cpu(n->node)) : NULL;
	if (!inode)
		swap(inode, led);
	if (inode) {
		told(s, inode, version);
		v86fs_expire(inode);
	}
	/* Its super block is what the event is about even if the file is not known here. */
	if (events & ~FS_ISDIR)
		fsnotify_name(events, inode ?: dir, FSNOTIFY_EVENT_INODE, dir, &name,
			      le32_to_cpu(n->cookie));
	iput(led);
	iput(inode);
	iput(dir);
}

static void inval_dir(struct v86fs_sb *s, const struct v86fs_inval_dir *n)
{
	struct inode *dir = v86fs_find(s, le64_to_cpu(n->dir));

	told(s, dir, le64_to_cpu(n->n.version));
	if (!dir)
		return;
	v86fs_expire_all(dir);
	WRITE_ONCE(V86FS_I(dir)->names_seq, V86FS_I(dir)->names_seq + 1);
	iput(dir);
}

static void inval_mount(struct v86fs_sb *s, const struct v86fs_notice *n)
{
	spin_lock_irq(&s->version_lock);
	raise(&s->version, le64_to_cpu(n->version));
	spin_unlock_irq(&s->version_lock);
	/* Content is compared when the attributes are asked for. */
	WRITE_ONCE(s->attr_seq, s->attr_seq + 1);
	WRITE_ONCE(s->names_seq, s->names_seq + 1);
}

static void about_mount(struct v86fs_device *dev, const struct v86fs_notice *n, unsigned int len)
{
	struct v86fs_sb *s;

	mutex_lock(&v86fs_mounts_lock);
	list_for_each_entry(s, &v86fs_mounts, list) {
		if (s->dev != dev || s->mount != le32_to_cpu(n->mount))
			continue;
		switch (n->type) {
		case V86FS_INVAL_NODE:
			if (len >= sizeof(struct v86fs_inval_node))
				inval_node(s, (const void *)n);
			break;
		case V86FS_INVAL_ENTRY: {
			const struct v86fs_inval_entry *e = (const void *)n;

			if (len >= sizeof(*e) && len - sizeof(*e) >= le16_to_cpu(e->name_len))
				inval_entry(s, e);
			break;
		}
		case V86FS_INVAL_DIR:
			if (len >= sizeof(struct v86fs_inval_dir))
				inval_dir(s, (const void *)n);
			break;
		case V86FS_INVAL_MOUNT:
			inval_mount(s, n);
			break;
		}
		break;
	}
	mutex_unlock(&v86fs_mounts_lock);
}

/* Takes a string off a notification of the base protocol; the caller frees it. */
static char *take_string(const u8 **msg, unsigned int *len)
{
	unsigned int n;
	char *s;

	if (*len < 2)
		return NULL;
	n = get_unaligned_le16(*msg);
	if (n > *len - 2)
		return NULL;
	s = kmemdup_nul(*msg + 2, n, GFP_KERNEL);
	*msg += 2 + n;
	*len -= 2 + n;
	return s;
}

static void run(char **argv)
{
	static char *env[] = { "HOME=/", "PATH=/sbin:/bin:/usr/sbin:/usr/bin", NULL };

	call_usermodehelper(argv[0], argv, env, UMH_WAIT_PROC);
}

static void mount_at(char *name, char *path)
{
	char *option = kasprintf(GFP_KERNEL, "name=%s", name);
	char *mkdir[] = { "/bin/mkdir", "-p", path, NULL };
	char *mount[] = { "/bin/mount", "-t", "v86fs", "-o", option, "none", path, NULL };

	if (option && path[0] == '/' && !strchr(name, ',')) {
		run(mkdir);
		run(mount);
	}
	kfree(option);
}

static void mount_notify(const u8 *msg, unsigned int len)
{
	char *name = take_string(&msg, &len), *path = take_string(&msg, &len);

	if (name && path)
		mount_at(name, path);
	kfree(name);
	kfree(path);
}

static void umount_notify(const u8 *msg, unsigned int len)
{
	char *path = take_string(&msg, &len);
	char *umount[] = { "/bin/umount", path, NULL };

	if (path && path[0] == '/')
		run(umount);
	kfree(path);
}

/* v86fs_notified - a notification has come; where sleeping is allowed */
void v86fs_notified(struct v86fs_device *dev, const void *msg, unsigned int len)
{
	const unsigned int header = 7;	/* of the base protocol */
	const u8 *bytes = msg;

	if (len < header)
		return;
	switch (bytes[4]) {
	case V86FS_MOUNT_NOTIFY:
		mount_notify(bytes + header, len - header);
		break;
	case V86FS_UMOUNT_NOTIFY:
		umount_notify(bytes + header, len - header);
		break;
	default:
		if (len >= sizeof(struct v86fs_notice))
			about_mount(dev, msg, len);
	}
}
