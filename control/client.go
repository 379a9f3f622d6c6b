package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
)

// A Client is a connection to a Server, or to QEMU.
type Client struct {
	conn  net.Conn
	lines *bufio.Reader
}

// Dial connects to the socket at path in the file system.
func Dial(path string) (*Client, error) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil, err
	}
	c := &Client{conn, bufio.NewReader(conn)}
	var hello struct{ QMP *greeting }
	if err := c.receive(&hello); err != nil || hello.QMP == nil {
		conn.Close()
		return nil, errors.Join(errors.New("who listens there does not speak QMP"), err)
	}
	if _, err := c.Execute("qmp_capabilities", nil); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Execute executes a command. A refusal is an *Error.
func (c *Client) Execute(name string, arguments any) (json.RawMessage, error) {
	r := map[string]any{"execute": name}
	if arguments != nil {
		r["arguments"] = arguments
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(append(b, '\n')); err != nil {
		return nil, err
	}
	for {
		var m struct {
			Return json.RawMessage
			Error  *Error
			Event  string
		}
		switch err := c.receive(&m); {
		case err != nil:
			return nil, err
		case m.Error != nil:
			return nil, m.Error
		case m.Event == "":
			return m.Return, nil
		}
	}
}

func (c *Client) receive(to any) error {
	line, err := c.lines.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return errors.New("the machine has ended the connection")
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(line, to)
}
