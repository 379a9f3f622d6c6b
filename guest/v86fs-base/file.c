// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files: the page cache between programs and the host.
 *
 * A write goes to the host before it returns, so that errors reach the program
 * that caused them; pages written through a mapping follow at write-back.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/writeback.h>
#include <asm/unaligned.h>
#include "v86fs.h"

#define READ_FIXED	15	/* before the data */

/*
 * Reads n pages, which follow one another, in one request. The pages are
 * locked; what lies beyond the end of the file becomes zero.
 */
static int read_run(struct inode *inode, struct file *file, struct page **pages, unsigned int n)
{
	struct v86fs_req *req = v86fs_req_new(V86FS_READ, 20, READ_FIXED);
	unsigned int i, got;
	int err = -ENOMEM;

	if (!req)
		return err;
	req->data = kmalloc_array(n, sizeof(*req->data), GFP_NOFS);
	if (!req->data)
		goto out;
	sg_init_table(req->data, n);
	for (i = 0; i < n; i++) {
		get_page(pages[i]);
		sg_set_page(&req->data[i], pages[i], PAGE_SIZE, 0);
	}
	req->in_data = n;
	v86fs_put64(&req->out, file ? ((struct v86fs_file *)file->private_data)->handle :
				      V86FS_I(inode)->id);
	v86fs_put64(&req->out, page_offset(pages[0]));
	v86fs_put32(&req->out, n * PAGE_SIZE);
	err = v86fs_req_send(v86fs_dev(inode), req);
	if (!err && req->used < READ_FIXED)
		err = -EIO;
	if (err)
		goto out;
	got = min_t(unsigned int, get_unaligned_le32(req->in + V86FS_STATUS), req->used - READ_FIXED);
	for (i = 0; i < n; i++) {
		unsigned int here = clamp_t(int, (int)got - (int)(i * PAGE_SIZE), 0, PAGE_SIZE);

		if (here < PAGE_SIZE)
			zero_user_segment(pages[i], here, PAGE_SIZE);
		flush_dcache_page(pages[i]);
	}
out:
	v86fs_req_put(req);
	return err;
}

static int v86fs_read_folio(struct file *file, struct folio *folio)
{
	struct page *page = &folio->page;
	int err = read_run(folio->mapping->host, file, &page, 1);

	if (!err)
		folio_mark_uptodate(folio);
	folio_unlock(folio);
	return err;
}

static void v86fs_readahead(struct readahead_control *rac)
{
	struct inode *inode = rac->mapping->host;
	struct page **pages;
	unsigned int i, n;

	pages = kmalloc_array(V86FS_IO_PAGES, sizeof(*pages), GFP_NOFS);
	if (!pages)
		return;
	for (;;) {
		int err;

		n = __readahead_batch(rac, pages, V86FS_IO_PAGES);
		if (!n)
			break;
		err = read_run(inode, rac->file, pages, n);
		for (i = 0; i < n; i++) {
			if (!err)
				SetPageUptodate(pages[i]);
			unlock_page(pages[i]);
			put_page(pages[i]);
		}
	}
	kfree(pages);
}

/* Writes part of a page to the host; all of it or an error. */
static int write_part(struct inode *inode, struct page *page, unsigned int from, unsigned int len)
{
	struct v86fs_req *req = v86fs_req_new(V86FS_WRITE, 20, 32);
	int err = -ENOMEM;

	if (!req)
		return err;
	req->data = kmalloc(sizeof(*req->data), GFP_NOFS);
	if (!req->data)
		goto out;
	sg_init_table(req->data, 1);
	get_page(page);
	sg_set_page(req->data, page, len, from);
	req->out_data = 1;
	v86fs_put64(&req->out, V86FS_I(inode)->id);
	v86fs_put64(&req->out, page_offset(page) + from);
	v86fs_put32(&req->out, len);
	err = v86fs_req_send(v86fs_dev(inode), req);
	if (!err && req->used < READ_FIXED)
		err = -EIO;
	if (!err && get_unaligned_le32(req->in + V86FS_STATUS) != len)
		err = -ENOSPC;
	WRITE_ONCE(V86FS_I(inode)->changed, true);
out:
	v86fs_req_put(req);
	return err;
}

static int v86fs_write_begin(struct file *file, struct address_space *mapping, loff_t pos,
			     unsigned int len, struct page **pagep, void **fsdata)
{
	struct page *page = grab_cache_page_write_begin(mapping, pos >> PAGE_SHIFT);
	unsigned int from = offset_in_page(pos);
	int err = 0;

	if (!page)
		return -ENOMEM;
	*pagep = page;
	if (PageUptodate(page) || len == PAGE_SIZE)
		return 0;
	if (page_offset(page) >= i_size_read(mapping->host)) {
		zero_user_segments(page, 0, from, from + len, PAGE_SIZE);
		return 0;
	}
	/* The rest of the page must be there before part of it is written. */
	err = read_run(mapping->host, NULL, &page, 1);
	if (!err) {
		SetPageUptodate(page);
		return 0;
	}
	unlock_page(page);
	put_page(page);
	return err;
}

static int v86fs_write_end(struct file *file, struct address_space *mapping, loff_t pos,
			   unsigned int len, unsigned int copied, struct page *page, void *fsdata)
{
	struct inode *inode = mapping->host;
	int err = 0;

	if (copied < len && !PageUptodate(page)) {
		copied = 0;
		goto out;
	}
	err = write_part(inode, page, offset_in_page(pos), copied);
	if (err) {
		/* The cache must not show what the host does not have. */
		ClearPageUptodate(page);
		goto out;
	}
	SetPageUptodate(page);
	if (pos + copied > i_size_read(inode)) {
		i_size_write(inode, pos + copied);
		inode->i_blocks = (pos + copied + 511) >> 9;
	}
	inode->i_mtime = inode->i_ctime = current_time(inode);
out:
	unlock_page(page);
	put_page(page);
	return err ?: copied;
}

static int write_dirty(struct page *page, struct writeback_control *wbc, void *data)
{
	struct inode *inode = page->mapping->host;
	loff_t size = i_size_read(inode), at = page_offset(page);
	int err = 0;

	set_page_writeback(page);
	if (at < size)
		err = write_part(inode, page, 0, min_t(loff_t, size - at, PAGE_SIZE));
	if (err)
		mapping_set_error(page->mapping, err);
	unlock_page(page);
	end_page_writeback(page);
	return err;
}

static int v86fs_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	return write_cache_pages(mapping, wbc, write_dirty, NULL);
}

const struct address_space_operations v86fs_aops = {
	.read_folio	= v86fs_read_folio,
	.readahead	= v86fs_readahead,
	.write_begin	= v86fs_write_begin,
	.write_end	= v86fs_write_end,
	.writepages	= v86fs_writepages,
	.dirty_folio	= filemap_dirty_folio,
};

static int v86fs_open(struct inode *inode, struct file *file)
{
	struct v86fs_req *req = v86fs_req_new(V86FS_OPEN, 12, 32);
	struct v86fs_file *f = kmalloc(sizeof(*f), GFP_KERNEL);
	int err = -ENOMEM;

	if (!req || !f)
		goto out;
	v86fs_put64(&req->out, V86FS_I(inode)->id);
	v86fs_put32(&req->out, file->f_flags);
	err = v86fs_req_send(v86fs_dev(inode), req);
	if (!err && req->used < 19)
		err = -EIO;
	if (err)
		goto out;
	f->handle = get_unaligned_le64(req->in + V86FS_STATUS);
	file->private_data = f;
	v86fs_req_put(req);
	/* What is read now is what the host has now. */
	return v86fs_refresh(inode, false);
out:
	v86fs_req_put(req);
	kfree(f);
	return err;
}

static int v86fs_release(struct inode *inode, struct file *file)
{
	struct v86fs_file *f = file->private_data;

	if (file->f_mode & FMODE_WRITE)
		filemap_write_and_wait(inode->i_mapping);
	v86fs_simple(v86fs_dev(inode), V86FS_CLOSE, f->handle);
	kfree(f);
	return 0;
}

static ssize_t v86fs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	int err = v86fs_refresh(file_inode(iocb->ki_filp), false);

	return err ?: generic_file_read_iter(iocb, to);
}

static ssize_t v86fs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	int err = 0;

	/* Where the end is may have changed on the host. */
	if (iocb->ki_flags & IOCB_APPEND)
		err = v86fs_refresh(inode, true);
	return err ?: generic_file_write_iter(iocb, from);
}

static int v86fs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file_inode(file);
	int err = file_write_and_wait_range(file, start, end);

	return err ?: v86fs_simple(v86fs_dev(inode), V86FS_FSYNC, V86FS_I(inode)->id);
}

static loff_t v86fs_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence == SEEK_END) {
		int err = v86fs_refresh(file_inode(file), false);

		if (err)
			return err;
	}
	return generic_file_llseek(file, offset, whence);
}

const struct file_operations v86fs_file_ops = {
	.open		= v86fs_open,
	.release	= v86fs_release,
	.llseek		= v86fs_llseek,
	.read_iter	= v86fs_read_iter,
	.write_iter	= v86fs_write_iter,
	.mmap		= generic_file_mmap,
	.fsync		= v86fs_fsync,
	.splice_read	= generic_file_splice_read,
	.splice_write	= iter_file_splice_write,
};
