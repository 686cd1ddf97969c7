// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/samples"
)

// show prints the tree, as the kubectl plugin does.
func (d *demo) show(ctx context.Context, took time.Duration) error {
	plugin, err := devenv.Binary("kubectl-cabildo")
	if err != nil {
		return err
	}
	fmt.Printf("\n  Everything is Ready, %.0f seconds after the start.\n\n$ kubectl cabildo tree -A\n", took.Seconds())
	command := exec.CommandContext(ctx, plugin, "tree", "-A", "--kubeconfig", d.Plane.Kubeconfig())
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("showing the tree: %w", err)
	}
	return nil
}

// invite says where to look, and what to try.
func (d *demo) invite() {
	kubectl, _ := devenv.Binary("kubectl") // it was used before
	fmt.Printf(`
  LOOK
    With a Matrix client on this machine (Element, Cinny, Fluffychat, …): homeserver %[1]s
    as %[2]s, or any of %[3]d more people; everybody's password is %[4]s
    Open #eng-golang:%[5]s
%[11]s
    With kubectl, in another terminal:
      export KUBECONFIG=%[6]s PATH=%[7]s:$PATH
      kubectl get platforms && kubectl get communities,groups.community.cabildo.dev -A
      kubectl cabildo tree -A

  TRY
    Edit: the room is renamed before you look
      kubectl -n engineering patch group golang --type merge -p '{"spec":{"displayName":"Go and friends"}}'
    Break: name somebody who does not exist; everybody else stays served
      kubectl -n engineering patch group golang --type merge -p '{"spec":{"members":[{"person":"no.body"},{"person":"ana.ruiz","role":"Moderator"}]}}'
      kubectl -n engineering get group golang -o jsonpath='{.status.conditions[?(@.type=="MembersResolved")].message}{"\n"}'
    Overreach: a name that the platform team did not grant
      kubectl -n engineering create -f - <<< '{"apiVersion":"community.cabildo.dev/v1alpha1","kind":"Community","metadata":{"name":"hr"},"spec":{"displayName":"HR","platforms":[{"platformRef":{"name":"chat"}}]}}'
      kubectl -n engineering describe community hr
    Heal: somebody renames the room by hand; Cabildo sets it back
      ROOM=$(kubectl -n engineering get group golang -o jsonpath='{.status.platforms[0].spaceID}')
      TOKEN=$(kubectl -n %[8]s get secret matrix -o jsonpath='{.data.asToken}' | base64 -d)
      curl -sX PUT -H "Authorization: Bearer $TOKEN" --json '{"name":"Mine"}' "%[1]s/_matrix/client/v3/rooms/$ROOM/state/m.room.name?user_id=%[12]s"
      kubectl -n engineering get events
    Regret: delete everything, and apply it again; no conversation is lost
      kubectl delete -k %[9]s && kubectl apply -k %[9]s

  Logs: %[10]s
  Ctrl-C takes everything down.
`, d.Homeserver.URL, d.people[0], len(d.people)-1, samples.Password, d.Homeserver.ServerName,
		d.Plane.Kubeconfig(), filepath.Dir(kubectl), devenv.OperatorNamespace, d.folder(), d.Manager.LogFile(), d.inviteToMattermost(), d.Homeserver.OperatorUserID)
}

// inviteToMattermost says how to look there. The module has no web page.
func (d *demo) inviteToMattermost() string {
	if !d.WithMattermost {
		return ""
	}
	return fmt.Sprintf(`
    With Mattermost's API, as %[2]s or anybody else (there is no web page; everybody's password is the same):
      TOKEN=$(curl -si %[1]s/api/v4/users/login --json '{"login_id":"%[2]s","password":"%[3]s"}' | tr -d '\r' | sed -n 's/^Token: //p')
      curl -sH "Authorization: Bearer $TOKEN" %[1]s/api/v4/users/me/teams
      curl -sH "Authorization: Bearer $TOKEN" %[1]s/api/v4/teams/name/eng/channels/name/eng-golang
`, d.Mattermost.URL, d.people[0], samples.Password)
}
