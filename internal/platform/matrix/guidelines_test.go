// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestGuidelinesAreRenderedSafely(t *testing.T) {
	for text, html := range map[string]string{
		"Be **kind**.":              "<p>Be <strong>kind</strong>.</p>",
		"<script>alert(1)</script>": "&lt;script&gt;alert(1)&lt;/script&gt;",
		"a <b onclick=x>b</b>":      "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>",
		"[x](javascript:alert(1))":  `<p><a href="">x</a></p>`,
	} {
		content := message(text)
		g := NewWithT(t)
		g.Expect(content["body"]).To(Equal(text))
		g.Expect(content["formatted_body"]).To(Equal(html))
	}
}

func TestGuidelinesThatFitOnlyWithoutHTMLGoWithoutIt(t *testing.T) {
	g := NewWithT(t)
	text := strings.Repeat("a line of rules\n", maxGuidelines/16)
	content := message(text)
	g.Expect(content).NotTo(HaveKey("formatted_body"))
	g.Expect(fits(edit("$event", text), "sending")).To(Succeed())
}

func TestGuidelinesThatDontFitAreRefused(t *testing.T) {
	g := NewWithT(t)
	g.Expect(fits(message(strings.Repeat(`"`, maxGuidelines)), "sending")).To(MatchError(ContainSubstring("shorten the text")))
}
