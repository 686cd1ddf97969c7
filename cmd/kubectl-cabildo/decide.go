// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/tree"
)

func newApproveCommand(streams genericiooptions.IOStreams) *cobra.Command {
	return newDecideCommand(streams, v1alpha1.VerdictApprove, &cobra.Command{
		Use:   "approve KIND/NAME...",
		Short: "Approve what waits for a person's word",
		Long: `Approve what waits for a person's word: what a removal budget holds back, another
tier of a community, a new group, or the appointment of a manager. It shows the
whole list, asks, and makes a GovernanceDecision on exactly that list, in your
name. It counts once. What changes before it is carried out needs another
decision, and nobody approves what they wrote themselves.

It takes the verb approve, approve-tier, approve-creation or approve-appointment
on what waits, and the right to make governancedecisions: the ClusterRole
cabildo-approver has all of them.`,
		Example: `  # See what would be taken away, and approve it
  kubectl cabildo approve group/incidents -n engineering

  # The next tier of a community, and a manager
  kubectl cabildo approve community/engineering communitymanager/lucia-prieto -n engineering

  # Several at once, with the reason for whoever reads it later
  kubectl cabildo approve group/incidents group/golang -n engineering --reason "The team moved."`,
	})
}

func newRefuseCommand(streams genericiooptions.IOStreams) *cobra.Command {
	return newDecideCommand(streams, v1alpha1.VerdictRefuse, &cobra.Command{
		Use:   "refuse KIND/NAME...",
		Short: "Refuse what waits for a person's word",
		Long: `Refuse what waits for a person's word: it shows the whole list, asks, and makes a
GovernanceDecision on exactly that list, in your name. Nothing of it is done
until the declaration, the removal budget or the policy is another.

It takes the same rights as approve.`,
		Example: `  # See what would be taken away, and have it stay
  kubectl cabildo refuse group/incidents -n engineering --reason "They were left out by mistake."`,
	})
}

func newDecideCommand(streams genericiooptions.IOStreams, verdict v1alpha1.Verdict, command *cobra.Command) *cobra.Command {
	o := decideOptions{IOStreams: streams, config: genericclioptions.NewConfigFlags(true), verdict: verdict}
	word := strings.ToLower(string(verdict))
	command.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("name what to %s, such as: kubectl cabildo %s group/incidents -n engineering", word, word)
		}
		return nil
	}
	command.RunE = func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) }
	o.config.AddFlags(command.Flags())
	command.Flags().StringVar(&o.reason, "reason", "", "why, for whoever reads the decision later")
	command.Flags().DurationVar(&o.expires, "expires", 0, "how long the decision counts, if it can't be carried out at once (built in: 24h)")
	command.Flags().BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	command.Flags().BoolVar(&o.wait, "wait", true, "wait up to 30 seconds, and say what became of it")
	return command
}

type decideOptions struct {
	genericiooptions.IOStreams

	config  *genericclioptions.ConfigFlags
	verdict v1alpha1.Verdict
	reason  string
	expires time.Duration
	yes     bool
	wait    bool
}

func (o *decideOptions) run(ctx context.Context, args []string) error {
	if o.expires < 0 {
		return fmt.Errorf("--expires %s is in the past: give a time from now, such as 24h", o.expires)
	}
	targets, err := targetsOf(args)
	if err != nil {
		return err
	}
	cluster, err := clusterOf(o.config)
	if err != nil {
		return err
	}
	namespace, err := namespaceOf(o.config)
	if err != nil {
		return err
	}

	// What can't be decided holds up nothing else; it is told at the end.
	proposals, problems := o.proposals(ctx, cluster, namespace, targets)
	if len(proposals) == 0 {
		return errors.Join(problems...)
	}
	if err := o.confirm(proposals); err != nil {
		return errors.Join(append(problems, err)...)
	}
	user, err := whoAmI(ctx, cluster)
	if err != nil {
		return err
	}
	var made []decided
	for _, p := range proposals {
		decision := o.decision(p, user)
		if err := cluster.Create(ctx, decision); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", p.target, explainDecision(err, namespace)))
			continue
		}
		made = append(made, decided{p.target, decision})
		if _, err := fmt.Fprintf(o.Out, "%s: made the decision %s\n", p.target, decision.Name); err != nil {
			return err
		}
	}
	if o.wait {
		problems = append(problems, o.outcomes(ctx, cluster, made)...)
	}
	return errors.Join(problems...)
}

// proposal is what waits for a decision on a target, exactly as it is shown.
type proposal struct {
	target    target
	namespace string
	v1alpha1.Proposal
}

// proposals reads what waits, and shows it.
func (o *decideOptions) proposals(ctx context.Context, cluster client.Client, namespace string, targets []target) ([]proposal, []error) {
	var proposals []proposal
	var problems []error
	for _, t := range targets {
		waits, err := t.read(ctx, cluster, namespace)
		if err == nil {
			waits, err = decidable(waits)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", t, err))
			continue
		}
		for _, p := range waits {
			proposals = append(proposals, proposal{t, namespace, *p})
			if _, err := fmt.Fprintln(o.Out, tree.Proposal(t.String(), namespace, p, terminalWidth(o.Out))); err != nil {
				return nil, []error{err}
			}
		}
	}
	return proposals, problems
}

// decidable are the proposals that can be decided on, or why there are none.
func decidable(all []*v1alpha1.Proposal) ([]*v1alpha1.Proposal, error) {
	var open []*v1alpha1.Proposal
	why := errors.New("nothing waits for a decision")
	for _, p := range all {
		switch p.State {
		case v1alpha1.ProposalApproved:
			why = fmt.Errorf("nothing waits for a decision: %s approved %s, and it is being carried out", p.DecidedBy, p.Summary)
		case v1alpha1.ProposalRefused:
			why = fmt.Errorf("nothing waits for a decision: %s refused %s; change the declaration, its removal budget or the policy, "+
				"and what then waits can be decided anew", p.DecidedBy, p.Summary)
		default:
			open = append(open, p)
		}
	}
	if len(open) == 0 {
		return nil, why
	}
	return open, nil
}

// confirm asks on a terminal. Without one, somebody must have said yes before.
func (o *decideOptions) confirm(proposals []proposal) error {
	word := strings.ToLower(string(o.verdict))
	if o.yes {
		return nil
	}
	if in, ok := o.In.(*os.File); !ok || !term.IsTerminal(int(in.Fd())) {
		return fmt.Errorf("there is no terminal to ask on, so nothing was decided: add --yes to %s what is listed above", word)
	}
	question := fmt.Sprintf("%s this?", o.verdict)
	if len(proposals) > 1 {
		question = fmt.Sprintf("%s all %d of them?", o.verdict, len(proposals))
	}
	yes, err := ask(o.In, o.Out, question)
	if err != nil {
		return err
	}
	if !yes {
		return errors.New("nothing was decided")
	}
	return nil
}

// ask is true for y and yes alone.
func ask(in io.Reader, out io.Writer, question string) (bool, error) {
	if _, err := fmt.Fprint(out, question, " [y/N] "); err != nil {
		return false, err
	}
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

// whoAmI is the user's name as the API server knows it.
func whoAmI(ctx context.Context, cluster client.Client) (string, error) {
	var review authenticationv1.SelfSubjectReview
	if err := cluster.Create(ctx, &review); err != nil {
		return "", fmt.Errorf("asking the cluster who you are: %w", err)
	}
	return review.Status.UserInfo.Username, nil
}

// decision is the user's word on exactly what was shown.
func (o *decideOptions) decision(p proposal, user string) *v1alpha1.GovernanceDecision {
	d := &v1alpha1.GovernanceDecision{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, GenerateName: p.target.name + "-"},
		Spec: v1alpha1.GovernanceDecisionSpec{
			TargetRef:    v1alpha1.DecisionTarget{Kind: p.target.kind, Name: p.target.name},
			ProposalKind: p.Kind, ProposalID: p.ID, Hash: p.Hash, Verdict: o.verdict, Reason: o.reason, DecidedBy: user,
		},
	}
	if o.expires > 0 {
		d.Spec.ExpiresAt = &metav1.Time{Time: time.Now().Add(o.expires)}
	}
	return d
}
