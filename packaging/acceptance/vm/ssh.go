package vm

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
)

// loginConfig reads the keys that the image was built with. One cheap key exchange is offered: every restored machine
// logs in anew.
func loginConfig(img Image) (*ssh.ClientConfig, error) {
	private, err := os.ReadFile(img.Path("keys", "ssh"))
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", img.Path("keys", "ssh"), err)
	}
	public, err := os.ReadFile(img.Path("keys", "host.pub"))
	if err != nil {
		return nil, err
	}
	host, _, _, _, err := ssh.ParseAuthorizedKey(bytes.TrimSpace(public))
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", img.Path("keys", "host.pub"), err)
	}
	return &ssh.ClientConfig{
		Config:            ssh.Config{KeyExchanges: []string{ssh.KeyExchangeCurve25519}},
		User:              "root",
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback:   ssh.FixedHostKey(host),
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	}, nil
}

// login dials until sshd answers or the deadline has passed. QEMU accepts connections long before the guest does, so
// each attempt is bounded by itself.
func login(config *ssh.ClientConfig, port int, deadline time.Time, alive func() bool) (*ssh.Client, error) {
	for {
		client, err := loginOnce(config, port)
		if err == nil {
			return client, nil
		}
		if time.Now().After(deadline) || !alive() {
			return nil, fmt.Errorf("log in to the machine: %w", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func loginOnce(config *ssh.ClientConfig, port int) (*ssh.Client, error) {
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return ssh.NewClient(c, channels, requests), conn.SetDeadline(time.Time{})
}
