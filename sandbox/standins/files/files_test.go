package files

import (
	"os"
	"strings"
	"testing"
)

func folder(t *testing.T) *os.Root {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestWhatIsKeptIsListedWithItsHash(t *testing.T) {
	root := folder(t)
	for _, content := range []string{"old", "abc"} {
		if err := Keep(root, "facture/FA1/FA 1 (é).pdf", strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := root.Symlink("nowhere", "link"); err != nil {
		t.Fatal(err)
	}
	found, err := Tree(root)
	abc := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if err != nil || len(found) != 2 || found[0] != (File{"facture/FA1/FA 1 (é).pdf", 3, abc}) || found[1] != (File{Path: "link"}) {
		t.Errorf("%v, %v", found, err)
	}
}

func TestFoldersGoWithTheirLastFile(t *testing.T) {
	root := folder(t)
	for _, name := range []string{"a/b/one", "a/two"} {
		if err := Keep(root, name, strings.NewReader(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Remove(root, "a/b/one"); err != nil {
		t.Fatal(err)
	}
	if _, err := root.Stat("a/b"); !os.IsNotExist(err) {
		t.Errorf("a/b: %v", err)
	}
	if _, err := root.Stat("a/two"); err != nil {
		t.Error(err)
	}
	if err := Remove(root, "a/b/one"); !os.IsNotExist(err) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestNoNameLeadsOutOfTheFolder(t *testing.T) {
	root := folder(t)
	for _, name := range []string{"../out", "a/../../out", "/out", "", ".", "a//b"} {
		if err := Keep(root, name, strings.NewReader("x")); err == nil {
			t.Errorf("%q was kept", name)
		}
	}
	if found, _ := Tree(root); len(found) > 0 {
		t.Errorf("left: %v", found)
	}
}
