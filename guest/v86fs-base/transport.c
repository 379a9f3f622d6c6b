// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio side of v86fs: requests on two queues, notifications on a third.
 *
 * Devices answer most requests before the notification of the queue returns.
 * So the used ring is looked at right after the kick, with interrupts of the
 * queue suppressed; only a request that is not answered by then sleeps.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/virtio_config.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <asm/unaligned.h>
#include "v86fs.h"

enum { VQ_HIPRI, VQ_REQUEST, VQ_NOTIFY, VQ_COUNT };

#define NOTIFY_BUFFERS	16
#define NOTIFY_SIZE	512

struct v86fs_queue {
	struct virtqueue *vq;
	spinlock_t lock;
	wait_queue_head_t room;
};

struct v86fs_device {
	refcount_t ref;
	struct virtio_device *vdev;
	struct v86fs_queue q[VQ_COUNT];
	atomic_t tag;
	bool gone;
	struct work_struct notify_work;
	u8 *notify[NOTIFY_BUFFERS];
};

static struct v86fs_device *the_device;
static DEFINE_MUTEX(the_device_lock);

struct v86fs_device *v86fs_device_get(void)
{
	struct v86fs_device *dev;

	mutex_lock(&the_device_lock);
	dev = the_device;
	if (dev)
		refcount_inc(&dev->ref);
	mutex_unlock(&the_device_lock);
	return dev;
}

void v86fs_device_put(struct v86fs_device *dev)
{
	int i;

	if (!refcount_dec_and_test(&dev->ref))
		return;
	for (i = 0; i < NOTIFY_BUFFERS; i++)
		kfree(dev->notify[i]);
	kfree(dev);
}

void v86fs_put8(struct v86fs_msg *m, u8 v)
{
	if (m->len + 1 > m->size) {
		m->overflow = true;
		return;
	}
	m->buf[m->len++] = v;
}

void v86fs_put16(struct v86fs_msg *m, u16 v)
{
	v86fs_put8(m, v);
	v86fs_put8(m, v >> 8);
}

void v86fs_put32(struct v86fs_msg *m, u32 v)
{
	v86fs_put16(m, v);
	v86fs_put16(m, v >> 16);
}

void v86fs_put64(struct v86fs_msg *m, u64 v)
{
	v86fs_put32(m, v);
	v86fs_put32(m, v >> 32);
}

void v86fs_put_name(struct v86fs_msg *m, const char *name, unsigned int len)
{
	v86fs_put16(m, len);
	if (len > m->size - m->len || len > U16_MAX) {
		m->overflow = true;
		return;
	}
	memcpy(m->buf + m->len, name, len);
	m->len += len;
}

/* v86fs_req_new - begin a request whose body takes up to out_size bytes */
struct v86fs_req *v86fs_req_new(u8 type, unsigned int out_size, unsigned int in_size)
{
	struct v86fs_req *req = kzalloc(sizeof(*req), GFP_NOFS);

	if (!req)
		return NULL;
	refcount_set(&req->ref, 1);
	init_completion(&req->done);
	req->type = type;
	req->out.size = V86FS_HEADER + out_size;
	req->in_size = in_size;
	req->out.buf = kmalloc(req->out.size, GFP_NOFS);
	req->in = kzalloc(in_size, GFP_NOFS | __GFP_NOWARN);
	if (!req->out.buf || !req->in) {
		v86fs_req_put(req);
		return NULL;
	}
	v86fs_put32(&req->out, 0);
	v86fs_put8(&req->out, type);
	v86fs_put16(&req->out, 0);
	return req;
}

void v86fs_req_put(struct v86fs_req *req)
{
	struct scatterlist *sg;
	int i;

	if (!req || !refcount_dec_and_test(&req->ref))
		return;
	if (req->data)
		for_each_sg(req->data, sg, req->out_data + req->in_data, i)
			put_page(sg_page(sg));
	kfree(req->data);
	kfree(req->out.buf);
	kfree(req->in);
	kfree(req);
}

/* Takes what the device has answered off the ring; the queue is locked. */
static void drain(struct v86fs_queue *q)
{
	struct v86fs_req *req;
	unsigned int len;
	bool any = false;

	while ((req = virtqueue_get_buf(q->vq, &len))) {
		req->used = len;
		complete(&req->done);
		v86fs_req_put(req);
		any = true;
	}
	if (any && waitqueue_active(&q->room))
		wake_up(&q->room);
}

static void request_done(struct virtqueue *vq)
{
	struct v86fs_device *dev = vq->vdev->priv;
	struct v86fs_queue *q = &dev->q[vq->index];
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	virtqueue_disable_cb(vq);
	drain(q);
	spin_unlock_irqrestore(&q->lock, flags);
}

/* Adds a request; -ENOSPC when the ring is full. The queue is locked. */
static int add(struct v86fs_queue *q, struct v86fs_req *req)
{
	struct scatterlist out, in, *sgs[4];
	unsigned int n_out = 0, n_in = 0;

	sg_init_one(&out, req->out.buf, req->out.len);
	sgs[n_out++] = &out;
	if (req->out_data)
		sgs[n_out++] = req->data;
	sg_init_one(&in, req->in, req->in_size);
	sgs[n_out + n_in++] = &in;
	if (req->in_data)
		sgs[n_out + n_in++] = req->data;
	return virtqueue_add_sgs(q->vq, sgs, n_out, n_in, req, GFP_ATOMIC);
}

static int submit(struct v86fs_device *dev, struct v86fs_queue *q, struct v86fs_req *req)
{
	unsigned long flags;
	int err;

	refcount_inc(&req->ref);
	for (;;) {
		spin_lock_irqsave(&q->lock, flags);
		err = dev->gone ? -EIO : add(q, req);
		if (!err) {
			virtqueue_disable_cb(q->vq);
			virtqueue_kick(q->vq);
			drain(q);
			/* What is not answered yet will interrupt. */
			if (!completion_done(&req->done) && !virtqueue_enable_cb(q->vq))
				drain(q);
		}
		spin_unlock_irqrestore(&q->lock, flags);
		if (err != -ENOSPC)
			break;
		err = wait_event_killable(q->room, dev->gone || q->vq->num_free >= 3);
		if (err)
			break;
	}
	if (err)
		v86fs_req_put(req);
	return err;
}

static int status_of(struct v86fs_req *req)
{
	u32 status;

	/* A device that does not know a request, or cannot read it, writes nothing. */
	if (req->used < V86FS_STATUS || req->in[4] != (req->type | V86FS_RESPONSE) ||
	    get_unaligned_le16(req->in + 5) != req->tag)
		return -EIO;
	status = get_unaligned_le32(req->in + V86FS_HEADER);
	if (!status)
		return 0;
	return status < 134 ? -(int)status : -EIO;
}

/* v86fs_req_send - send a request and wait for its status */
int v86fs_req_send(struct v86fs_device *dev, struct v86fs_req *req)
{
	struct v86fs_queue *q = &dev->q[VQ_HIPRI];
	int err;

	if (req->out.overflow)
		return -ENAMETOOLONG;
	req->tag = atomic_inc_return(&dev->tag);
	put_unaligned_le32(req->out.len, req->out.buf);
	put_unaligned_le16(req->tag, req->out.buf + 5);
	switch (req->type) {
	case V86FS_MOUNT:
	case V86FS_READ:
	case V86FS_WRITE:
	case V86FS_READDIR:
		q = &dev->q[VQ_REQUEST];
	}
	err = submit(dev, q, req);
	if (err)
		return err;
	err = wait_for_completion_killable(&req->done);
	if (err)
		return err;	/* the ring's reference frees the request */
	return status_of(req);
}

/* Gives a notification buffer to the device; the queue is locked. */
static void post_notify(struct v86fs_queue *q, u8 *buf)
{
	struct scatterlist sg;

	sg_init_one(&sg, buf, NOTIFY_SIZE);
	virtqueue_add_inbuf(q->vq, &sg, 1, buf, GFP_ATOMIC);
}

static void notify_done(struct virtqueue *vq)
{
	struct v86fs_device *dev = vq->vdev->priv;

	schedule_work(&dev->notify_work);
}

/* Handles notifications where sleeping is allowed. */
static void notify_work(struct work_struct *work)
{
	struct v86fs_device *dev = container_of(work, struct v86fs_device, notify_work);
	struct v86fs_queue *q = &dev->q[VQ_NOTIFY];
	unsigned long flags;
	unsigned int len;
	u8 *buf;

	for (;;) {
		spin_lock_irqsave(&q->lock, flags);
		buf = dev->gone ? NULL : virtqueue_get_buf(q->vq, &len);
		spin_unlock_irqrestore(&q->lock, flags);
		if (!buf)
			return;
		v86fs_notified(dev, buf, min_t(unsigned int, len, NOTIFY_SIZE));
		spin_lock_irqsave(&q->lock, flags);
		if (!dev->gone) {
			post_notify(q, buf);
			virtqueue_kick(q->vq);
		}
		spin_unlock_irqrestore(&q->lock, flags);
	}
}

static int v86fs_probe(struct virtio_device *vdev)
{
	vq_callback_t *callbacks[] = { request_done, request_done, notify_done };
	static const char * const names[] = { "hipriq", "requestq", "notifyq" };
	struct virtqueue *vqs[VQ_COUNT];
	struct v86fs_device *dev;
	int i, err;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	refcount_set(&dev->ref, 1);
	dev->vdev = vdev;
	vdev->priv = dev;
	INIT_WORK(&dev->notify_work, notify_work);
	for (i = 0; i < NOTIFY_BUFFERS; i++) {
		dev->notify[i] = kmalloc(NOTIFY_SIZE, GFP_KERNEL);
		if (!dev->notify[i]) {
			err = -ENOMEM;
			goto fail;
		}
	}
	err = virtio_find_vqs(vdev, VQ_COUNT, vqs, callbacks, names, NULL);
	if (err)
		goto fail;
	for (i = 0; i < VQ_COUNT; i++) {
		dev->q[i].vq = vqs[i];
		spin_lock_init(&dev->q[i].lock);
		init_waitqueue_head(&dev->q[i].room);
	}
	virtio_device_ready(vdev);
	spin_lock_irq(&dev->q[VQ_NOTIFY].lock);
	for (i = 0; i < NOTIFY_BUFFERS; i++)
		post_notify(&dev->q[VQ_NOTIFY], dev->notify[i]);
	virtqueue_kick(dev->q[VQ_NOTIFY].vq);
	spin_unlock_irq(&dev->q[VQ_NOTIFY].lock);

	mutex_lock(&the_device_lock);
	err = the_device ? -EBUSY : 0;
	if (!err)
		the_device = dev;
	mutex_unlock(&the_device_lock);
	if (err) {
		dev_warn(&vdev->dev, "only one v86fs device is used\n");
		virtio_reset_device(vdev);
		vdev->config->del_vqs(vdev);
		goto fail;
	}
	dev_info(&vdev->dev, "v86fs: probed, 3 virtqueues ready\n");
	return 0;
fail:
	v86fs_device_put(dev);
	return err;
}

static void v86fs_remove(struct virtio_device *vdev)
{
	struct v86fs_device *dev = vdev->priv;
	struct v86fs_req *req;
	unsigned long flags;
	int i;

	mutex_lock(&the_device_lock);
	if (the_device == dev)
		the_device = NULL;
	mutex_unlock(&the_device_lock);
	for (i = 0; i < VQ_COUNT; i++) {
		spin_lock_irqsave(&dev->q[i].lock, flags);
		dev->gone = true;
		spin_unlock_irqrestore(&dev->q[i].lock, flags);
		wake_up_all(&dev->q[i].room);
	}
	virtio_reset_device(vdev);
	cancel_work_sync(&dev->notify_work);
	for (i = 0; i < VQ_NOTIFY; i++) {
		while ((req = virtqueue_detach_unused_buf(dev->q[i].vq))) {
			complete(&req->done);
			v86fs_req_put(req);
		}
	}
	vdev->config->del_vqs(vdev);
	v86fs_device_put(dev);
}

static const struct virtio_device_id id_table[] = {
	{ V86FS_VIRTIO_ID, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, id_table);

static struct virtio_driver v86fs_driver = {
	.driver.name	= "v86fs",
	.driver.owner	= THIS_MODULE,
	.id_table	= id_table,
	.probe		= v86fs_probe,
	.remove		= v86fs_remove,
};

int v86fs_transport_init(void)
{
	return register_virtio_driver(&v86fs_driver);
}

void v86fs_transport_exit(void)
{
	unregister_virtio_driver(&v86fs_driver);
}
