// Checks an exported log with the Go project's own packages, which share no code with Warifu:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run main.go FOLDER VKEY
//
// It verifies the checkpoint's signature, every entry against its leaf hash, the root from the
// tiles, inclusion and consistency proofs, and prints the proofs for the caller to compare.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (folder) Height() int { return 8 }

// Go writes the height into the path and calls entries "data"; C2SP does neither.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		path := "tile/" + strings.TrimPrefix(t.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (folder) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	if err := check(folder(os.Args[1]), os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "BAD", err)
		os.Exit(1)
	}
}

func check(dir folder, vkey string) error {
	signed, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return errors.New("origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return err
	}
	// This reader checks every tile against the root before it uses it.
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, dir)
	computed, err := tlog.TreeHash(size, reader)
	if err != nil || computed != root {
		return fmt.Errorf("root: %v", err)
	}
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: -1, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(string(dir), path))
		if err != nil {
			return err
		}
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("entry %d: bundle too short", n*256+i)
			}
			length := 2 + int(binary.BigEndian.Uint16(data))
			leaf := tlog.RecordHash(data[2:length])
			data = data[length:]
			index := n*256 + i
			stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
			if err != nil {
				return err
			}
			if stored[0] != leaf {
				return fmt.Errorf("entry %d: hash differs", index)
			}
			if index%37 == 0 || index == size-1 {
				proof, err := tlog.ProveRecord(size, index, reader)
				if err != nil {
					return err
				}
				if err := tlog.CheckRecord(proof, size, root, index, leaf); err != nil {
					return err
				}
				fmt.Println("inclusion", index, leaf, []tlog.Hash(proof))
			}
		}
		if len(data) != 0 {
			return fmt.Errorf("bundle %d: too long", n)
		}
	}
	for old := int64(1); old <= size; old += 61 {
		oldRoot, err := tlog.TreeHash(old, reader)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(size, old, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, size, root, old, oldRoot); err != nil {
			return err
		}
		fmt.Println("consistency", old, oldRoot, []tlog.Hash(proof))
	}
	fmt.Println("OK", size, root)
	return nil
}
