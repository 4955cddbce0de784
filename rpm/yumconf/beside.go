package yumconf

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Beside is what one run of yum has beside the repositories that are enabled on the host.
type Beside struct {
	Dir    string   // a directory with files of repositories; "" for none
	Enable []string // ids of repositories that are disabled
}

// Args hand the directory and the ids to yum. What reposdir says else stays in force: yum and dnf take the list whole
// (yum.conf(5)).
func (b Beside) Args(dirs []string) (args []string) {
	if b.Dir != "" {
		args = append(args, "--setopt=reposdir="+strings.Join(dirs, ","))
	}
	for _, id := range b.Enable {
		args = append(args, "--enablerepo="+id)
	}
	return args
}

// RepoDirs are the directories with files of repositories. Of yum's default ones only those are named to it that are
// there: it has no word for one that is not, but may make it (dnf does).
func (c Conf) RepoDirs(main section) []string {
	dirs := listOption(main.Keys["reposdir"])
	if len(dirs) == 0 {
		dirs = slices.DeleteFunc(slices.Clone(defaultRepoDirs), func(dir string) bool {
			_, err := os.Stat(filepath.Join(c.Root, dir))
			return err != nil
		})
	}
	if c.Beside.Dir != "" {
		dirs = append(slices.Clone(dirs), c.Beside.Dir)
	}
	return dirs
}
