// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// verdict is what came of a run.
type verdict struct {
	// unlike says what is other than in a run that nothing disturbed.
	unlike []string
	// duplicates are spaces that there should not be, touched what changed in
	// the foreign space, and removed who was taken out of a space and belongs there.
	duplicates, touched, removed []string
	// leaks are what metrics said that they should not.
	leaks     []string
	disturbed int
	traffic   sum
	// err is why it could not go on to the end, and said what the manager logged last.
	err  error
	said string
}

// wrong says what makes a run a failed one.
func (v verdict) wrong() error {
	errs := []error{v.err}
	for what, found := range map[string][]string{
		"not as in a run without faults": v.unlike, "duplicate": v.duplicates, "foreign, and touched": v.touched,
		"removed wrongly": v.removed, "in the metrics": v.leaks,
	} {
		for _, line := range found {
			errs = append(errs, fmt.Errorf("%s: %s", what, line))
		}
	}
	if n := v.traffic.inASecond; n > perSecond {
		errs = append(errs, fmt.Errorf("%d requests in a second, and the budget is %d", n, perSecond))
	}
	if n := v.traffic.atOnce; n > concurrency {
		errs = append(errs, fmt.Errorf("%d requests at once, and the budget is %d", n, concurrency))
	}
	if n := v.traffic.early; n > 0 {
		errs = append(errs, fmt.Errorf("%d requests while the server asked everybody to wait", n))
	}
	return errors.Join(errs...)
}

// look is how the spaces of the world are, whoever looks at them.
func (w *world) look(ctx context.Context) (picture, error) {
	var all picture
	for _, name := range slices.Sorted(maps.Keys(w.spaces)) {
		lines, err := w.chat.picture(ctx, w.spaces[name])
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	for name, id := range w.spaces {
		all = all.with(id, "{"+name+"}")
	}
	all = all.with(w.name, "{world}")
	slices.Sort(all)
	return all, nil
}

// judge says what is wrong in the end, but for what it is unlike.
func (w *world) judge(ctx context.Context, v *verdict) error {
	made, disturbed := w.front.seen()
	v.disturbed = disturbed
	known := slices.Collect(maps.Values(w.spaces))
	for _, id := range made {
		if !slices.Contains(known, id) {
			v.duplicates = append(v.duplicates, "made "+id)
		}
	}
	unknown, err := w.chat.unknown(ctx, w.name, slices.AppendSeq(known, maps.Keys(w.foreign)))
	if err != nil {
		return err
	}
	for _, id := range unknown {
		v.duplicates = append(v.duplicates, "there is "+id)
	}
	for space, before := range w.foreign {
		now, err := w.chat.picture(ctx, space)
		if err != nil {
			return err
		}
		v.touched = append(v.touched, now.differs(before)...)
	}
	for name, id := range w.spaces {
		out, err := w.chat.takenOut(ctx, id)
		if err != nil {
			return err
		}
		for _, person := range out {
			if name != "golang" || person != "kim" {
				v.removed = append(v.removed, person+" of "+name)
			}
		}
	}
	if w.blindly > 0 {
		v.removed = append(v.removed, fmt.Sprintf("%d while no read worked", w.blindly))
	}
	v.leaks, err = w.leaks(ctx, "")
	return err
}

// leaks are series of the world's platform that name somebody or something, or
// a request without a template; once the platform is gone, every series of it.
func (w *world) leaks(ctx context.Context, gone string) (found []string, err error) {
	text, err := w.manager.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	names := regexp.MustCompile(`[!@#$]|\b(` + strings.Join(append(slices.Collect(maps.Values(w.spaces)), people...), "|") + `)\b`)
	seen := 0
	for name, family := range families {
		for _, series := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range series.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if labels["platform"] != w.name {
				continue
			}
			seen++
			delete(labels, "platform")
			line := fmt.Sprintf("%s %v", name, labels)
			if names.MatchString(line) || labels["route"] == "other" || gone != "" {
				found = append(found, line+gone)
			}
		}
	}
	if seen == 0 && gone == "" {
		return nil, errors.New("the metrics show nothing of the platform: this looks in the wrong place")
	}
	return found, nil
}
