// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page cache between programs and the host.
 *
 * Reads and writes of pages are requests whose data are the pages themselves;
 * what is written waits in the cache until a close, fsync or the kernel's
 * write-back. Appending and direct access go to the host at once.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/wait_bit.h>
#include <linux/writeback.h>
#include "v86fs.h"

/* Has a request read or write through f, which counts it as a user already. */
static void through(struct v86fs_req *req, struct v86fs_file *f)
{
	req->file = f;
	if (f)
		((struct v86fs_io *)req->out)->handle = cpu_to_le64(f->handle);
}

/* A request that reads or writes through a file keeps it open. */
static struct v86fs_file *use_file(struct file *file)
{
	struct v86fs_file *f = file ? v86fs_file(file) : NULL;

	if (f)
		atomic_inc(&f->users);
	return f;
}

static void unuse_file(struct v86fs_req *req)
{
	struct v86fs_file *f = req->file;

	if (f && atomic_dec_and_test(&f->users))
		wake_up_var(&f->users);
}

/* A request to read or write len bytes at offset, in pages. */
static struct v86fs_req *io_req(struct inode *inode, u8 type, struct page **pages, unsigned int n,
				unsigned int from, loff_t offset, size_t len)
{
	bool write = type == V86FS_WRITE2;
	struct v86fs_req *req = v86fs_req_new(V86FS_SB(inode->i_sb), type, V86FS_I(inode)->node,
					      sizeof(struct v86fs_io),
					      write ? sizeof(struct v86fs_write_r) :
						      sizeof(struct v86fs_response));
	struct v86fs_io *q;

	if (!req)
		return NULL;
	if (v86fs_req_pages(req, pages, n, from, len, write)) {
		v86fs_req_put(req);
		return NULL;
	}
	q = req->out;
	q->offset = cpu_to_le64(offset);
	q->size = cpu_to_le32(len);
	req->inode = inode;
	return req;
}

/* Fills up with zeros what the answer to a read did not reach. */
static void zero_rest(struct v86fs_req *req)
{
	unsigned int done = 0;
	struct scatterlist *sg;
	int i;

	for_each_sg(req->sg, sg, req->in_pages, i) {
		unsigned int here = clamp_t(int, (int)req->data - (int)done, 0, PAGE_SIZE);

		if (here < PAGE_SIZE)
			zero_user_segment(sg_page(sg), here, PAGE_SIZE);
		flush_dcache_page(sg_page(sg));
		done += PAGE_SIZE;
	}
}

static void read_end(struct v86fs_req *req)
{
	struct scatterlist *sg;
	int i;

	unuse_file(req);
	if (!req->err)
		zero_rest(req);
	for_each_sg(req->sg, sg, req->in_pages, i) {
		if (!req->err)
			SetPageUptodate(sg_page(sg));
		unlock_page(sg_page(sg));
	}
}

/* Begins to read n locked pages, which follow one another; they are unlocked when it ends. */
static int read_pages(struct inode *inode, struct file *file, struct page **pages, unsigned int n)
{
	struct v86fs_req *req = io_req(inode, V86FS_READ2, pages, n, 0, page_offset(pages[0]),
				       (size_t)n << PAGE_SHIFT);
	unsigned int i;
	int err = -ENOMEM;

	if (req) {
		for (i = 0; i < n; i++)
			get_page(pages[i]);
		req->put_pages = true;
		req->end = read_end;
		through(req, use_file(file));
		err = v86fs_req_send(req);
		if (err)
			unuse_file(req);
	}
	if (err)
		for (i = 0; i < n; i++)
			unlock_page(pages[i]);
	v86fs_req_put(req);
	return err;
}

static int v86fs_read_folio(struct file *file, struct folio *folio)
{
	struct page *page = &folio->page;

	return read_pages(folio->mapping->host, file, &page, 1);
}

static void v86fs_readahead(struct readahead_control *rac)
{
	struct inode *inode = rac->mapping->host;
	unsigned int most = v86fs_max_data(V86FS_SB(inode->i_sb)->dev) >> PAGE_SHIFT, i, n;
	struct page **pages = kmalloc_array(most, sizeof(*pages), GFP_NOFS);

	if (!pages)
		return;
	while ((n = __readahead_batch(rac, pages, most))) {
		read_pages(inode, rac->file, pages, n);
		for (i = 0; i < n; i++)
			put_page(pages[i]);
	}
	kfree(pages);
}

/* Reads a page that stays locked. */
static int read_page(struct inode *inode, struct file *file, struct page *page)
{
	struct v86fs_req *req = io_req(inode, V86FS_READ2, &page, 1, 0, page_offset(page), PAGE_SIZE);
	int err = -ENOMEM;

	if (!req)
		return err;
	get_page(page);
	req->put_pages = true;
	through(req, use_file(file));
	err = v86fs_req_send(req);
	if (!err) {
		/* Whoever is killed must not leave while the device has the page. */
		wait_for_completion(&req->done);
		err = req->err;
	}
	unuse_file(req);
	if (!err) {
		zero_rest(req);
		SetPageUptodate(page);
	}
	v86fs_req_put(req);
	return err;
}

/* v86fs_set_size - the file is of that size now */
void v86fs_set_size(struct inode *inode, loff_t size)
{
	struct v86fs_inode *vi = V86FS_I(inode);

	spin_lock_irq(&vi->lock);
	i_size_write(inode, size);
	spin_unlock_irq(&vi->lock);
}

static int v86fs_write_begin(struct file *file, struct address_space *mapping, loff_t pos,
			     unsigned int len, struct page **pagep, void **fsdata)
{
	struct page *page = grab_cache_page_write_begin(mapping, pos >> PAGE_SHIFT);
	unsigned int from = offset_in_page(pos);
	int err;

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
	err = read_page(mapping->host, file, page);
	if (err) {
		unlock_page(page);
		put_page(page);
	}
	return err;
}

static int v86fs_write_end(struct file *file, struct address_space *mapping, loff_t pos,
			   unsigned int len, unsigned int copied, struct page *page, void *fsdata)
{
	struct inode *inode = mapping->host;

	if (copied < len && !PageUptodate(page))
		copied = 0;
	if (copied) {
		SetPageUptodate(page);
		/* Dirty first: then no older answer can take the size back. */
		set_page_dirty(page);
		if (pos + copied > i_size_read(inode))
			v86fs_set_size(inode, pos + copied);
	}
	unlock_page(page);
	put_page(page);
	return copied;
}

static void write_end(struct v86fs_req *req)
{
	struct v86fs_write_r *r = req->in;
	struct v86fs_io *q = req->out;
	struct scatterlist *sg;
	int i, err = req->err;

	unuse_file(req);
	if (!err && le32_to_cpu(r->written) < le32_to_cpu(q->size))
		err = -ENOSPC;
	if (err)
		mapping_set_error(req->inode->i_mapping, err);
	/* The inode may go once no page of it is being written. */
	if (req->err)
		v86fs_own_end(req->inode, NULL);
	else
		v86fs_own_wrote(req->inode, &r->attr, req);
	for_each_sg(req->sg, sg, req->out_pages, i)
		end_page_writeback(sg_page(sg));
}

/* Pages that are being gathered for one request. */
struct batch {
	struct inode *inode;
	struct page **pages;
	unsigned int n, most;
};

/* Begins to write the pages gathered. */
static int write_batch(struct batch *b)
{
	struct inode *inode = b->inode;
	loff_t offset, size = i_size_read(inode);
	struct v86fs_req *req;
	unsigned int i;
	int err = -ENOMEM;

	if (!b->n)
		return 0;
	offset = page_offset(b->pages[0]);
	req = io_req(inode, V86FS_WRITE2, b->pages, b->n, 0, offset,
		     min_t(loff_t, size - offset, (loff_t)b->n << PAGE_SHIFT));
	if (req) {
		for (i = 0; i < b->n; i++)
			get_page(b->pages[i]);
		req->put_pages = true;
		req->end = write_end;
		through(req, v86fs_writer(inode));
		v86fs_own_begin(inode);
		err = v86fs_req_send(req);
		if (err) {
			unuse_file(req);
			v86fs_own_end(inode, NULL);
		}
	}
	if (err) {
		mapping_set_error(inode->i_mapping, err);
		for (i = 0; i < b->n; i++)
			end_page_writeback(b->pages[i]);
	}
	v86fs_req_put(req);
	b->n = 0;
	return err;
}

static int gather(struct page *page, struct writeback_control *wbc, void *data)
{
	struct batch *b = data;
	int err = 0;

	if (b->n && (b->n == b->most || page->index != b->pages[b->n - 1]->index + 1))
		err = write_batch(b);
	if (page_offset(page) < i_size_read(b->inode)) {
		set_page_writeback(page);
		b->pages[b->n++] = page;
	}
	unlock_page(page);
	return err;
}

static int v86fs_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	struct batch b = { .inode = mapping->host };
	int err, last;

	b.most = v86fs_max_data(V86FS_SB(b.inode->i_sb)->dev) >> PAGE_SHIFT;
	b.pages = kmalloc_array(b.most, sizeof(*b.pages), GFP_NOFS);
	if (!b.pages)
		return -ENOMEM;
	err = write_cache_pages(mapping, wbc, gather, &b);
	last = write_batch(&b);
	kfree(b.pages);
	return err ?: last;
}

/* Writes a page that is to be dropped. */
static int v86fs_launder_folio(struct folio *folio)
{
	struct page *page = &folio->page;
	struct batch b = { .inode = folio->mapping->host, .pages = &page, .n = 1, .most = 1 };
	int err = 0;

	if (folio_clear_dirty_for_io(folio) && page_offset(page) < i_size_read(b.inode)) {
		folio_start_writeback(folio);
		err = write_batch(&b);
		folio_wait_writeback(folio);
	}
	return err;
}

/* v86fs_drop_pages - write what waits in a range, and drop its pages; all that follow for size 0 */
int v86fs_drop_pages(struct inode *inode, loff_t offset, loff_t size)
{
	loff_t last = size && size <= LLONG_MAX - offset ? offset + size - 1 : LLONG_MAX;

	filemap_write_and_wait_range(inode->i_mapping, offset, last);
	return invalidate_inode_pages2_range(inode->i_mapping, offset >> PAGE_SHIFT,
					     last >> PAGE_SHIFT);
}

/* Moves bytes between pages and the host, now. Returns how many. */
static ssize_t direct(struct inode *inode, struct file *file, struct page **pages,
		      unsigned int n, unsigned int from, loff_t *offset, size_t len, bool write,
		      u32 flags)
{
	struct v86fs_req *req = io_req(inode, write ? V86FS_WRITE2 : V86FS_READ2, pages, n, from,
				       *offset, len);
	struct v86fs_write_r *r;
	unsigned int i;
	ssize_t err;

	if (!req)
		return -ENOMEM;
	r = req->in;
	((struct v86fs_io *)req->out)->flags = cpu_to_le32(flags);
	for (i = 0; i < n; i++)
		get_page(pages[i]);
	req->put_pages = true;
	through(req, use_file(file));
	if (write)
		v86fs_own_begin(inode);
	err = v86fs_req_send(req);
	if (!err) {
		wait_for_completion(&req->done);
		err = req->err;
	}
	unuse_file(req);
	if (write && err)
		v86fs_own_end(inode, NULL);
	else if (write)
		v86fs_own_done(inode, &r->attr, req);
	if (!err && write) {
		*offset = le64_to_cpu(r->offset);
		err = min_t(size_t, le32_to_cpu(r->written), len);
		if (!err && len)
			err = -ENOSPC;
	} else if (!err) {
		err = min_t(size_t, req->data, len);
	}
	v86fs_req_put(req);
	return err;
}

static ssize_t v86fs_direct_IO(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	bool write = iov_iter_rw(iter) == WRITE;
	loff_t pos = iocb->ki_pos;
	ssize_t done = 0, n = 0;

	while (iov_iter_count(iter)) {
		unsigned int count, i;
		struct page **pages;
		size_t from, most = v86fs_max_data(V86FS_SB(inode->i_sb)->dev);
		loff_t at = pos;
		ssize_t len = iov_iter_get_pages_alloc2(iter, &pages, most, &from);

		if (len <= 0) {
			n = len;
			break;
		}
		count = DIV_ROUND_UP(from + len, PAGE_SIZE);
		n = direct(inode, iocb->ki_filp, pages, count, from, &at, len, write,
			   V86FS_IO_DIRECT);
		for (i = 0; i < count; i++) {
			if (!write && n > 0 && user_backed_iter(iter))
				set_page_dirty_lock(pages[i]);
			put_page(pages[i]);
		}
		kvfree(pages);
		if (n < len)
			iov_iter_revert(iter, len - max_t(ssize_t, n, 0));
		if (n <= 0)
			break;
		done += n;
		pos += n;
		if (n < len)
			break;
	}
	return done ?: n;
}

/* Copies up to len bytes into new pages. Returns how many pages, or an error. */
static int fill_pages(struct page **pages, size_t *len, struct iov_iter *from)
{
	size_t done = 0;
	int n = 0;

	while (done < *len) {
		size_t here = min_t(size_t, *len - done, PAGE_SIZE), copied;

		pages[n] = alloc_page(GFP_KERNEL | __GFP_HIGHMEM);
		if (!pages[n])
			break;
		copied = copy_page_from_iter(pages[n++], 0, here, from);
		done += copied;
		if (copied < here)
			break;
	}
	*len = done;
	return done ? n : n ? -EFAULT : -ENOMEM;
}

/* v86fs_append - write behind what the host has; the inode is locked */
ssize_t v86fs_append(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	unsigned int most = v86fs_max_data(V86FS_SB(inode->i_sb)->dev);
	struct page **pages = kmalloc_array(DIV_ROUND_UP(most, PAGE_SIZE), sizeof(*pages), GFP_KERNEL);
	ssize_t done = 0, n;

	if (!pages)
		return -ENOMEM;
	n = filemap_write_and_wait(inode->i_mapping) ?: file_update_time(iocb->ki_filp);
	while (!n && iov_iter_count(from)) {
		size_t len = min_t(size_t, iov_iter_count(from), most);
		loff_t old_size = i_size_read(inode), at = old_size;
		int count = fill_pages(pages, &len, from), i;

		if (count < 0) {
			n = count;
			break;
		}
		n = direct(inode, iocb->ki_filp, pages, count, 0, &at, len, true,
			   V86FS_IO_APPEND);
		for (i = 0; i < count; i++)
			put_page(pages[i]);
		if (n <= 0)
			break;
		/* Behind the old end there may be pages with zeros. */
		invalidate_inode_pages2_range(inode->i_mapping, min(old_size, at) >> PAGE_SHIFT,
					      (at + n - 1) >> PAGE_SHIFT);
		if (at + n > i_size_read(inode))
			v86fs_set_size(inode, at + n);
		iocb->ki_pos = at + n;
		done += n;
		n = n < len ? -ENOSPC : 0;
	}
	kfree(pages);
	return done ?: n;
}

const struct address_space_operations v86fs_aops = {
	.read_folio	= v86fs_read_folio,
	.readahead	= v86fs_readahead,
	.write_begin	= v86fs_write_begin,
	.write_end	= v86fs_write_end,
	.writepages	= v86fs_writepages,
	.dirty_folio	= filemap_dirty_folio,
	.launder_folio	= v86fs_launder_folio,
	.direct_IO	= v86fs_direct_IO,
};
