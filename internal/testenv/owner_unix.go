//go:build unix

package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// A processOwner says as whom the cluster's processes run: nil means as the
// user that we are.
type processOwner struct{ credential *syscall.Credential }

// unprivileged returns the owner of a cluster in folder and, if that is another
// user than we are, gives the folder to that user.
func unprivileged(folder string) (processOwner, error) {
	if os.Geteuid() != 0 {
		return processOwner{}, nil
	}
	credential, err := firstUser("postgres", "nobody")
	if err != nil {
		return processOwner{}, err
	}
	return processOwner{credential}, os.Chown(folder, int(credential.Uid), int(credential.Gid))
}

// firstUser returns the first of the named users that exists.
func firstUser(names ...string) (*syscall.Credential, error) {
	for _, name := range names {
		found, err := user.Lookup(name)
		if _, unknown := errors.AsType[user.UnknownUserError](err); unknown {
			continue
		}
		if err != nil {
			return nil, err
		}
		return credentialOf(found)
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and none of the users %q exists (create one, or run as another user)", names)
}

// credentialOf returns what a process needs to run as u.
func credentialOf(u *user.User) (*syscall.Credential, error) {
	uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(errUID, errGID)
}

// apply makes cmd run as the owner, and in a process group of its own: an
// interrupt from the terminal is for the tests, and the server has to outlive them.
func (o processOwner) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: o.credential, Setpgid: true}
}
