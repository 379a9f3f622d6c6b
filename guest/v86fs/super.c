// SPDX-License-Identifier: GPL-2.0-only
/* Mounts, super blocks and the module. */
#include <linux/backing-dev.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include "v86fs.h"

LIST_HEAD(v86fs_mounts);
DEFINE_MUTEX(v86fs_mounts_lock);
static struct kmem_cache *inode_cache;

static struct inode *v86fs_alloc_inode(struct super_block *sb)
{
	struct v86fs_inode *vi = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!vi)
		return NULL;
	memset_after(vi, 0, vfs);
	spin_lock_init(&vi->lock);
	INIT_LIST_HEAD(&vi->writers);
	vi->attr_expires = vi->perm_expires = jiffies - 1;
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
	v86fs_forget(V86FS_SB(inode->i_sb), V86FS_I(inode)->node, V86FS_I(inode)->lookups);
}

static int v86fs_statfs(struct dentry *dentry, struct kstatfs *st)
{
	struct v86fs_req *req = v86fs_req_new(V86FS_SB(dentry->d_sb), V86FS_STATFS2,
					      V86FS_I(d_inode(dentry))->node,
					      sizeof(struct v86fs_request),
					      sizeof(struct v86fs_statfs_r));
	struct v86fs_statfs_r *r;
	int err;

	if (!req)
		return -ENOMEM;
	r = req->in;
	err = v86fs_req_call(req);
	if (!err) {
		st->f_type = V86FS_MAGIC;
		st->f_namelen = le32_to_cpu(r->namelen);
		st->f_blocks = le64_to_cpu(r->blocks);
		st->f_bfree = le64_to_cpu(r->bfree);
		st->f_bavail = le64_to_cpu(r->bavail);
		st->f_files = le64_to_cpu(r->files);
		st->f_ffree = le64_to_cpu(r->ffree);
		st->f_bsize = le32_to_cpu(r->bsize);
		st->f_frsize = le32_to_cpu(r->frsize);
		st->f_fsid = u64_to_fsid(le64_to_cpu(r->fsid));
	}
	v86fs_req_put(req);
	return err;
}

/* A request of a mount, without anything else. */
static int of_mount(struct v86fs_sb *s, u8 type)
{
	struct v86fs_req *req = v86fs_req_new(s, type, 0, sizeof(struct v86fs_request),
					      sizeof(struct v86fs_response));

	return req ? v86fs_req_call_put(req) : -ENOMEM;
}

static int v86fs_sync_fs(struct super_block *sb, int wait)
{
	return wait ? of_mount(V86FS_SB(sb), V86FS_SYNCFS) : 0;
}

static void v86fs_put_super(struct super_block *sb)
{
	struct v86fs_sb *s = V86FS_SB(sb);

	mutex_lock(&v86fs_mounts_lock);
	list_del_init(&s->list);
	mutex_unlock(&v86fs_mounts_lock);
	v86fs_forget_end(s);
	of_mount(s, V86FS_UMOUNT);
}

static int v86fs_show_options(struct seq_file *m, struct dentry *root)
{
	struct v86fs_sb *s = V86FS_SB(root->d_sb);

	if (s->name && *s->name)
		seq_show_option(m, "name", s->name);
	if (!s->cache_ms)
		seq_puts(m, ",cache=none");
	else if (s->cache_ms != V86FS_FOREVER)
		seq_printf(m, ",cache=%u", s->cache_ms);
	return 0;
}

static const struct super_operations v86fs_super_ops = {
	.alloc_inode	= v86fs_alloc_inode,
	.free_inode	= v86fs_free_inode,
	.evict_inode	= v86fs_evict_inode,
	.drop_inode	= generic_drop_inode,
	.put_super	= v86fs_put_super,
	.sync_fs	= v86fs_sync_fs,
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
			s->cache_ms = 0;
		else if (kstrtouint(param->string, 10, &s->cache_ms))
			return invalfc(fc, "cache wants none or milliseconds");
		return 0;
	}
	return opt;
}

/* MOUNT2 tells what the export can do, and its root. */
static struct inode *mount_root(struct super_block *sb)
{
	struct v86fs_sb *s = V86FS_SB(sb);
	const char *name = s->name ?: "";
	unsigned int len = strlen(name);
	struct v86fs_mount_r *r;
	struct v86fs_mount *q;
	struct v86fs_req *req;
	struct inode *root;
	int err;

	req = v86fs_req_new(s, V86FS_MOUNT2, 0, sizeof(*q) + len, sizeof(*r));
	if (!req)
		return ERR_PTR(-ENOMEM);
	q = req->out;
	r = req->in;
	q->flags = cpu_to_le32(sb_rdonly(sb) ? V86FS_MOUNT_READ_ONLY : 0);
	q->name_len = cpu_to_le16(len);
	memcpy(q + 1, name, len);
	err = v86fs_req_call(req);
	if (err) {
		root = ERR_PTR(err);
		goto out;
	}
	s->mount = le32_to_cpu(r->mount);
	s->flags = le32_to_cpu(r->flags);
	if (s->flags & V86FS_MOUNT_READ_ONLY)
		sb->s_flags |= SB_RDONLY;
	if (s->flags & V86FS_MOUNT_ACL)
		sb->s_flags |= SB_POSIXACL;
	root = v86fs_iget(sb, &r->root, req);
	if (IS_ERR(root))
		of_mount(s, V86FS_UMOUNT);
out:
	v86fs_req_put(req);
	return root;
}

static int v86fs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct v86fs_sb *s = sb->s_fs_info;
	struct inode *root;
	int err;

	s->sb = sb;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_magic = V86FS_MAGIC;
	sb->s_op = &v86fs_super_ops;
	sb->s_d_op = &v86fs_dentry_ops;
	sb->s_xattr = v86fs_xattr_handlers;
	sb->s_time_gran = 1;
	sb->s_flags |= SB_NOSEC;
	err = super_setup_bdi(sb);
	if (err)
		return err;
	sb->s_bdi->ra_pages = v86fs_max_data(s->dev) >> PAGE_SHIFT;
	sb->s_bdi->io_pages = sb->s_bdi->ra_pages;
	root = mount_root(sb);
	if (IS_ERR(root))
		return PTR_ERR(root);
	mutex_lock(&v86fs_mounts_lock);
	list_add(&s->list, &v86fs_mounts);
	mutex_unlock(&v86fs_mounts_lock);
	sb->s_root = d_make_root(root);
	if (!sb->s_root) {
		v86fs_put_super(sb);
		return -ENOMEM;
	}
	return 0;
}

static int v86fs_get_tree(struct fs_context *fc)
{
	struct v86fs_sb *s = fc->s_fs_info;

	/* mount -t v86fs EXPORT DIR: what does not name an export is a habit. */
	if (!s->name && fc->source && strcmp(fc->source, "none") && strcmp(fc->source, "v86fs")) {
		s->name = kstrdup(fc->source, GFP_KERNEL);
		if (!s->name)
			return -ENOMEM;
	}
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
	/* Evicted inodes may have asked for it behind the unmount. */
	v86fs_forget_end(s);
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
	if (!(fc->sb_flags & SB_RDONLY) && s->flags & V86FS_MOUNT_READ_ONLY) {
		errorfc(fc, "the export was mounted, or is shared, read-only");
		return -EROFS;
	}
	WRITE_ONCE(s->cache_ms, new->cache_ms);
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
	spin_lock_init(&s->version_lock);
	v86fs_forget_init(s);
	s->owner_key = get_random_u32();
	s->cache_ms = V86FS_FOREVER;
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		s->cache_ms = V86FS_SB(fc->root->d_sb)->cache_ms;
	fc->s_fs_info = s;
	fc->ops = &v86fs_context_ops;
	return 0;
}

static void v86fs_kill_sb(struct super_block *sb)
{
	struct v86fs_sb *s = V86FS_SB(sb);

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
