// SPDX-License-Identifier: GPL-2.0-only
/* What the host says unasked. */
#include <linux/dcache.h>
#include <linux/kmod.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/umh.h>
#include <asm/unaligned.h>
#include "v86fs.h"

struct wanted {
	u64 id;
};

static int has_id(struct inode *inode, void *data)
{
	return V86FS_I(inode)->id == ((struct wanted *)data)->id;
}

static void drop_names(struct inode *dir)
{
	struct dentry *alias = d_find_any_alias(dir), *child;

	if (!alias)
		return;
	/* What is in use stays, but is asked for again when it is next walked. */
	spin_lock(&alias->d_lock);
	list_for_each_entry(child, &alias->d_subdirs, d_child)
		child->d_time = jiffies - 1;
	spin_unlock(&alias->d_lock);
	dput(alias);
}

static void invalidate(struct v86fs_sb *s, u64 id, bool names, u64 offset, u64 size)
{
	struct wanted w = { id };
	struct inode *inode = ilookup5(s->sb, (unsigned long)id, has_id, &w);

	if (!inode)
		return;
	v86fs_expire(inode);
	if (names && S_ISDIR(inode->i_mode)) {
		drop_names(inode);
	} else if (S_ISREG(inode->i_mode)) {
		pgoff_t first = size ? offset >> PAGE_SHIFT : 0;
		pgoff_t last = size ? (offset + size - 1) >> PAGE_SHIFT : -1;

		v86fs_refresh(inode, true);
		invalidate_inode_pages2_range(inode->i_mapping, first, last);
	}
	iput(inode);
}

/* Takes a name off a message; the caller frees it. */
static char *take_name(const u8 **msg, unsigned int *len)
{
	unsigned int n;
	char *name;

	if (*len < 2)
		return NULL;
	n = get_unaligned_le16(*msg);
	if (n > *len - 2)
		return NULL;
	name = kmemdup_nul(*msg + 2, n, GFP_KERNEL);
	*msg += 2 + n;
	*len -= 2 + n;
	return name;
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

void v86fs_notified(struct v86fs_device *dev, const u8 *msg, unsigned int len)
{
	struct v86fs_sb *s;
	char *name, *path;
	u64 id, offset = 0, size = 0;
	u8 type;

	if (len < V86FS_HEADER)
		return;
	type = msg[4];
	msg += V86FS_HEADER;
	len -= V86FS_HEADER;
	switch (type) {
	case V86FS_INVALIDATE:
	case V86FS_INVALIDATE_DIR:
		if (len < 8)
			return;
		id = get_unaligned_le64(msg);
		if (type == V86FS_INVALIDATE && len >= 24) {
			offset = get_unaligned_le64(msg + 8);
			size = get_unaligned_le64(msg + 16);
		}
		mutex_lock(&v86fs_mounts_lock);
		list_for_each_entry(s, &v86fs_mounts, list)
			if (s->dev == dev)
				invalidate(s, id, type == V86FS_INVALIDATE_DIR, offset, size);
		mutex_unlock(&v86fs_mounts_lock);
		break;
	case V86FS_MOUNT_NOTIFY:
		name = take_name(&msg, &len);
		path = take_name(&msg, &len);
		if (name && path)
			mount_at(name, path);
		kfree(name);
		kfree(path);
		break;
	case V86FS_UMOUNT_NOTIFY:
		path = take_name(&msg, &len);
		if (path && path[0] == '/') {
			char *umount[] = { "/bin/umount", path, NULL };

			run(umount);
		}
		kfree(path);
		break;
	}
}
