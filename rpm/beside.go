package rpm

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

// With is the host as a run of yum sees it that is given more repositories than those which are enabled.
func (h Host) With(more Beside) Host {
	h.beside = more
	return h
}

// args hand the directory and the ids to yum. What reposdir says else stays in force: yum and dnf take the list whole
// (yum.conf(5)).
func (b Beside) args(dirs []string) (args []string) {
	if b.Dir != "" {
		args = append(args, "--setopt=reposdir="+strings.Join(dirs, ","))
	}
	for _, id := range b.Enable {
		args = append(args, "--enablerepo="+id)
	}
	return args
}

// repoDirs are the directories with files of repositories. Of yum's default ones only those are named to it that are
// there: it has no word for one that is not, but may make it (dnf does).
func (h Host) repoDirs(main section) []string {
	dirs := listOption(main.keys["reposdir"])
	if len(dirs) == 0 {
		dirs = slices.DeleteFunc(slices.Clone(defaultRepoDirs), func(dir string) bool {
			_, err := os.Stat(filepath.Join(h.Root, dir))
			return err != nil
		})
	}
	if h.beside.Dir != "" {
		dirs = append(slices.Clone(dirs), h.beside.Dir)
	}
	return dirs
}
