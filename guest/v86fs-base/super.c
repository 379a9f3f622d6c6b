// SPDX-License-Identifier: GPL-2.0-only
/* Mounts, super blocks and the module. */
#include <linux/backing-dev.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <asm/unaligned.h>
#include "v86fs.h"

#define DEFAULT_TTL_MS	1000

LIST_HEAD(v86fs_mounts);
DEFINE_MUTEX(v86fs_mounts_lock);
static struct kmem_cache *inode_cache;

static struct inode *v86fs_alloc_inode(struct super_block *sb)
{
	struct v86fs_inode *vi = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!vi)
		return NULL;
	vi->id = 0;
	vi->expires = jiffies - 1;
	vi->changed = false;
	return &vi->vfs;
}

static void v86fs_free_inode(struct inode *inode)
{
	kmem_cache_free(inode_cache, V86FS_I(inode));
}

static void v86fs_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
}

static int v86fs_statfs(struct dentry *dentry, struct kstatfs *st)
{
	struct v86fs_req *req = v86fs_req_new(V86FS_STATFS, 0, 55);
	int err = -ENOMEM;

	if (req)
		err = v86fs_req_send(V86FS_SB(dentry->d_sb)->dev, req);
	if (!err && req->used < 55)
		err = -EIO;
	if (!err) {
		const u8 *p = req->in + V86FS_STATUS;

		st->f_type = V86FS_MAGIC;
		st->f_namelen = NAME_MAX;
		st->f_blocks = get_unaligned_le64(p);
		st->f_bfree = get_unaligned_le64(p + 8);
		st->f_bavail = get_unaligned_le64(p + 16);
		st->f_files = get_unaligned_le64(p + 24);
		st->f_ffree = get_unaligned_le64(p + 32);
		st->f_bsize = get_unaligned_le32(p + 40);
		st->f_frsize = st->f_bsize;
	}
	v86fs_req_put(req);
	return err;
}

static int v86fs_show_options(struct seq_file *m, struct dentry *root)
{
	struct v86fs_sb *s = V86FS_SB(root->d_sb);

	if (s->name && *s->name)
		seq_show_option(m, "name", s->name);
	if (!s->ttl_ms)
		seq_puts(m, ",cache=none");
	else if (s->ttl_ms != DEFAULT_TTL_MS)
		seq_printf(m, ",cache=%u", s->ttl_ms);
	return 0;
}

static const struct super_operations v86fs_super_ops = {
	.alloc_inode	= v86fs_alloc_inode,
	.free_inode	= v86fs_free_inode,
	.evict_inode	= v86fs_evict_inode,
	.drop_inode	= generic_drop_inode,
	.statfs		= v86fs_statfs,
	.show_options	= v86fs_show_options,
};

enum { OPT_NAME, OPT_CACHE };

static const struct fs_parameter_spec v86fs_parameters[] = {
	fsparam_string("name", OPT_NAME),
	fsparam_string("root", OPT_NAME),
	fsparam_string("cache", OPT_CACHE),
	{}
};

static int v86fs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct v86fs_sb *s = fc->s_fs_info;
	struct fs_parse_result result;
	int opt = fs_parse(fc, v86fs_parameters, param, &result);

	switch (opt) {
	case OPT_NAME:
		if (strlen(param->string) > NAME_MAX)
			return invalfc(fc, "the name of the export is too long");
		kfree(s->name);
		s->name = param->string;
		param->string = NULL;
		return 0;
	case OPT_CACHE:
		if (!strcmp(param->string, "none"))
			s->ttl_ms = 0;
		else if (kstrtouint(param->string, 10, &s->ttl_ms))
			return invalfc(fc, "cache wants none or milliseconds");
		return 0;
	}
	return opt;
}

/* MOUNT returns the root's inode and mode. */
static int mount_root(struct v86fs_sb *s, u64 *id, umode_t *mode)
{
	const char *name = s->name ?: "";
	struct v86fs_req *req = v86fs_req_new(V86FS_MOUNT, 2 + strlen(name), 64);
	int err = -ENOMEM;

	if (req) {
		v86fs_put_name(&req->out, name, strlen(name));
		err = v86fs_req_send(s->dev, req);
	}
	if (!err && req->used < 23)
		err = -EIO;
	if (!err) {
		*id = get_unaligned_le64(req->in + 11);
		*mode = get_unaligned_le32(req->in + 19);
	}
	v86fs_req_put(req);
	return err;
}

static int v86fs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct v86fs_sb *s = sb->s_fs_info;
	struct inode *root;
	umode_t mode;
	u64 id;
	int err;

	s->sb = sb;
	s->ttl = msecs_to_jiffies(s->ttl_ms);
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_magic = V86FS_MAGIC;
	sb->s_op = &v86fs_super_ops;
	sb->s_d_op = &v86fs_dentry_ops;
	sb->s_time_gran = 1;
	err = super_setup_bdi(sb);
	if (err)
		return err;
	sb->s_bdi->ra_pages = V86FS_IO_PAGES;
	sb->s_bdi->io_pages = V86FS_IO_PAGES;
	err = mount_root(s, &id, &mode);
	if (err)
		return err;
	root = v86fs_iget(sb, id, mode, 0);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	mutex_lock(&v86fs_mounts_lock);
	list_add(&s->list, &v86fs_mounts);
	mutex_unlock(&v86fs_mounts_lock);
	return 0;
}

static int v86fs_get_tree(struct fs_context *fc)
{
	struct v86fs_sb *s = fc->s_fs_info;

	s->dev = v86fs_device_get();
	if (!s->dev) {
		errorfc(fc, "there is no v86fs device");
		return -ENODEV;
	}
	return get_tree_nodev(fc, v86fs_fill_super);
}

static void free_sb_info(struct v86fs_sb *s)
{
	if (!s)
		return;
	if (s->dev)
		v86fs_device_put(s->dev);
	kfree(s->name);
	kfree(s);
}

static void v86fs_free_fc(struct fs_context *fc)
{
	free_sb_info(fc->s_fs_info);
}

static int v86fs_reconfigure(struct fs_context *fc)
{
	struct v86fs_sb *new = fc->s_fs_info, *s = V86FS_SB(fc->root->d_sb);

	if (new->name && strcmp(new->name, s->name ?: ""))
		return invalfc(fc, "remount cannot change the export");
	s->ttl_ms = new->ttl_ms;
	s->ttl = msecs_to_jiffies(s->ttl_ms);
	return sync_filesystem(fc->root->d_sb);
}

static const struct fs_context_operations v86fs_context_ops = {
	.parse_param	= v86fs_parse_param,
	.get_tree	= v86fs_get_tree,
	.reconfigure	= v86fs_reconfigure,
	.free		= v86fs_free_fc,
};

static int v86fs_init_fs_context(struct fs_context *fc)
{
	struct v86fs_sb *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return -ENOMEM;
	INIT_LIST_HEAD(&s->list);
	s->ttl_ms = DEFAULT_TTL_MS;
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		s->ttl_ms = V86FS_SB(fc->root->d_sb)->ttl_ms;
	fc->s_fs_info = s;
	fc->ops = &v86fs_context_ops;
	return 0;
}

static void v86fs_kill_sb(struct super_block *sb)
{
	struct v86fs_sb *s = V86FS_SB(sb);

	if (s) {
		mutex_lock(&v86fs_mounts_lock);
		list_del_init(&s->list);
		mutex_unlock(&v86fs_mounts_lock);
	}
	kill_anon_super(sb);
	free_sb_info(s);
}

static struct file_system_type v86fs_type = {
	.owner			= THIS_MODULE,
	.name			= "v86fs",
	.init_fs_context	= v86fs_init_fs_context,
	.parameters		= v86fs_parameters,
	.kill_sb		= v86fs_kill_sb,
};
MODULE_ALIAS_FS("v86fs");

static void init_once(void *p)
{
	struct v86fs_inode *vi = p;

	inode_init_once(&vi->vfs);
}

static int __init v86fs_init(void)
{
	int err;

	inode_cache = kmem_cache_create("v86fs_inode", sizeof(struct v86fs_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_MEM_SPREAD | SLAB_ACCOUNT,
					init_once);
	if (!inode_cache)
		return -ENOMEM;
	err = v86fs_transport_init();
	if (err)
		goto no_driver;
	err = register_filesystem(&v86fs_type);
	if (err)
		goto no_fs;
	return 0;
no_fs:
	v86fs_transport_exit();
no_driver:
	kmem_cache_destroy(inode_cache);
	return err;
}
module_init(v86fs_init);

static void __exit v86fs_exit(void)
{
	unregister_filesystem(&v86fs_type);
	v86fs_transport_exit();
	rcu_barrier();	/* inodes are freed by RCU */
	kmem_cache_destroy(inode_cache);
}
module_exit(v86fs_exit);

MODULE_DESCRIPTION("v86fs: directories shared by an emulator");
MODULE_AUTHOR("The gov86 Authors");
MODULE_LICENSE("GPL");
