// Package files keeps files in a folder that is a volume: what it has acknowledged is on the disk, and no name leads out of it.
package files

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
)

// File is one file of a folder.
type File struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
	// SHA256 of its content, in hexadecimal digits; empty for what is no plain file, such as a symbolic link.
	SHA256 string `json:"sha256"`
}

// Tree gives every file of a folder and of the folders in it, ordered by path.
func Tree(root *os.Root) ([]File, error) {
	found := []File{}
	err := fs.WalkDir(root.FS(), ".", func(name string, one fs.DirEntry, err error) error {
		if err != nil || one.IsDir() {
			return err
		}
		file := File{Path: name}
		if one.Type().IsRegular() {
			if file, err = describe(root, name); err != nil {
				return err
			}
		}
		found = append(found, file)
		return nil
	})
	return found, err
}

func describe(root *os.Root, name string) (File, error) {
	file, err := root.Open(name)
	if err != nil {
		return File{}, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	return File{Path: name, Bytes: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

// Keep writes a file, in the place of one that was there, and makes the folders on its way.
func Keep(root *os.Root, name string, content io.Reader) error {
	if !fs.ValidPath(name) || name == "." {
		return &fs.PathError{Op: "keep", Path: name, Err: fs.ErrInvalid}
	}
	folder := path.Dir(name)
	if err := root.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	incoming := path.Join(folder, ".incoming-"+rand.Text())
	err := write(root, incoming, content)
	if err == nil {
		err = root.Rename(incoming, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(incoming))
	}
	return settle(root, folder)
}

func write(root *os.Root, name string, content io.Reader) error {
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err = io.Copy(file, content); err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// Remove takes a file away, and the folders on its way that are empty then.
func Remove(root *os.Root, name string) error {
	if err := root.Remove(name); err != nil {
		return err
	}
	folder := path.Dir(name)
	for folder != "." && root.Remove(folder) == nil {
		folder = path.Dir(folder)
	}
	return settle(root, folder)
}

// settle puts the names of a folder on the disk.
func settle(root *os.Root, name string) error {
	folder, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
