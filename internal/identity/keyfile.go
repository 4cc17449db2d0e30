package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/angler-dex/angler/internal/durable"
)

// pemType is the PEM label of PKCS #8 (RFC 7468, section 10).
const pemType = "PRIVATE KEY"

// maxKeyFile bounds what is read of a key file; a key takes 119 bytes.
const maxKeyFile = 4 << 10

// MarshalPEM returns the key as a key file holds it: secret.
func (k *Key) MarshalPEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		panic("identity: an ed25519 key has a PKCS #8 form: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
}

// ParseKey reads what MarshalPEM writes, byte for byte. Its errors never quote
// the content.
func ParseKey(file []byte) (*Key, error) {
	if len(file) > maxKeyFile {
		return nil, fmt.Errorf("key file over %d bytes: %w", maxKeyFile, ErrMalformed)
	}
	block, _ := pem.Decode(file)
	if block == nil || block.Type != pemType {
		return nil, fmt.Errorf("%w: no PEM block %q", ErrMalformed, pemType)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: the PEM block does not hold a PKCS #8 key", ErrMalformed)
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: the key is not an Ed25519 key", ErrMalformed)
	}
	k := newKey(private)
	if !bytes.Equal(k.MarshalPEM(), file) {
		return nil, fmt.Errorf("%w: the file holds more than one plain Ed25519 key", ErrMalformed)
	}
	return k, nil
}

// Load reads a key file. It refuses one that others than its owner can read or
// write, or that lies in a folder where everybody can replace it (ErrKeyMode).
// Symbolic links are followed: Kubernetes mounts secrets through them.
func Load(path string) (*Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("load key %s: %w: not a regular file", path, ErrMalformed)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return nil, fmt.Errorf("load key: %w: %s has mode %04o: run `chmod 600 %s`, and make a new identity if others may have read it", ErrKeyMode, path, perm, path)
	}
	if err = checkFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	file, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	k, err := ParseKey(file)
	if err != nil {
		return nil, fmt.Errorf("load key %s: %w; restore the file from a backup, or move it away to get a new identity", path, err)
	}
	return k, nil
}

// LoadOrCreate loads the key at path or, if there is no file, makes one from
// rnd and stores it with mode 0600; missing folders are made with mode 0700.
// The file appears whole or not at all, and survives a crash once LoadOrCreate
// has returned; of several processes that create the same file one wins and
// the others load its key.
func LoadOrCreate(path string, rnd io.Reader) (*Key, error) {
	k, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	k, err = Generate(rnd)
	if err != nil {
		return nil, err
	}
	err = k.store(path)
	if errors.Is(err, fs.ErrExist) {
		return Load(path)
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// store writes the key to path and never replaces a file that came up meanwhile:
// then the error is fs.ErrExist.
func (k *Key) store(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	if err := checkFolder(dir); err != nil {
		return err
	}
	if err := durable.Create(path, k.MarshalPEM()); err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	return nil
}

// checkFolder refuses a folder in which everybody may replace files.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("key folder: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("%w: everybody may write to its folder %s: run `chmod 700 %s`", ErrKeyMode, dir, dir)
	}
	return nil
}
